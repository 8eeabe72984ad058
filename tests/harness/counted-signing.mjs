// Stands in front of the bindings of the gateway's module, inside workerd: counts what the runtime
// signs, and makes it fail where a request says so. The real bindings are beside it as built-index.js.
import * as built from "./built-index.js";

export * from "./built-index.js";

const sign = crypto.subtle.sign.bind(crypto.subtle);
let signed = 0;
let broken = false;

crypto.subtle.sign = (...parameters) => {
  if (broken) return Promise.reject(new Error("broken by the test"));
  signed += 1;
  return sign(...parameters);
};

export class Hot extends built.Hot {
  static handle(head, ...rest) {
    const asked = /\nx-signing\n(\w+)\n/.exec(head)?.[1];
    if (asked === undefined) return built.Hot.handle(head, ...rest);
    broken = asked === "break" || (broken && asked !== "mend");
    return `R200\nsigned\n${signed}\n\n`;
  }
}
