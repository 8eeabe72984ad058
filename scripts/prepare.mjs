// Brings a fresh machine to a built gateway; what is there already is not done again.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { atLeast, checkRequirements } from "./requirements.mjs";
import { Failure, output, ROOT, run } from "./run.mjs";

const TARGET = "wasm32-unknown-unknown";
const WRANGLER_NODE = [22, 12];

/** Checks the machine and installs the wasm target and the npm packages. */
export async function prepare() {
  checkRequirements();
  await addTarget();
  await installPackages();
}

/** Builds the worker into `build/`. */
export function build() {
  return run("cargo", ["run", "--locked", "--package", "keyward-build"], { failure: "the gateway is not built" });
}

/** A Node.js that is new enough for wrangler: this one, or the one from npm. */
export function currentNode() {
  if (atLeast(process.versions.node, WRANGLER_NODE)) return process.execPath;
  const packaged = join(ROOT, "node_modules/.bin/node");
  if (atLeast(output(packaged, "--version")?.slice(1) ?? "0.0", WRANGLER_NODE)) return packaged;
  throw new Failure(
    `wrangler needs Node.js ${WRANGLER_NODE.join(".")}, this is ${process.versions.node}, and npm has not installed its package "node". ` +
      "Allow npm to run install scripts, or install a newer Node.js.",
  );
}

async function addTarget() {
  const folder = output("rustc", "--print", "target-libdir", "--target", TARGET);
  if (folder && existsSync(folder)) return;
  if (output("rustup", "--version") === undefined) {
    throw new Failure(`Rust's target ${TARGET} is missing, and rustup, which adds it, is not installed. Get it from https://rustup.rs`);
  }
  await run("rustup", ["target", "add", TARGET]);
}

async function installPackages() {
  if (installed()) return;
  console.log("Installing the npm packages");
  const { npm_execpath: npm, npm_node_execpath: node = process.execPath } = process.env;
  const parameters = ["ci", "--loglevel=error"];
  const failure = "the npm packages cannot be installed";
  await (npm ? run(node, [npm, ...parameters], { failure }) : run("npm", parameters, { failure }));
}

// npm writes down what it has installed; packages for other systems are optional and not there.
function installed() {
  const record = join(ROOT, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const [wanted, there] = [join(ROOT, "package-lock.json"), record].map((file) => JSON.parse(readFileSync(file, "utf8")).packages);
  return Object.entries(wanted).every(([path, { version, optional }]) => path === "" || there[path]?.version === version || (optional && !there[path]));
}
