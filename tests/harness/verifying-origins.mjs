// Origins that verify, as processes: those of the page "Verify in your origin" as they stand there, and
// the axum example of crates/origin.
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pages } from "../docs/markdown.mjs";
import { ROOT } from "./build.mjs";
import { temporaryFolder } from "./folder.mjs";

const START_MS = 20_000;

/** Starts an origin on a port; `t` ends it. `settings` are those of its environment. */
export async function startVerifying(t, kind, port, settings, python) {
  const [program, parameters, cwd] = await command(t, kind, python);
  const env = { ...process.env, ...settings, PORT: String(port), LISTEN: `127.0.0.1:${port}` };
  const child = spawn(program, parameters, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const origin = { url: `http://127.0.0.1:${port}`, log: "", stop: () => stop(child) };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (origin.log += part));
  t.after(origin.stop);
  for (const end = Date.now() + START_MS; ; ) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${kind} does not listen:\n${origin.log}`);
    const answers = await fetch(origin.url).then((answer) => answer.status === 401, () => false);
    if (answers) return origin;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Why Go's example does not run, if it does not. Nothing else here needs Go, so no run has to have it. */
export const withoutGo = spawnSync("go", ["version"]).status !== 0 && "Go is not installed. Get it (Debian: sudo apt-get install golang-go).";

async function command(t, kind, python) {
  if (kind === "rust") {
    await promisify(execFile)("cargo", ["build", "--quiet", "--locked", "--package", "keyward-origin", "--example", "axum"], { cwd: ROOT });
    return [join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/examples/axum"), [], ROOT];
  }
  const folder = await temporaryFolder(t);
  const page = (await pages()).find(({ name }) => name === "docs/verify-in-your-origin.md");
  const { info, code } = page.blocks.find(({ info }) => info.endsWith(` origin-${kind}`));
  const language = info.split(" ")[0];
  const file = join(folder, `origin.${{ js: "mjs", python: "py", go: "go" }[language]}`);
  await writeFile(file, code);
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  if (language === "python") return [python.executable, [file], folder];
  if (language === "js") return [process.execPath, [file], folder];
  await promisify(execFile)("go", ["build", "-o", "origin", file], { cwd: folder });
  return [join(folder, "origin"), [], folder];
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
