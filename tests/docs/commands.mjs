// Runs the commands of a page as a reader would: in one shell, from top to bottom.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../harness/folder.mjs";
import { ACME, VERIFY_KEYS } from "../harness/asking.mjs";
import { SECRETS, startKeyward } from "../harness/keyward.mjs";
import { management } from "../harness/management.mjs";
import { ROOT } from "./markdown.mjs";

const run = promisify(execFile);
// Where the pages say that the gateway is.
const SHOWN = "http://127.0.0.1:8787";
// Where they have webhooks sent to.
const RECEIVER = "https://ops.example.com";
const NEEDS_GATEWAY = /KEYWARD_URL|keyward (--json )?(keys|projects|environments|owners|management-keys|usage|audit|whoami|apply|self-revoke|webhooks|credentials|leaked|secrets (republish|status))/;
const TIMEOUT_MS = 60_000;
// Another deployment: it shares no secret with the first.
const OTHER_SECRETS = { KEYWARD_SECRET: "other:YW5vdGhlci1zZWNyZXQtYW5vdGhlci1zZWNyZXQtYW5vdGhlcg" };

/** Builds the `keyward` command and returns an environment in which it is found. */
export async function withCommand() {
  await run("cargo", ["build", "--quiet", "--locked", "--package", "keyward-cli"], { cwd: ROOT });
  const { KEYWARD_PROJECT: _, ...inherited } = process.env;
  const path = [join(ROOT, "target/debug"), process.env.PATH].join(delimiter);
  return { ...inherited, PATH: path, NO_COLOR: "1" };
}

/**
 * Runs the blocks and returns what each wrote to standard output. `gateway` is the text of the
 * gateway.toml under which the page's commands are to work; its origins are replaced by one of the
 * test's own, which answers 200 to everything, and the projects that it names are there.
 */
export async function runBlocks(t, blocks, env, gateway) {
  const folder = await temporaryFolder(t);
  const variables = { ...env };
  let code = blocks.map((block) => block.code);
  if (NEEDS_GATEWAY.test(code.join(""))) {
    const started = await startGateway(t, gateway);
    const { url } = started;
    const key = await started.managementKey();
    await mkdir(join(folder, ".wrangler"));
    await writeFile(join(folder, ".wrangler/management.key"), `${key}\n`);
    Object.assign(variables, { KEYWARD_URL: url, KEYWARD_KEY: key, KEYWARD_VERIFY_KEY: ACME });
    if (code.join("").includes("KEYWARD_OTHER_URL")) {
      const other = await startGateway(t, gateway, OTHER_SECRETS);
      Object.assign(variables, { KEYWARD_OTHER_URL: other.url, KEYWARD_OTHER_KEY: await other.managementKey() });
    }
    if (code.join("").includes("KEYWARD_KEY=$KEYWARD_BOOTSTRAP_KEY")) {
      // The page makes the first management key itself, and its bootstrap secret is this deployment's.
      const fresh = await startGateway(t, gateway);
      const bootstrap = SECRETS.KEYWARD_BOOTSTRAP_KEY;
      Object.assign(variables, { KEYWARD_URL: fresh.url, KEYWARD_BOOTSTRAP_KEY: bootstrap });
      code = code.map((text) => text.replace(/^export KEYWARD_BOOTSTRAP_KEY=.*$/m, `$&\nexport KEYWARD_BOOTSTRAP_KEY=${bootstrap}`));
    }
    code = code.map((text) => text.replaceAll(SHOWN, url).replaceAll(RECEIVER, started.origin).replace(/--origin \S+/g, `--origin ${started.origin}`));
  }
  const secrets = Object.entries(SECRETS).map(([name, value]) => `${name}="${value}"\n`);
  await writeFile(join(folder, ".dev.vars"), secrets.join(""));
  await writeFile(join(folder, "gateway.toml"), gateway);
  await cp(join(ROOT, "clients"), join(folder, "clients"), { recursive: true });
  const steps = code.map((text, index) => `echo ${index} >at\n{\n${text}} >${index}.out 2>${index}.err\n`);
  await writeFile(join(folder, "page.sh"), `set -eu -o pipefail\n${steps.join("")}`);
  const written = (name) => readFile(join(folder, name), "utf8");
  try {
    await run("bash", ["page.sh"], { cwd: folder, env: variables, timeout: TIMEOUT_MS });
  } catch (error) {
    const at = Number(await written("at"));
    const said = `${await written(`${at}.out`)}${await written(`${at}.err`)}${error.stderr}`;
    throw new Error(`the commands in line ${blocks[at].line} failed (${error.code ?? error.signal}):\n${said}`);
  }
  return Promise.all(code.map((_, index) => written(`${index}.out`)));
}

async function startGateway(t, gateway, vars = {}) {
  const origin = createServer((request, response) => request.resume().on("end", () => response.end("ok\n")));
  t.after(() => origin.close());
  await once(origin.listen(0, "127.0.0.1"), "listening");
  const address = `http://127.0.0.1:${origin.address().port}`;
  const here = gateway
    .replace(/^origin = ".*"$/gm, `origin = "${address}"`)
    .replace(/^host = .*$/gm, "");
  const secrets = [...gateway.matchAll(/secret = "(\w+)"/g)].map(([, name]) => [name, "of-the-origin"]);
  const started = await startKeyward(t, { gateway: here, vars: { ...VERIFY_KEYS, KEYWARD_WEBHOOK_HOSTS: "any", ...Object.fromEntries(secrets), ...vars } });
  for (const [, list] of gateway.matchAll(/^projects = (\[.*\])$/gm)) {
    for (const id of JSON.parse(list)) await management(started).createProject(id);
  }
  return Object.assign(started, { origin: address });
}

/** Whether what was written is what a page shows, where `…` stands for anything within a line. */
export function isShown(kind, shown, written) {
  if (kind === "json output") {
    const [expected, actual] = [documents(shown), documents(written)];
    return expected.length === actual.length && expected.every((document, index) => matches(document, actual[index]));
  }
  return matches(shown.trim(), written.trim());
}

/** One JSON document, or one in each line. */
function documents(text) {
  try {
    return [JSON.parse(text)];
  } catch {
    return text.trim().split("\n").map((line) => JSON.parse(line));
  }
}

function matches(shown, actual) {
  if (typeof shown === "string" && typeof actual === "string") {
    const parts = shown.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(actual);
  }
  if (!isObject(shown) || !isObject(actual)) return shown === actual;
  const names = Object.keys(shown);
  const same = (name) => name in actual && matches(shown[name], actual[name]);
  return names.length === Object.keys(actual).length && names.every(same);
}

const isObject = (value) => typeof value === "object" && value !== null;
