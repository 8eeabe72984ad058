// Publication to KV under a KV that fails, is slow, answers late, applies late, and lies: what the
// registry decided is what KV ends up with, and what the answers say is true.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "./harness/kv.mjs";
import { generator, pick } from "./harness/random.mjs";
import { eventually, ManagementClient, nameOf, record, records, startRegistries } from "./harness/registry.mjs";

// The registry's constants, in crates/control/src/registry: outbox.rs and publication.rs.
const SETTLE = 10_000;
const CAP = 30_000;
const PATIENCE = 2_000;

/** A gateway of its own with one project, `p`. */
async function start(t, options) {
  const keyward = await startRegistries(t, options);
  const api = new ManagementClient(keyward);
  await api.project("p");
  return { keyward, api, kv: keyward.kv };
}

/** A promise with its key: `open()` lets all pass who wait for `opened`. */
function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { opened, open };
}

/** The arrivals of writes of one name. */
const writes = (kv, name) =>
  kv.operations.filter((one) => one.name === name && ["put", "delete"].includes(one.operation));

/** Once a write of a name has been answered or its cap has passed, the next may come, not before. */
function assertOneInFlight(kv) {
  const names = new Set(kv.operations.map(({ name }) => name));
  for (const name of names) {
    const own = writes(kv, name);
    for (const [index, { at }] of own.entries()) {
      const before = own.slice(0, index).filter(({ answered }) => answered === null || answered > at);
      for (const other of before) {
        assert.ok(at - other.at >= CAP - 1000, `${name}: a write came ${at - other.at} ms after one in flight`);
      }
    }
  }
}

/** KV holds exactly what the registry says, key by key. */
async function assertSame(api, kv, project = "p") {
  const keys = [...(await api.keys(project)), ...(await api.all(`/projects/${project}/keys`, "status=deleted"))];
  const stored = records(kv);
  assert.deepEqual([...stored.keys()].sort(), keys.map(({ id }) => id).sort());
  for (const { id, version, status } of keys) {
    const { version: storedVersion, status: storedStatus } = stored.get(id);
    assert.deepEqual([id, storedVersion, storedStatus], [id, version, status]);
  }
}

describe("publication", { concurrency: 8 }, () => {
  test("an answer says published only when KV has acknowledged the record", async (t) => {
    const { api, kv } = await start(t);
    kv.break("put", fault.slow(700), { times: 1 });
    const asked = api.key("p");
    await eventually(() => kv.recorded("put").length === 1, 2000);
    assert.equal(kv.store.names().length, 0);
    const { key, publication } = await asked;
    assert.equal(publication, "published");
    assert.equal(records(kv).get(key.id).version, 1);
    for (const [change, status] of [["disable", "disabled"], ["enable", "active"], ["revoke", "revoked"]]) {
      assert.equal((await api.change("p", key.id, change)).publication, "published");
      assert.equal(records(kv).get(key.id).status, status);
    }
    assert.equal((await api.change("p", key.id, "delete")).publication, "published");
    assert.equal(records(kv).get(key.id).status, "deleted");
  });

  test("a slow KV is pending after two seconds, and the write goes on", async (t) => {
    const { api, kv } = await start(t);
    const slow = gate();
    kv.break("put", fault.slow(slow.opened), { times: 1 });
    const { key, publication, took } = await timed(() => api.key("p"));
    assert.equal(publication, "pending");
    assert.ok(took >= PATIENCE, `${took} ms`);
    slow.open();
    await eventually(() => records(kv).has(key.id), 6000);
    await sleep(1000);
    assert.equal(kv.operations.length, 1, "a write that is only slow is not repeated");
    await assertSame(api, kv);
  });

  for (const [words, behaviour] of Object.entries({
    "that fails": fault.fail(),
    "that is over its rate": fault.fail(429),
    "that fails after having applied": fault.errorAfterApplying(),
    "that drops the connection": fault.drop(),
  })) {
    test(`a KV ${words} is asked again until it holds, and once more after the settling delay`, async (t) => {
      const { api, kv, keyward } = await start(t);
      const { key } = await api.key("p");
      kv.break("put", behaviour, { times: 3 });
      const name = nameOf(kv, key.id);
      const { publication } = await api.change("p", key.id, "revoke");
      assert.equal(publication, "pending");
      assert.ok(writes(kv, name).length < 4, "an error is not waited for: as long as that, two more have come");
      await eventually(() => writes(kv, name).length === 6, 7500 + SETTLE + 3000);
      const [, first, second, third, fourth, last] = writes(kv, name);
      assert.ok(second.at - first.answered >= 450, "the first retry comes after half a second at the earliest");
      assert.ok(third.at - second.answered >= 950, "then it takes longer");
      assert.ok(last.at - third.answered >= SETTLE, "the last word is spoken after the settling delay");
      assert.ok(fourth.at < third.answered + SETTLE);
      await eventually(async () => (await api.change("p", key.id, "revoke")).publication === "published", 2000);
      await assertSame(api, kv);
      assertOneInFlight(kv);
      assert.ok(!/KV PUT failed|Network connection lost/.test(ours(keyward.log)), "the runtime's error text is logged");
    });
  }

  test("a key is pending as long as a write is unaccounted for", async (t) => {
    const { api, kv } = await start(t);
    kv.break("put", fault.errorAfterApplying(), { times: 1 });
    const { key } = await api.key("p");
    await eventually(() => kv.recorded("put").length === 2, 2000);
    await sleep(500);
    assert.equal((await api.change("p", key.id, "enable")).publication, "pending", "the settling delay is not over");
    await eventually(async () => (await api.change("p", key.id, "enable")).publication === "published", SETTLE + 2000);
    assert.equal(kv.recorded("put").length, 3);
  });

  test("a write that fails and takes effect later does not outlive a newer one", async (t) => {
    const { api, kv } = await start(t);
    kv.break("put", { apply: "late", lateBy: 7000, status: 500 }, { times: 1 });
    const { key } = await api.key("p");
    await api.change("p", key.id, "revoke");
    await eventually(() => records(kv).get(key.id)?.status === "revoked", 3000);
    await eventually(() => records(kv).get(key.id).status === "active", 7000); // the late one
    await eventually(() => records(kv).get(key.id).status === "revoked", SETTLE + 2000);
    await assertSame(api, kv);
  });

  test("an acknowledged write that takes effect later does not outlive a newer one", async (t) => {
    const { api, kv } = await start(t);
    kv.break("put", fault.applyLate(4000), { times: 1 });
    const { key } = await api.key("p");
    await api.change("p", key.id, "delete");
    await eventually(() => records(kv).get(key.id)?.status === "active", 5000); // the late one
    await eventually(() => records(kv).get(key.id).status === "deleted", SETTLE + 2000);
    await assertSame(api, kv);
  });

  test("changes during a slow write wait for it, and only the newest is written", async (t) => {
    const { api, kv } = await start(t);
    kv.break("put", fault.answerLate(9000), { times: 1 });
    const { key } = await api.key("p");
    for (const change of ["disable", "enable", "disable"]) {
      assert.equal((await api.change("p", key.id, change)).publication, "pending");
    }
    await eventually(() => kv.recorded("put").length === 2, 9000);
    const [first, second] = kv.recorded("put");
    assert.ok(second.at >= first.answered && second.at < first.answered + SETTLE / 2, "it follows at once");
    const { version, status } = record(second.text);
    assert.deepEqual([version, status], [4, "disabled"]);
    await assertSame(api, kv);
  });

  test("a write that never ends is given up after thirty seconds, and cannot win when it ends after all", async (t) => {
    const { api, kv } = await start(t);
    const hung = gate();
    kv.break("put", fault.slow(hung.opened), { times: 1 });
    const { key } = await api.key("p");
    await api.change("p", key.id, "revoke");
    await eventually(() => records(kv).get(key.id)?.status === "revoked", CAP + 8000);
    const [first, second] = kv.recorded("put");
    assert.ok(second.at - first.at >= CAP - 1000, `${second.at - first.at} ms`);
    await eventually(() => kv.recorded("put").length === 3, SETTLE + 8000);
    hung.open(); // the oldest value lands last
    await eventually(() => kv.recorded("put").length >= 4, 3000);
    await sleep(500);
    await assertSame(api, kv);
    assertOneInFlight(kv);
  });

  test("withdrawals go before everything else, and few writes are in flight", async (t) => {
    const { api, kv } = await start(t);
    const stuck = gate();
    kv.break("put", fault.slow(stuck.opened));
    const created = await Promise.all(Array.from({ length: 30 }, () => api.key("p")));
    assert.ok(created.every(({ publication }) => publication === "pending"));
    assert.equal(kv.operations.length, 4, "slow grants leave room");
    const started = new Set(kv.operations.map(({ text }) => record(text).key_id));
    const waiting = created.map(({ key }) => key.id).filter((id) => !started.has(id));
    const withdrawn = waiting.slice(-6);
    const changes = ["revoke", "disable", "revoke", "disable", "revoke", "disable"];
    await Promise.all(withdrawn.map((id, index) => api.change("p", id, changes[index])));
    assert.equal(kv.operations.length, 6, "withdrawals use the room, which has an end");
    kv.repair();
    stuck.open();
    await eventually(() => records(kv).size === 30, 10_000);
    const order = kv.operations.slice(4, 10).map(({ text }) => record(text).key_id);
    assert.deepEqual(order.sort(), withdrawn.sort());
    await assertSame(api, kv);
  });

  test("a deleted key is withdrawn before others come into KV", async (t) => {
    const { api, kv } = await start(t);
    const { key } = await api.key("p");
    const name = nameOf(kv, key.id);
    const stuck = gate();
    kv.break("put", fault.slow(stuck.opened), { only: (asked) => asked !== name });
    await Promise.all(Array.from({ length: 10 }, () => api.key("p")));
    assert.equal((await api.change("p", key.id, "delete")).publication, "published");
    assert.equal(records(kv).get(key.id).status, "deleted");
    kv.repair();
    stuck.open();
    await eventually(() => assertSame(api, kv), 10_000);
  });

  test("what the registry has decided survives a crash at the moment a write leaves", async (t) => {
    const { api, kv, keyward } = await start(t);
    const never = gate();
    kv.break("put", fault.slow(never.opened), { times: 1 });
    const asked = api.key("p").catch(() => "lost");
    await eventually(() => kv.recorded("put").length === 1, 2000);
    await keyward.kill();
    assert.equal(await asked, "lost");
    await keyward.restart();
    // Nobody calls: the alarm alone brings the record into KV, and repeats it.
    await eventually(() => kv.store.names().length === 1, 8000);
    await eventually(() => kv.recorded("put").length === 3, SETTLE + 5000);
    await assertSame(api, kv);
    never.open();
  });

  test("a revocation survives a crash while KV is down", async (t) => {
    const { api, kv, keyward } = await start(t);
    const { key } = await api.key("p");
    kv.break("put", fault.fail());
    assert.equal((await api.change("p", key.id, "revoke")).publication, "pending");
    await keyward.kill();
    kv.repair();
    await keyward.restart();
    await eventually(() => records(kv).get(key.id).status === "revoked", 8000);
    assert.equal((await api.change("p", key.id, "revoke")).key.version, 2);
    await assertSame(api, kv);
  });

  test("during a rotation of the deployment's secret a change reaches the records of every entry in force", async (t) => {
    const KEYWARD_SECRET = ["b2", "a1", "-z0"].map((id) => `${id}:${btoa(id.padEnd(48, "x"))}`).join();
    const { api, kv } = await start(t, { vars: { KEYWARD_SECRET } });
    const { key } = await api.key("p");
    const entries = () => kv.store.names().map((name) => [name.split("/")[1], record(kv.text(name)).status]);
    assert.deepEqual(entries(), [["a1", "active"], ["b2", "active"]]);
    assert.equal((await api.change("p", key.id, "revoke")).publication, "published");
    assert.deepEqual(entries(), [["a1", "revoked"], ["b2", "revoked"]]);
    assert.equal((await api.change("p", key.id, "delete")).publication, "published");
    assert.deepEqual(entries(), [["a1", "deleted"], ["b2", "deleted"]]);
  });

  for (const seed of [1, 2, 3]) {
    test(`after random changes, faults and crashes KV holds what the registry says (seed ${seed})`, async (t) => {
      const { api, kv, keyward } = await start(t);
      const random = generator(seed);
      const ids = [];
      const honest = [];
      const faults = [
        fault.fail(),
        fault.slow(1500),
        fault.answerLate(3000),
        fault.errorAfterApplying(),
        fault.drop(),
        { apply: "late", lateBy: 3000, status: 500 },
      ];
      const until = Date.now() + 15_000;
      let crashes = 0;
      while (Date.now() < until) {
        const breaks = ["put", "delete"].map((operation) =>
          kv.break(operation, pick(random, faults), { times: Math.ceil(random() * 3) }),
        );
        const calls = Array.from({ length: 4 }, () => step(api, kv, random, ids, honest));
        if (crashes < 3 && random() < 0.12) {
          crashes += 1;
          await sleep(random() * 200);
          await keyward.kill();
          await keyward.restart();
        }
        await Promise.all(calls);
        await sleep(random() * 400);
        if (random() < 0.3) breaks.forEach((end) => end());
      }
      kv.repair();
      await eventually(() => assertSame(api, kv), 20_000);
      await eventually(async () => (await publications(api)).every((one) => one === "published"), 40_000);
      const before = kv.operations.length;
      await assertSame(api, kv);
      await sleep(6000);
      await assertSame(api, kv);
      t.diagnostic(`${ids.length} keys, ${before} writes, ${crashes} crashes, ${honest.length} answers published`);
      assert.deepEqual(honest.filter((problem) => problem), [], "published was not true");
    });
  }
});

async function timed(call) {
  const began = Date.now();
  return { ...(await call()), took: Date.now() - began };
}

/** What the gateway itself has logged, without the runtime's own lines. */
const ours = (log) => log.split("\n").filter((line) => /publication|registry/.test(line)).join("\n");

/** One random change; calls that a crash cuts off are no error. */
async function step(api, kv, random, ids, honest) {
  const create = ids.length < 5 || random() < 0.25;
  const id = pick(random, ids);
  const change = pick(random, ["disable", "enable", "disable", "enable", "revoke", "delete"]);
  try {
    const answer = create ? await api.key("p") : await api.change("p", id, change);
    if (create) ids.push(answer.key.id);
    if (answer.publication === "published") honest.push(contradiction(kv, answer.key));
  } catch (error) {
    if (!/fetch failed|terminated|: 404 |: 409 |: 503 |other side closed/.test(String(error))) throw error;
  }
}

/** What KV has that contradicts an answer which says published. */
function contradiction(kv, { id, version }) {
  const name = nameOf(kv, id);
  const text = name && kv.text(name);
  if (text === undefined) return `${id} is missing`;
  return record(text).version >= version ? null : `${id} is older than version ${version}`;
}

async function publications(api) {
  const keys = await api.keys("p");
  const repeat = { active: "enable", disabled: "disable", revoked: "revoke" };
  return Promise.all(keys.map(async ({ id, status }) => (await api.change("p", id, repeat[status])).publication));
}
