// Programs of the system that some tests need.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const PLACES = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];

/** For the option `skip` of a test: why it cannot run here. With CI=true it runs, and fails. */
export function without(program, debian = program) {
  if (process.env.CI === "true" || PLACES.some((folder) => existsSync(join(folder, program)))) return false;
  return `${program} is not installed. Get it (Debian: sudo apt-get install ${debian}).`;
}
