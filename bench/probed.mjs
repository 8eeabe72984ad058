// A gateway whose memory and whose reads of KV can be looked at, with what stands behind it.
import { fileURLToPath } from "node:url";
import { startKeyward } from "../tests/harness/keyward.mjs";
import { residentMemory } from "../tests/harness/memory.mjs";
import { startBehind } from "./behind.mjs";
import { Inspector } from "./inspector.mjs";

const ROUTES = `[[route]]\norigin = "\${ORIGIN}"\n`;

/** Starts them; `t` ends them. `settings` stand in the [gateway] table. Returns { gateway, kv, ports, look(isolate), count() }. */
export async function startProbed(t, { settings = "", ...options } = {}) {
  const behind = await startBehind(t);
  const gateway = await startKeyward(t, {
    gateway: `[gateway]\n${settings}\n${ROUTES}`,
    vars: { ORIGIN: behind.origin, METERS_ARE_AT: behind.meters },
    kv: behind.kv,
    change: probed,
    inspected: true,
    ...options,
  });
  const probe = async (url, told = {}) => (await fetch(url, { headers: { "x-probe": JSON.stringify(told) } })).json();
  const inspected = (url, isolate) => Inspector.of(gateway.process.ports.inspector, `keyward-${isolate}`, () => probe(url));
  const inspectors = await Promise.all(gateway.urls.map(inspected));
  t.after(() => inspectors.forEach((inspector) => inspector.close()));

  /** What an isolate has in memory: { resident, wasm, heap, plans, characters, assertions, reads }, in bytes; `resident` is of the whole process. */
  async function look(isolate = 0) {
    const heap = await inspectors[isolate].heap();
    return { ...(await probe(gateway.urls[isolate])), heap, resident: await residentMemory(gateway.process.pid) };
  }
  /** How often KV was read by all isolates: { foreground, background }. */
  async function count() {
    const all = await Promise.all(gateway.urls.map(probe));
    const sum = (sort) => all.reduce((total, { reads }) => total + reads[sort], 0);
    return { foreground: sum("foreground"), background: sum("background") };
  }
  /** Sets the first isolate's clock ahead by so many milliseconds in all, and says whether its meters are silent. */
  const tell = (told) => probe(gateway.url, told);
  return { gateway, kv: behind.kv, ports: gateway.urls.map((url) => Number(new URL(url).port)), look, count, tell };
}

/** The gateway's modules with the probe in front of them. */
function probed(modules) {
  const own = (name, file) => ({ name, path: fileURLToPath(new URL(`fronts/${file}.mjs`, import.meta.url)) });
  const others = modules.map((module) => (module.name === "src/store.mjs" ? { ...module, name: "src/built-store.mjs" } : module));
  return [own("src/probed.mjs", "probed"), own("src/memories.mjs", "memories"), own("src/store.mjs", "counted-store"), ...others];
}
