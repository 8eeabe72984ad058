// Stands in front of the bindings of the meters' module, inside workerd: the next command traps, as
// a panic would. The real bindings are beside it as built-meter.js.
import * as built from "./built-meter.js";

export * from "./built-meter.js";

export class Meter extends built.Meter {
  fetch(request) {
    if (globalThis.breaksMeter) {
      globalThis.breaksMeter = false;
      // An object of Rust at an address that no memory has: reading it is a trap.
      return built.Meter.prototype.fetch.call({ __wbg_ptr: 0xfffffff0 }, request);
    }
    return super.fetch(request);
  }
}
