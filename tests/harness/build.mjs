// What the build has made, and other configurations of the same build.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = "src/entry.mjs";
// `npm run build` has made it; a call through Cargo would wait for every other one.
const TOOL = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/keyward-build");
const CONFIGURATION = "build/gateway.mjs";

/** The modules of the gateway as { name, path }; the first is the entry. `gateway` is the path of the configuration's module. */
export async function gatewayModules(gateway) {
  const modules = ["index", "control", "meter"].map((name) => join(ROOT, `build/${name}_bg.wasm`));
  if (!modules.every((file) => existsSync(file))) throw new Error("the gateway is not built: npm run build");
  const written = await modulesIn("src", /\.mjs$/);
  const built = await modulesIn("build", /\.(mjs|js|wasm)$/);
  const names = [ENTRY, ...written.filter((name) => name !== ENTRY), ...built];
  return names.map((name) => ({ name, path: name === CONFIGURATION ? gateway : join(ROOT, name) }));
}

async function modulesIn(folder, pattern) {
  const files = await readdir(join(ROOT, folder), { recursive: true });
  return files.filter((file) => pattern.test(file)).map((file) => `${folder}/${file}`);
}

/** Validates a gateway.toml and returns the path of its module, which is written into `folder`, a new one. */
export async function gatewayModule(toml, folder) {
  const file = join(folder, "gateway.toml");
  await mkdir(folder);
  await writeFile(file, toml);
  await promisify(execFile)(TOOL, ["--config-only", "--config", file, "--out", folder]);
  return join(folder, "gateway.mjs");
}

/** The compatibility date and flags of the deployment. */
export async function compatibility() {
  const toml = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const [, date] = toml.match(/^compatibility_date = "(.+)"$/m);
  const [, flags] = toml.match(/^compatibility_flags = \[([^\]]*)\]/m);
  return { date, flags: [...flags.matchAll(/^\s*"([^"]+)"/gm)].map(([, flag]) => flag) };
}
