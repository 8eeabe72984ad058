// Builds what is measured. What is fresh is not built again; what the build says is no part of a table.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../tests/harness/build.mjs";

/** Where the plain gateway's modules are. */
export const PLAIN = join(ROOT, "target/plain/built");

/** Keyward, as it is deployed. */
export function buildKeyward() {
  build();
}

/** The gateway with the plain `worker` crate, bench/plain. */
export function buildPlain() {
  build("--plain", "--out", PLAIN);
}

function build(...options) {
  execFileSync("cargo", ["run", "--quiet", "--locked", "--package", "keyward-build", "--", ...options], { cwd: ROOT, stdio: ["ignore", 2, 2] });
}
