// The secrets of development: made once, kept in .dev.vars, which wrangler reads and Git ignores.
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./run.mjs";

const FILE = join(ROOT, ".dev.vars");
const random = () => randomBytes(32).toString("base64url");
const MAKE = {
  KEYWARD_SECRET: () => `dev:${random()}`,
  KEYWARD_BOOTSTRAP_KEY: random,
  DEMO_ORIGIN_KEY: random,
};

/** The secrets by name; those that are missing in .dev.vars are made and added. */
export function developmentSecrets() {
  if (!existsSync(FILE)) {
    writeFileSync(FILE, "# Secrets of development, made by npm start. Git ignores this file.\n", { mode: 0o600 });
    console.log("Made development secrets in .dev.vars");
  }
  const text = readFileSync(FILE, "utf8");
  const secrets = Object.fromEntries([...text.matchAll(/^(\w+)\s*=\s*"?([^"\n]*)"?\s*$/gm)].map(([, name, value]) => [name, value]));
  const missing = Object.keys(MAKE).filter((name) => !secrets[name]);
  for (const name of missing) secrets[name] = MAKE[name]();
  const lines = missing.map((name) => `${name}=${secrets[name]}\n`);
  appendFileSync(FILE, (text === "" || text.endsWith("\n") ? "" : "\n") + lines.join(""));
  return secrets;
}
