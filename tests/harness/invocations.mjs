// What each invocation of a project's registry asks of KV and of meters.
import { fileURLToPath } from "node:url";

const FRONT = fileURLToPath(new URL("counted-control.mjs", import.meta.url));

/** The modules of the gateway, with what counts. */
export function counted(modules) {
  return modules.flatMap((module) => {
    if (module.name !== "build/control.js") return [module];
    return [{ ...module, name: "build/built-control.js" }, { name: module.name, path: FRONT }];
  });
}

/** How startKeyward counts them. */
export const COUNTED = { change: counted, flags: ["nodejs_als"] };

/** Every invocation since the start of the process: { kind, kv, meters }. */
export async function invocations(keyward) {
  const answer = await fetch(`${keyward.url}/_keyward/v1/projects`, { headers: { "x-invocations": "" } });
  return answer.json();
}
