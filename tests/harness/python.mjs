// Python as it is installed, with the packages of tests/requirements.txt in an environment of its own.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./build.mjs";

const run = promisify(execFile);
const REQUIREMENTS = join(ROOT, "tests/requirements.txt");
const MOST_OUTPUT = 64 * 1024 * 1024;
const OLDEST = [3, 11];
const GET = "Get it (Debian: sudo apt-get install python3 python3-venv; others: https://www.python.org/downloads/).";

/**
 * Python for the tests of a file. Where it is missing, `skip` says why and how to get it, for the
 * option of that name of a test; with CI=true that is an error.
 */
export async function startPython() {
  try {
    return new Python(await environment());
  } catch (error) {
    if (process.env.CI === "true") throw error;
    return { skip: error.message };
  }
}

class Python {
  skip = false;
  #executable;

  constructor(executable) {
    this.#executable = executable;
  }

  /** What runs Python's scripts, with the packages. */
  get executable() {
    return this.#executable;
  }

  /** Runs a script of tests/clients with `given` as JSON on its standard input; what it prints, parsed as JSON. */
  async run(script, given) {
    const running = run(this.#executable, [join(ROOT, "tests/clients", script)], { timeout: 60_000 });
    running.child.stdin.end(JSON.stringify(given));
    return JSON.parse((await running).stdout);
  }

  /** Runs a module with these parameters: { code, output }, whether it succeeds or not. */
  async module(name, parameters, { cwd, env, timeout }) {
    const options = { cwd, timeout, env: { ...process.env, ...env }, maxBuffer: MOST_OUTPUT };
    try {
      const { stdout, stderr } = await run(this.#executable, ["-m", name, ...parameters], options);
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      if (error.stdout === undefined) throw error;
      const ended = error.killed ? `It did not end within ${timeout / 1000} s.\n` : "";
      return { code: error.code, output: ended + error.stdout + error.stderr };
    }
  }
}

/** The Python of the environment for these requirements, which is made when it is not there yet. */
async function environment() {
  const wanted = createHash("sha256").update(await readFile(REQUIREMENTS)).digest("hex").slice(0, 16);
  const folder = join(ROOT, "tests/.venv", wanted);
  if (!existsSync(folder)) await make(folder);
  return join(folder, "bin/python");
}

// Several files may do this at once: each makes its own, and the first one stays.
async function make(folder) {
  const system = await installed();
  const draft = `${folder}.${process.pid}`;
  try {
    await run(system, ["-m", "venv", draft]);
    const pip = ["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"];
    await run(join(draft, "bin/python"), [...pip, "--requirement", REQUIREMENTS]);
    await rename(draft, folder);
  } catch (error) {
    if (existsSync(folder)) return;
    const reason = (error.stderr || error.stdout || error.message).trim().split("\n").at(-1);
    throw new Error(`The packages of tests/requirements.txt cannot be installed: ${reason}`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The name of a Python that is new enough and can make environments. */
async function installed() {
  const facts = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
  const { stdout } = await run("python3", ["-c", facts]).catch(() => {
    throw new Error(`Python 3 with its module venv is not installed. ${GET}`);
  });
  const [major, minor] = stdout.split(" ").map(Number);
  if (major === OLDEST[0] && minor >= OLDEST[1]) return "python3";
  throw new Error(`Python ${OLDEST.join(".")} or newer is needed; python3 is ${major}.${minor}. ${GET}`);
}
