// Publication when more than one thing is owed: what withdraws many keys does not wait for an
// import, and a name whose key is purged while its secret comes back belongs to the newest.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { fault } from "./harness/kv.mjs";
import { eventually, ManagementClient, recordsOf, startRegistries } from "./harness/registry.mjs";

const DAY = 86_400_000;
const SETTLE = 10_000;
const CAP = 30_000;

async function start(t, options) {
  const keyward = await startRegistries(t, options);
  const api = new ManagementClient(keyward);
  await api.project("p");
  return { keyward, api, kv: keyward.kv };
}

/** A line of an import, always with the same secret. */
const line = { name: "legacy", sha256: createHash("sha256").update("a-legacy-secret-0123456789").digest("hex") };
const imported = async (api) => (await api.import("p", [line])).body.keys[0].id;

describe("publication", { concurrency: 4 }, () => {
  test("a suspension during an import with a slow KV does not wait for the import", async (t) => {
    const { api, kv } = await start(t);
    const { key } = await api.key("p", { owner: "bob" });
    kv.break("put", fault.slow(500));
    const lines = Array.from({ length: 300 }, (_, index) => ({ sha256: createHash("sha256").update(`${index}`).digest("hex") }));
    const importing = api.import("p", lines);
    await eventually(() => kv.recorded("put").length > 4, 20_000);
    await api.must("POST", "/projects/p/owners:suspend", { owner: "bob" });
    await eventually(() => assert.equal(recordsOf(kv, key.id)[0].status, "suspended"), 10_000);
    assert.ok(kv.store.names().length < 200, "the import is far from its end");
    assert.equal((await importing).status, 200);
  });

  test("what is written once more waits half a minute for what KV does not have, and no longer", async (t) => {
    const { api, kv, keyward } = await start(t, { clock: true });
    const lines = Array.from({ length: 400 }, (_, index) => ({ owner: "bob", sha256: createHash("sha256").update(`many ${index}`).digest("hex") }));
    await api.import("p", lines);
    await eventually(async () => (await api.get("/projects/p/publication")).body.outbox.pending === 0, 20_000);
    kv.break("put", fault.slow(200));
    await api.must("POST", "/projects/p/owners:suspend", { owner: "bob" });
    const told = () => kv.recorded("put").slice(lines.length).map(({ name }) => name);
    const again = () => told().length - new Set(told()).size;
    await eventually(() => assert.ok(told().length > 20), 10_000);
    await keyward.clock.advance(SETTLE + 10_000);
    const then = told().length;
    await eventually(() => assert.ok(told().length > then + 20), 10_000);
    assert.equal(again(), 0, "it is due, and what KV does not have goes before");
    await keyward.clock.advance(SETTLE + 11_000);
    await eventually(() => assert.ok(again() > 5), 10_000);
    const some = told();
    assert.ok(new Set(some).size < lines.length, "KV does not have all yet");
    assert.ok(again() * 3 < some.length - then, "most places are for what KV does not have");
    kv.repair();
    await keyward.clock.advance(SETTLE + 1000);
    await eventually(async () => (await api.get("/projects/p/publication")).body.outbox.pending === 0, 20_000);
  });

  test("a secret that is imported again while its purged key's record still has to go", async (t) => {
    const { api, kv, keyward } = await start(t, { clock: true });
    const first = await imported(api);
    await eventually(() => assert.equal(recordsOf(kv, first).length, 1), 5000);
    await api.change("p", first, "delete");
    await keyward.clock.advance(SETTLE + 1000);
    kv.break("delete", fault.fail());
    await keyward.clock.advance(30 * DAY);
    await eventually(() => assert.ok(kv.recorded("delete").length > 0), 5000);
    const second = await imported(api);
    assert.notEqual(second, first);
    kv.repair();
    for (let times = 0; times < 3; times += 1) await keyward.clock.advance(2 * SETTLE);
    await eventually(() => assert.equal(recordsOf(kv, second)[0]?.status, "active"), 5000);
  });

  test("a removal that ends long after it was given up takes nothing from the secret's next key", async (t) => {
    const { api, kv, keyward } = await start(t, { clock: true });
    const first = await imported(api);
    await eventually(() => assert.equal(recordsOf(kv, first).length, 1), 5000);
    await api.change("p", first, "delete");
    await keyward.clock.advance(SETTLE + 1000);
    let open;
    kv.break("delete", fault.slow(new Promise((resolve) => (open = resolve))), { times: 1 });
    await keyward.clock.advance(30 * DAY);
    await eventually(() => assert.equal(kv.recorded("delete").length, 1), 5000);
    await keyward.clock.advance(CAP + 1000);
    await eventually(() => assert.ok(kv.recorded("delete").length > 1), 10_000);
    await keyward.clock.advance(SETTLE + 1000);
    await eventually(async () => (await api.get("/projects/p/publication")).body.outbox.pending === 0, 10_000);
    const second = await imported(api);
    await eventually(() => assert.equal(recordsOf(kv, second).length, 1), 5000);
    const before = kv.operations.length;
    open();
    await eventually(() => assert.ok(kv.operations.length > before), 5000);
    for (let times = 0; times < 2; times += 1) await keyward.clock.advance(SETTLE + 1000);
    await eventually(() => assert.equal(recordsOf(kv, second)[0]?.status, "active"), 5000);
  });

  test("a record says the same for as long as its version is the same", async (t) => {
    const { api, kv, keyward } = await start(t, { clock: true });
    const ids = [];
    for (const change of ["revoke", "delete"]) {
      const { key } = await api.key("p");
      await api.change("p", key.id, change);
      ids.push(key.id);
    }
    // What is written twice is through.
    await keyward.clock.advance(SETTLE + 1000);
    const said = () => ids.map((id) => recordsOf(kv, id)[0]);
    const before = said();
    const written = kv.operations.length;
    assert.equal((await api.patch("/projects/p", { max_age_s: 90 * 86_400 })).status, 200);
    await api.must("POST", "/projects/p/republish", {});
    await eventually(() => assert.ok(kv.operations.length >= written + ids.length), 5000);
    await eventually(async () => (await api.get("/projects/p/publication")).body.outbox.pending === 0, 5000);
    assert.deepEqual(said(), before);
  });
});
