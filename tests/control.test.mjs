// The control plane and the meters are modules of their own. Registries and meters are Durable
// Objects, which live in other isolates than calls do: an isolate that only proxies asks them over
// the network, whatever its keys demand, and never starts their modules.
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

const LAZY = ["build/control.js", "build/meter.js"];
const KEYS = {
  strict: { kind: "private" },
  limited: { kind: "private", limits: { rate: [{ limit: 100, window_s: 60 }] } },
};

/** The modules of the gateway, of which those that are loaded when they are needed cannot be. */
function unloadable(modules) {
  const path = fileURLToPath(new URL("harness/unloadable.mjs", import.meta.url));
  return modules.map((module) => (LAZY.includes(module.name) ? { ...module, path } : module));
}

async function called(url, { secret }) {
  const answer = await fetch(`${url}/echo`, { headers: { "x-api-key": secret } });
  return answer.status === 200 ? "ok" : (await answer.json()).code;
}

test("an isolate that only proxies loads neither the control plane nor a meter", async (t) => {
  const [kv, origin] = [await startKv(t), await startOrigin(t)];
  const options = { gateway: GATEWAY, vars: { ORIGIN: origin.url }, kv };
  const change = (modules, isolate) => (isolate === 1 ? unloadable(modules) : modules);
  const gateway = await startKeyward(t, { ...options, isolates: 2, change });
  const { strict, limited } = await createKeys(gateway, "acme", KEYS);
  const [, proxy] = gateway.urls;
  const managed = () => fetch(`${proxy}/_keyward/v1/projects`, { headers: { authorization: `Bearer ${SECRETS.KEYWARD_BOOTSTRAP_KEY}` } });

  assert.equal(await called(proxy, strict), "ok");
  assert.equal(await called(proxy, limited), "ok");
  assert.equal(await called(proxy, { secret: "forged" }), "key_invalid");
  assert.equal((await fetch(`${proxy}/_keyward/healthz`)).status, 200);
  assert.equal((await managed()).status, 500);
  assert.equal(await called(proxy, strict), "ok");

  // Where the objects are, their modules are needed.
  const alone = await startKeyward(t, { ...options, change: unloadable });
  assert.equal(await called(alone.url, strict), "meter_unavailable");
});
