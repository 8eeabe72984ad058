// The gateway's modules with fronts that make them trap when a request says so.
import { fileURLToPath } from "node:url";

const FRONTS = { "build/index.js": "breakable.mjs", "build/control.js": "breakable-control.mjs" };

/** The modules of the gateway, with the fronts. */
export function breakable(modules) {
  return modules.flatMap((module) => {
    const front = FRONTS[module.name];
    if (front === undefined) return [module];
    const built = { ...module, name: module.name.replace("build/", "build/built-") };
    return [built, { name: module.name, path: fileURLToPath(new URL(front, import.meta.url)) }];
  });
}
