// The deployment's secret is rotated: two entries in force, everything published anew under the
// current one, the moment at which the old one may go, and an old one that had to go at once.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { derive } from "../clients/derive.mjs";
import { fault } from "./harness/kv.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { eventually, ManagementClient, recordsOf } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
accepts = ["public", "private", "derived"]
`;
const MINUTE = 60_000;
/** Isolate memory serves no record that is older. */
const STALE = 30_001;

const OLD = SECRETS.KEYWARD_SECRET;
const NEW = `b2:${Buffer.from("the-next-entry-of-the-secret-0123").toString("base64url")}`;
const BOTH = { KEYWARD_SECRET: `${NEW},${OLD}` };
const RETIRED = { KEYWARD_SECRET: `${NEW},-${OLD}` };

/** A stage with keys in every state under the old entry, and what the edge says to each: { secret: code or "" }. */
async function start(t) {
  const stage = await startStage(t, { gateway: GATEWAY, clock: true });
  const api = new ManagementClient(stage.gateway);
  await api.project("p");
  const made = {};
  for (const name of ["plain", "stopped", "gone", "deleted", "turned", "owned", "changing"]) made[name] = await api.key("p", { name, owner: name });
  const path = (name) => `/projects/p/keys/${made[name].key.id}`;
  await api.must("POST", `${path("stopped")}/disable`);
  await api.must("POST", `${path("gone")}/revoke`);
  await api.must("DELETE", path("deleted"));
  const { secret: newer } = await api.must("POST", `${path("turned")}/rotate`, { overlap: 86_400 });
  await api.must("POST", "/projects/p/owners:suspend", { owner: "owned" });
  const expected = new Map([
    [made.plain.secret, ""],
    [made.stopped.secret, "key_disabled"],
    [made.gone.secret, "key_revoked"],
    [made.deleted.secret, "key_invalid"],
    [made.turned.secret, ""],
    [newer, ""],
    [made.owned.secret, "key_disabled"],
    [made.changing.secret, ""],
  ]);
  const { clock } = stage.gateway;
  // What is derived from a key fares as the key does.
  const derived = new Map();
  for (const secret of expected.keys()) derived.set(secret, await derive(secret, { now: clock.now(), expiresIn: 86_400_000 }));
  return Object.assign(stage, { api, clock, made, path, expected, derived });
}

/** The edge has forgotten what it knew, and says to each key what it must. */
async function assertEdge(stage) {
  await stage.clock.advance(STALE);
  const calls = [...stage.expected, ...[...stage.derived].map(([secret, token]) => [token, stage.ofDerived ?? stage.expected.get(secret)])];
  for (const [key, code] of calls) await (code ? stage.refuses(code, "/x", { key }) : stage.passes("/x", { key }));
}

/** Restarts with another value of KEYWARD_SECRET. */
const restart = (stage, vars) => stage.gateway.restart({ vars: { ORIGIN: stage.origin.url, ...vars } });
/** What the publication says of the entries, by id. */
const entries = async ({ api }) => Object.fromEntries((await api.must("GET", "/projects/p/publication")).entries.map((entry) => [entry.id, entry]));
const finished = (stage) => eventually(async () => {
  const { b2 } = await entries(stage);
  return b2.records > 0 && b2.published === b2.records;
}, 10_000);
/** The entries under which a key's records stand in KV. */
const standing = ({ kv, made }, name) => [...new Set(recordsOf(kv, made[name].key.id).map(({ entry }) => entry))].sort();

/** The entries under which the registry keeps seals; the gateway is killed to look. */
async function seals({ gateway }) {
  await gateway.kill();
  const found = new Set();
  for (const file of readdirSync(join(gateway.objects, "ProjectRegistry")).filter((name) => name.endsWith(".sqlite"))) {
    const registry = new DatabaseSync(join(gateway.objects, "ProjectRegistry", file));
    if (registry.prepare("SELECT 1 FROM sqlite_master WHERE name = 'secret'").get()) {
      for (const { sealed } of registry.prepare("SELECT sealed FROM secret WHERE sealed <> ''").all()) found.add(sealed.split(".")[1]);
    }
    registry.close();
  }
  await gateway.restart();
  return [...found].sort();
}

test("a rotation: every key works before, while and after, and the old entry goes when it may", async (t) => {
  const stage = await start(t);
  const { api, path, made, kv, expected } = stage;
  await assertEdge(stage);
  const before = await entries(stage);
  assert.deepEqual(Object.keys(before), ["a1"]);
  assert.deepEqual([before.a1.state, before.a1.published === before.a1.records, before.a1.droppable_at], ["current", true, undefined]);

  await t.test("with both in force, keys work under the old entry until they are under the new", async () => {
    kv.break("put", fault.fail(), { only: (name) => name.split("/")[1] === "b2" });
    await restart(stage, BOTH);
    await assertEdge(stage);
    assert.deepEqual(standing(stage, "plain"), ["a1"]);
    const { b2, a1 } = await entries(stage);
    assert.deepEqual([b2.state, a1.state, a1.droppable_at], ["current", "in_force", undefined]);
    assert.ok(b2.published < b2.records);
    made.late = await api.key("p", { name: "late" });
    expected.set(made.late.secret, "");
    assert.deepEqual([made.late.publication, standing(stage, "late")], ["pending", ["a1"]], "a location that has not heard of the new entry finds it");
    const { replicas } = await api.must("GET", `${path("plain")}/where`);
    assert.deepEqual(replicas.map(({ entry, state }) => [entry, state]).sort(), [["a1", "current"], ["b2", "missing"]]);
    await assertEdge(stage);
  });

  await t.test("republication brings every record under the new entry, changes in between with it", async () => {
    kv.repair();
    const begun = await api.post("/projects/p/republish");
    assert.equal(begun.status, 202, begun.text);
    assert.ok(begun.body.entries.some(({ id, state }) => id === "b2" && state === "current"));
    await api.patch(path("changing"), { paths: ["GET /only"] });
    await api.must("POST", "/projects/p/owners:resume", { owner: "owned" });
    await api.must("POST", "/projects/p/owners:suspend", { owner: "plain" });
    expected.set(made.changing.secret, "path_denied").set(made.owned.secret, "").set(made.plain.secret, "key_disabled");
    await finished(stage);
    for (const name of Object.keys(made)) assert.deepEqual(standing(stage, name), ["a1", "b2"], name);
    for (const name of Object.keys(made)) {
      const { version } = (await api.get(path(name))).body;
      await eventually(() => recordsOf(kv, made[name].key.id).every((record) => record.version === version), 10_000);
    }
    await assertEdge(stage);
  });

  await t.test("the old entry may go eleven minutes after everything has moved, seals too", async () => {
    await eventually(async () => (await entries(stage)).a1.droppable_at !== undefined, 30_000);
    const { a1, b2 } = await entries(stage);
    const wait = Date.parse(a1.droppable_at) - Date.parse(b2.finished_at);
    assert.ok(wait >= 10 * MINUTE && wait <= 11 * MINUTE, `${wait} ms after the last record`);
    assert.equal(b2.droppable_at, undefined, "the current one never");
    assert.deepEqual(await seals(stage), ["b2"]);
    const { replicas } = await api.must("GET", `${path("stopped")}/where`);
    assert.deepEqual(replicas.map(({ entry, state }) => [entry, state]).sort(), [["a1", "current"], ["b2", "current"]]);
    await stage.clock.advanceTo(Math.max(Date.parse(a1.droppable_at), stage.clock.now()));
  });

  await t.test("without the old entry every key goes on, and so do the calls that manage them", async () => {
    await restart(stage, RETIRED);
    for (const name of kv.store.names().filter((one) => one.split("/")[1] === "a1")) kv.delete(name);
    await assertEdge(stage);
    const { a1 } = await entries(stage);
    assert.equal(a1?.state ?? "retired", "retired");
    await api.must("POST", "/projects/p/owners:resume", { owner: "plain" });
    await api.must("POST", `${path("stopped")}/enable`);
    await api.must("POST", `${path("deleted")}/undelete`);
    expected.set(made.plain.secret, "").set(made.stopped.secret, "").set(made.deleted.secret, "");
    await eventually(() => recordsOf(kv, made.plain.key.id)[0].status === "active", 5000);
    for (const name of Object.keys(made)) assert.deepEqual(standing(stage, name), ["b2"], name);
    await assertEdge(stage);
  });
});

test("a leaked entry that is retired at once loses no key", async (t) => {
  const stage = await start(t);
  const { api, made, path, kv } = stage;
  await restart(stage, RETIRED);
  // Their derivation keys were sealed under the old entry, and who has that could mint as well.
  stage.ofDerived = "key_invalid";
  assert.equal((await api.get("/whoami")).status, 200, "a retired entry still verifies tags");
  await api.must("POST", "/projects/p/republish");
  await finished(stage);
  await assertEdge(stage);
  for (const name of Object.keys(made)) assert.ok(standing(stage, name).includes("b2"), name);
  const { key, secret } = await api.key("p", { name: "after" });
  stage.expected.set(secret, "").set(await derive(secret, { now: stage.clock.now() }), "");
  await api.must("POST", `${path("plain")}/rotate`, { overlap: 0 });
  stage.expected.set(made.plain.secret, "key_expired");
  assert.deepEqual([...new Set(recordsOf(kv, key.id).map(({ entry }) => entry))], ["b2"]);
  await assertEdge(stage);

  // Who has the old entry can write records under it, such as this one of a key when it was active.
  const [first] = kv.recorded("put").filter(({ name, text }) => name.startsWith("r/a1/") && text.includes(made.gone.key.id));
  kv.put(first.name, first.text);
  for (const { name, entry } of recordsOf(kv, made.gone.key.id)) if (entry === "b2") kv.delete(name);
  await stage.clock.advance(STALE);
  await stage.refuses("key_invalid", "/x", { key: made.gone.secret });
});
