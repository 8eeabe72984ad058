// The modules of a worker, copied beside its configuration, so that a later build does not change
// a running test.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compatibility } from "./build.mjs";
import { worker } from "./capnp.mjs";

/**
 * Copies modules { name, path } into a folder; the result is what `worker` takes. Modules of several
 * workers lie in one folder when each has a `prefix`.
 */
export async function copied(folder, modules, prefix = "") {
  return Promise.all(
    modules.map(async ({ name, path }) => {
      const file = prefix + name.replaceAll("/", "_");
      await copyFile(path, join(folder, file));
      return { name, file };
    }),
  );
}

/** The in-memory KV as a service of workerd. */
export async function memoryKv(folder) {
  const files = ["kv-memory.mjs", "kv-protocol.mjs"];
  const modules = files.map((name) => ({ name, path: fileURLToPath(new URL(name, import.meta.url)) }));
  return worker({ modules: await copied(folder, modules), compatibility: await compatibility() });
}
