// Stands in front of the bindings of the control plane's module, inside workerd, as breakable.mjs
// does for the gateway's. The name of what to break is in `x-break-control`, for the gateway's
// module sees the same request. The real bindings are beside it as built-control.js.
import * as built from "./built-control.js";

export * from "./built-control.js";

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

/** Whether the account's registry is to break at its next call. */
let armed = false;

export class Management {
  static async handle(request, env, id) {
    const broken = request.headers.get("x-break-control");
    if (broken === "count") return new Response(null, { headers: { instances: built.__worker_init_state().instanceId } });
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
