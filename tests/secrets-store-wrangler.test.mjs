// A credential from the Secrets Store of wrangler's development server, which keeps it on this machine.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createManagementKey, Management } from "../scripts/management.mjs";
import { ROOT } from "../scripts/run.mjs";
import { temporaryFolder } from "./harness/folder.mjs";
import { freePort } from "./harness/free-port.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { startOrigin } from "./harness/origin.mjs";
import { eventually } from "./harness/registry.mjs";

const STORE = "0123456789abcdef0123456789abcdef";
const NAME = "DEMO_ORIGIN_KEY";
const NODE = join(ROOT, "node_modules/.bin/node");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const env = { ...process.env, CI: "true", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

test("wrangler's own Secrets Store gives the credential", { timeout: 120_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const state = join(folder, "state");
  const origin = await startOrigin(t);
  const port = await freePort();
  const config = (await readFile(join(ROOT, "wrangler.toml"), "utf8"))
    .replace(/^main = .*$/m, `main = ${JSON.stringify(join(ROOT, "src/entry.mjs"))}`)
    .replace(/^\[build\]\n(?:.+\n)*/m, "");
  const binding = `[[secrets_store_secrets]]\nbinding = "${NAME}"\nstore_id = "${STORE}"\nsecret_name = "the-api-of-the-demo"\n`;
  await writeFile(join(folder, "wrangler.toml"), `${config}\n${binding}`);
  await writeFile(join(folder, ".dev.vars"), Object.entries({ ...SECRETS, DEMO_ORIGIN: origin.url }).map(([name, value]) => `${name}=${value}\n`).join(""));
  const created = spawn(NODE, [WRANGLER, "secrets-store", "secret", "create", STORE, "--name", "the-api-of-the-demo", "--value", "sk-stored-0123456789", "--scopes", "workers", "--persist-to", state], { cwd: folder, env, stdio: "ignore" });
  assert.deepEqual(await once(created, "exit"), [0, null]);

  const child = spawn(NODE, [WRANGLER, "dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--persist-to", state, "--show-interactive-dev-session=false"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (log += text));
  const ended = once(child, "exit");
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  const healthy = () => fetch(`${url}/_keyward/healthz`, { signal: AbortSignal.timeout(5000) }).then(({ ok }) => ok, () => false);
  await eventually(healthy, 60_000).catch(() => assert.fail(log));

  const account = await createManagementKey(() => url, SECRETS.KEYWARD_BOOTSTRAP_KEY, "tests");
  const api = new Management(() => url, () => account);
  await api.createProject("demo");
  const key = await api.createKey("demo", { kind: "private" });
  const call = async () => (await fetch(`${url}/demo/echo`, { headers: { "x-api-key": key.secret } })).status;
  const sent = () => origin.last.values("authorization");
  assert.equal(await call(), 200, log);
  assert.deepEqual(sent(), ["Bearer sk-stored-0123456789"]);
  assert.ok(!log.includes("sk-stored"), log);
});
