// What a rotation of the deployment's secret meets late: an entry that is taken out and comes back,
// and a seal that was still made under the older entry.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { newSecret } from "./harness/account.mjs";
import { fault } from "./harness/kv.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { eventually, ManagementClient, recordsOf, startRegistries } from "./harness/registry.mjs";
import { seal } from "./harness/seal.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
const LATE_SENDER = { name: "src/late-sender.mjs", path: fileURLToPath(new URL("harness/late-sender.mjs", import.meta.url)) };

const OLD = SECRETS.KEYWARD_SECRET;
const NEW = `b2:${Buffer.from("the-next-entry-of-the-secret-0123").toString("base64url")}`;
const BOTH = { KEYWARD_SECRET: `${NEW},${OLD}` };

const entries = async (api) => Object.fromEntries((await api.must("GET", "/projects/p/publication")).entries.map((entry) => [entry.id, entry]));
const standing = (kv, id) => recordsOf(kv, id).map(({ entry, status }) => [entry, status]).sort();

/** Runs `work` on the database of the only project's registry; the gateway is killed for that. */
async function inRegistry(gateway, work, restart = () => gateway.restart()) {
  await gateway.kill();
  const found = [];
  for (const file of readdirSync(join(gateway.objects, "ProjectRegistry")).filter((name) => name.endsWith(".sqlite"))) {
    const registry = new DatabaseSync(join(gateway.objects, "ProjectRegistry", file));
    if (registry.prepare("SELECT 1 FROM sqlite_master WHERE name = 'secret'").get()) found.push(work(registry));
    registry.close();
  }
  await restart();
  assert.equal(found.length, 1);
  return found[0];
}

test("an entry that leaves and comes back revives no key that was withdrawn meanwhile", async (t) => {
  const { gateway, kv, origin } = await startStage(t, { gateway: GATEWAY });
  const api = new ManagementClient(gateway);
  const restart = (vars) => gateway.restart({ vars: { ORIGIN: origin.url, ...vars } });
  await api.project("p");
  const { key } = await api.key("p");
  const { key: other } = await api.key("p");
  const { key: owned } = await api.key("p", { owner: "bob" });
  await restart(BOTH);
  await eventually(async () => (await entries(api)).a1.droppable_at !== undefined, 30_000);
  assert.deepEqual(standing(kv, key.id), [["a1", "active"], ["b2", "active"]]);

  // An import that KV does not take keeps the registry from looking at what stands under b2.
  const known = new Set(kv.store.names());
  kv.break("put", fault.slow(new Promise(() => {})), { only: (name) => !known.has(name) });
  const lines = Array.from({ length: 20 }, (_, index) => ({ secret: `an-imported-secret-${index}-0123456789` }));
  await api.import("p", lines);
  await restart({ KEYWARD_SECRET: OLD });
  await api.change("p", key.id, "revoke");
  await api.must("POST", "/projects/p/owners:suspend", { owner: "bob" });
  await eventually(() => assert.deepEqual(standing(kv, key.id), [["a1", "revoked"], ["b2", "active"]]), 5000);
  await eventually(() => assert.deepEqual(standing(kv, owned.id), [["a1", "suspended"], ["b2", "active"]]), 5000);

  await restart(BOTH);
  await api.get("/projects/p/publication");
  await t.test("and what is withdrawn is written first, whatever else waits", async () => {
    await eventually(() => assert.deepEqual(standing(kv, key.id), [["a1", "revoked"], ["b2", "revoked"]]), 10_000);
    await eventually(() => assert.deepEqual(standing(kv, owned.id), [["a1", "suspended"], ["b2", "suspended"]]), 5000);
  });
  assert.deepEqual(standing(kv, other.id), [["a1", "active"], ["b2", "active"]]);
});

test("a seal that was made late under the older entry is made anew", async (t) => {
  const gateway = await startRegistries(t, { change: (modules) => [LATE_SENDER, ...modules] });
  const api = new ManagementClient(gateway);
  await api.project("p");
  const { key } = await api.key("p");
  const sealsOf = (registry) => registry.prepare("SELECT sealed FROM secret WHERE sealed <> '' ORDER BY rowid").all().map(({ sealed }) => sealed);
  const [old] = await inRegistry(gateway, sealsOf, () => gateway.restart({ vars: BOTH }));
  assert.match(old, /^2\.a1\./);
  /** What was sealed under the older entry for this secret. */
  const late = (digest) => seal({ project: "p", key: key.id, digest }, randomBytes(32));
  const moved = () => eventually(async () => (await entries(api)).a1.droppable_at !== undefined, 30_000);
  const under = (seals) => seals.map((seal) => seal.split(".")[1]);
  await moved();

  await t.test("when it comes with a change", async () => {
    const secret = newSecret();
    const act = { Rotate: { secret: { ...secret, sealed: late(secret.digest) }, rotation: { overlap_s: 60, at: null } } };
    const call = { by: "Keyward", ip: null, request_id: "req", idempotency: null, command: { Key: { id: key.id, if_match: null, act } } };
    const answer = await fetch(gateway.url, { method: "POST", headers: { "x-project-registry": "p" }, body: JSON.stringify(call) });
    assert.ok((await answer.json()).Changed);
    await moved();
    assert.deepEqual(under(await inRegistry(gateway, sealsOf)), ["b2", "b2"]);
  });

  await t.test("when the registry starts", async () => {
    await inRegistry(gateway, (registry) => {
      const digests = registry.prepare("SELECT digest FROM secret").all();
      for (const { digest } of digests) registry.prepare("UPDATE secret SET sealed = ? WHERE digest = ?").run(late(digest), digest);
    });
    await moved();
    assert.deepEqual(under(await inRegistry(gateway, sealsOf)), ["b2", "b2"]);
  });
});
