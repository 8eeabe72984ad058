// Stands in front of the bindings of the gateway's module, inside workerd. A request with `x-break`,
// or an answer of the origin with it, makes the module itself trap, where its way through the gateway
// has brought it; nothing of this is in the product. The real bindings are beside it as built-index.js.
import * as built from "./built-index.js";

export * from "./built-index.js";

/** An object of Rust at an address that no memory has: reading it is a trap. */
const trap = () => Object.create(built.Hot.prototype, { __wbg_ptr: { value: 0xfffffff0, writable: true } }).free();

const asked = (head) => /\nx-break\n([\w-]+)\n/.exec(head)?.[1];

export class Hot extends built.Hot {
  static handle(head, ...rest) {
    if (asked(head) === "handle") trap();
    if (asked(head) === "count") return `R200\ninstances\n${built.__worker_init_state().instanceId}\n\n`;
    return built.Hot.handle(head, ...rest);
  }

  static answer(...parameters) {
    // Of the request little is left there: the origin's answer has the header.
    if (parameters.some((text) => asked(`\n${text}`) === "answer")) trap();
    return built.Hot.answer(...parameters);
  }
}
