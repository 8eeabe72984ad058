// The entry of the empty worker in Rust: one call for each request, as in Keyward's.
import module from "./empty_worker.wasm";

const { exports } = new WebAssembly.Instance(module);

export default { fetch: () => new Response(null, { status: exports.status() }) };
