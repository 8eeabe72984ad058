// What must be on the machine before anything is built. Each absence is said at once, with its fix.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, output, ROOT } from "./run.mjs";

const NODE = [20, 0];

/** Ends with a `Failure` that names all that is missing. */
export function checkRequirements() {
  const missing = [node(), rust(), linker()].filter(Boolean);
  if (missing.length > 0) throw new Failure(["this machine is not ready:", ...missing].join("\n  - "));
}

/** Whether a version such as "1.95.0" is at least [1, 95]. */
export function atLeast(version, [major, minor]) {
  const [theirs, small] = version.split(".").map(Number);
  return theirs > major || (theirs === major && small >= minor);
}

function node() {
  if (atLeast(process.versions.node, NODE)) return undefined;
  return `Node.js ${NODE[0]} or newer is needed; this is ${process.versions.node}. Get it from https://nodejs.org`;
}

function rust() {
  const [, wanted] = readFileSync(join(ROOT, "Cargo.toml"), "utf8").match(/^rust-version = "([\d.]+)"/m);
  const [, version] = output("rustc", "--version")?.match(/^rustc ([\d.]+)/) ?? [];
  if (!version || !output("cargo", "--version")) return "Rust is needed. Get it with rustup from https://rustup.rs";
  if (atLeast(version, wanted.split(".").map(Number))) return undefined;
  return `Rust ${wanted} or newer is needed; this is ${version}. Run: rustup update stable`;
}

// Rust links with the C compiler; without it the build would fail only after some minutes.
function linker() {
  if (process.platform === "win32" || output("cc", "--version") !== undefined) return undefined;
  const fix = process.platform === "darwin" ? "xcode-select --install" : "sudo apt-get install build-essential (or your system's gcc)";
  return `A C compiler is needed, because Rust links with it. Run: ${fix}`;
}
