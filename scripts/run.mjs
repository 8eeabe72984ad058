// Runs other programs, and ends with one clear sentence when something is missing.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The root of the project. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What went wrong, in words for who started the script. */
export class Failure extends Error {}

/** Runs a script's main function; a `Failure` is printed without its place in the code. */
export async function main(action) {
  try {
    await action();
  } catch (error) {
    console.error(error instanceof Failure ? `\nerror: ${error.message}` : error);
    process.exit(1);
  }
}

/** Runs a program that shows its own progress; `Failure` when it is missing or fails. */
export async function run(program, parameters, { env = {}, failure = `${program} has failed` } = {}) {
  const child = spawn(program, parameters, { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...env } });
  const [code] = await once(child, "exit").catch((error) => {
    throw new Failure(`${program} cannot be started: ${error.message}`);
  });
  if (code !== 0) throw new Failure(failure);
}

/** What a program prints, or undefined when it is missing or fails. */
export function output(program, ...parameters) {
  const { status, stdout } = spawnSync(program, parameters, { encoding: "utf8", cwd: ROOT });
  return status === 0 ? stdout.trim() : undefined;
}
