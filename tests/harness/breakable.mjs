// Stands in front of the bindings of the built module, inside workerd. A request with `x-break` makes
// the module itself trap or panic, where its way through the gateway has brought it; nothing of this
// is in the product. The real bindings are beside it as built.js.
import * as built from "./built.js";

export * from "./built.js";

/** What a panic's message would quote. It stands for a key. */
const QUOTED = "quoted-by-a-panic-4711";

/** An object of Rust at an address that no memory has: reading it is a trap. */
const trap = () => built.AccountRegistry.prototype.fetch.call({ __wbg_ptr: 0xfffffff0 }, new Request("http://x"));

/** The next timer that Rust sets cannot be set: `worker` unwraps that, which is a panic. */
function refuseTimer() {
  const kept = globalThis.setTimeout;
  globalThis.setTimeout = () => {
    globalThis.setTimeout = kept;
    throw new Error(QUOTED);
  };
}

const asked = (head) => /\nx-break\n([\w-]+)\n/.exec(head)?.[1];

export class Hot extends built.Hot {
  static handle(head, now) {
    if (asked(head) === "handle") trap();
    if (asked(head) === "count") return `R200\ninstances\n${built.__worker_init_state().instanceId}\n\n`;
    return built.Hot.handle(head, now);
  }

  static answer(route, isPublic, head, status, headers) {
    if (asked(head) === "answer") trap();
    return built.Hot.answer(route, isPublic, head, status, headers);
  }
}

/** Whether the account's registry is to break at its next call. */
let armed = false;

export class Management {
  static handle(request, env, id) {
    const broken = request.headers.get("x-break");
    if (broken === "registry") armed = true;
    if (broken === "panic") refuseTimer();
    // Rust reads the URL through an import that must not throw.
    const given = broken === "exception" ? Object.create(null, { url: { get: () => { throw new Error(QUOTED); } } }) : request;
    return built.Management.handle(given, env, id);
  }
}

export class AccountRegistry extends built.AccountRegistry {
  fetch(request) {
    if (armed) {
      armed = false;
      trap();
    }
    return super.fetch(request);
  }
}
