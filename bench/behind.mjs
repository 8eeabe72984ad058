// What stands behind a gateway that is measured: KV, meters that keep nothing, and an origin, in a
// workerd of their own, so that the gateway's process holds the gateway alone.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compatibility } from "../tests/harness/build.mjs";
import { config, worker } from "../tests/harness/capnp.mjs";
import { temporaryFolder } from "../tests/harness/folder.mjs";
import { copied, memoryKv } from "../tests/harness/modules.mjs";
import { startWorkerd } from "../tests/harness/workerd.mjs";
import { Lanes } from "./lanes.mjs";

const OWN = ["meters", "origin"];

/** Starts it; `t` ends it. Returns { kv, origin, meters }: the first for `startKeyward`, the others addresses. */
export async function startBehind(t) {
  const folder = await temporaryFolder(t);
  const dated = await compatibility();
  const services = { kv: await memoryKv(folder) };
  for (const name of OWN) {
    const path = fileURLToPath(new URL(`behind/${name}.mjs`, import.meta.url));
    services[name] = worker({ modules: await copied(folder, [{ name: `${name}.mjs`, path }]), compatibility: dated });
  }
  const file = join(folder, "workerd.capnp");
  const names = Object.keys(services);
  await writeFile(file, config(services, Object.fromEntries(names.map((name) => [name, name]))));
  const { ports } = await startWorkerd(t, file, names);
  return { kv: { address: `127.0.0.1:${ports.kv}` }, origin: `http://127.0.0.1:${ports.origin}`, meters: `http://127.0.0.1:${ports.meters}/` };
}

/** Puts values into that KV, past the gateway; each is { name, value }. */
export async function fill(kv, values, progress) {
  const lanes = new Lanes(Number(kv.address.split(":")[1]));
  const request = (number) => {
    const { name, value } = values[number];
    return { method: "PUT", target: `/${encodeURIComponent(name)}`, headers: { "content-length": Buffer.byteLength(value) }, body: value };
  };
  await lanes.run(values.length, request, ({ status }) => {
    if (status !== 200) throw new Error(`KV has answered ${status}`);
    progress?.add(1);
  });
}
