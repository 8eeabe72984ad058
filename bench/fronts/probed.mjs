// In front of the gateway's entry: says how much memory the isolate has, and how often KV was read
// while a call waited for it or in the background. Where METERS_ARE_AT says so, meters are elsewhere.
import { memoryBytes } from "./memories.mjs";
import entry from "./entry.mjs";
import { registered } from "./plans.mjs";
import { reads } from "./store.mjs";

export * from "./entry.mjs";

let own;

// What this is called with is the same in all calls of an isolate.
function elsewhere(env) {
  const meter = { fetch: (_, init) => fetch(env.METERS_ARE_AT, init) };
  return (own ??= { ...env, METERS: { getByName: () => meter } });
}

export default {
  fetch(request, env, ctx) {
    if (request.headers.has("x-probe")) return Response.json({ wasm: memoryBytes(), ...registered(), reads });
    return entry.fetch(request, env.METERS_ARE_AT ? elsewhere(env) : env, ctx);
  },
};
