// The control plane is a module of its own, which nothing loads before the management API or a
// registry is asked for something.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SECRETS, startKeyward } from "./harness/keyward.mjs";
import { startKv } from "./harness/kv.mjs";
import { createKeys } from "./harness/management.mjs";
import { startOrigin } from "./harness/origin.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;

/** The modules of the gateway, with a control plane that cannot be loaded. */
function unloadable(modules) {
  const path = fileURLToPath(new URL("harness/unloadable.mjs", import.meta.url));
  return modules.map((module) => (module.name === "build/control.js" ? { ...module, path } : module));
}

test("an isolate that only proxies never loads the control plane", async (t) => {
  const [kv, origin] = [await startKv(t), await startOrigin(t)];
  const options = { gateway: GATEWAY, vars: { ORIGIN: origin.url }, kv };
  const { server } = await createKeys(await startKeyward(t, options), "acme", { server: { kind: "private" } });

  const gateway = await startKeyward(t, { ...options, change: unloadable });
  const status = async (path, headers = {}) => (await fetch(gateway.url + path, { headers })).status;
  const key = { "x-api-key": server.secret };
  assert.equal(await status("/echo", key), 200);
  assert.equal(await status("/echo", { "x-api-key": "forged" }), 401);
  assert.equal(await status("/_keyward/healthz"), 200);
  assert.equal(await status("/_keyward/v1/projects", { authorization: `Bearer ${SECRETS.KEYWARD_BOOTSTRAP_KEY}` }), 500);
  assert.equal(await status("/echo", key), 200);
});
