// In front of the gateway's entry: says how much memory the isolate has, and how often KV was read
// while a call waited for it or in the background. Where METERS_ARE_AT says so, meters are elsewhere;
// what a probe says sets the clock ahead, and lets them fall silent.
import { memoryBytes } from "./memories.mjs";
import entry from "./entry.mjs";
import { registered } from "./plans.mjs";
import { kept } from "./signer.mjs";
import { reads } from "./store.mjs";

export * from "./entry.mjs";

const real = Date.now.bind(Date);
const told = { ahead: 0, silent: false };
Date.now = () => real() + told.ahead;

let own;

// What this is called with is the same in all calls of an isolate.
function elsewhere(env) {
  const meter = { fetch: (_, init) => (told.silent ? new Response(null, { status: 500 }) : fetch(env.METERS_ARE_AT, init)) };
  return (own ??= { ...env, METERS: { getByName: () => meter } });
}

export default {
  fetch(request, env, ctx) {
    const probe = request.headers.get("x-probe");
    if (probe === null) return entry.fetch(request, env.METERS_ARE_AT ? elsewhere(env) : env, ctx);
    Object.assign(told, JSON.parse(probe || "{}"));
    return Response.json({ wasm: memoryBytes(), ...registered(), ...kept(), reads });
  },
};
