// Many isolates of one gateway, as a location of the edge has them, in one process of plain workerd:
//
//   const world = await startIsolates(t, { isolates: 8 });
//   const { key, secret } = await world.key({ limits: { ... } });
//   await world.traffic.run({ secret, until: ... });     // on several connections to each of them
//   await world.lose(3);                                 // isolate 3 forgets all that it knows
//
// One more isolate owns the Durable Objects, on a disk, and has the management API; nobody calls it
// with a key. Each isolate reads KV for itself, and sees its own stale copies of it where a test wants that.
//
// "Losing" an isolate is a panic of its module: its memory is gone, leases and counts with it, at any
// point between two steps of a call. workerd cannot end one isolate of a process, and what a machine
// that stops would do beyond that, break connections, is of no consequence to limits and counts.
import { fileURLToPath } from "node:url";
import { startCountingOrigin } from "./counting-origin.mjs";
import { startKeyward } from "./keyward.mjs";
import { startStaleKv } from "./kv-stale.mjs";
import { ManagementClient } from "./registry.mjs";
import { Traffic } from "./traffic.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
const PROJECT = "acme";

/**
 * Starts them; `t` ends them. Options are those of `startKeyward`, and
 *
 * - `copiesMs`: how long each isolate sees a copy of what it has read from KV; without it, KV is
 *   inside workerd, fast and true
 * - `without`: as of `startKeyward`, but by the numbers of the isolates that are called
 */
export async function startIsolates(t, { isolates = 4, copiesMs, vars = {}, without = () => [], change = (modules) => modules, ...options } = {}) {
  const kv = copiesMs === undefined ? "memory" : await startStaleKv(t, copiesMs);
  let keyward;
  const now = () => keyward?.clock?.now() ?? performance.timeOrigin + performance.now();
  const origin = await startCountingOrigin(t, now);
  keyward = await startKeyward(t, {
    gateway: GATEWAY,
    ...options,
    kv,
    isolates: isolates + 1,
    vars: { ORIGIN: origin.url, ...vars },
    without: (index) => (index === 0 ? [] : without(index - 1)),
    change: (modules) => breakable(change(modules)),
  });
  const api = new ManagementClient(keyward);
  await api.project(PROJECT);
  const world = new Isolates(keyward, kv, origin, api);
  t.after(() => world.traffic.close());
  return world;
}

class Isolates {
  constructor(keyward, kv, origin, api) {
    Object.assign(this, { keyward, kv, origin, api, clock: keyward.clock });
    this.traffic = new Traffic(() => this.ports, origin);
  }

  /** The ports of the isolates that are called with keys. */
  get ports() {
    return this.keyward.urls.slice(1).map((url) => Number(new URL(url).port));
  }

  /** Makes a key: { key, secret }. */
  key(fields) {
    return this.api.key(PROJECT, fields);
  }

  /** What the management API says about a key: `limits` or `usage`, with a query. */
  of(key, what) {
    return this.api.must("GET", `/projects/${PROJECT}/keys/${key.id}${what && `/${what}`}`);
  }

  /** Does something with a key: revoke, disable, credits ... */
  act(key, act, body = {}) {
    return this.api.must("POST", `/projects/${PROJECT}/keys/${key.id}/${act}`, body);
  }

  /** An isolate forgets all that it knows. */
  async lose(isolate) {
    const answer = await fetch(`http://127.0.0.1:${this.ports[isolate]}/x`, { headers: { "x-break": "handle" } });
    await answer.arrayBuffer();
    if (answer.status !== 500) throw new Error(`isolate ${isolate} is not lost: ${answer.status}`);
  }
}

/** The modules of the gateway, with what breaks them in front of the hot one. */
function breakable(modules) {
  const front = fileURLToPath(new URL("breakable.mjs", import.meta.url));
  return modules.flatMap((module) => {
    if (module.name !== "build/index.js") return [module];
    return [{ ...module, name: "build/built-index.js" }, { name: module.name, path: front }];
  });
}
