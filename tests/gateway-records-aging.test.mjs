// Isolate memory as time passes, in real time: a record is fresh for 10 s, refreshed in the background
// until 30 s, read again after that, and serves up to `stale_if_error` only when KV says nothing.
// The keys are eventual and there are no meters, so that KV alone decides; what meters say of a record
// that KV still has is in revocation.test.mjs.
// Everything runs side by side, so that the file takes little longer than its longest wait.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "./harness/kv.mjs";
import { assertRefusal } from "./harness/problem.mjs";
import { nameOf } from "./harness/record.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
const FRESH_MS = 10_000;
const HARD_MS = 30_000;

/** Keys that are each of one subtest: they share a gateway and a KV, and nothing else. */
const KEYS = [
  "revoked", "deleted", "changed", "replayed", "quiet", "slowRefresh", "failedRefresh", "tamperedRefresh", "hardLimit", "stale", "staleSlow",
  "staleTampered", "unknown",
];

test("isolate memory as time passes", { concurrency: true, timeout: 90_000 }, async (t) => {
  const keys = Object.fromEntries(KEYS.map((key) => [key, { kind: "private" }]));
  const start = (options) => startStage(t, { gateway: GATEWAY, project: { revocation: "eventual" }, without: () => ["METERS"], ...options });
  const stage = await start({ keys });
  const strict = await start({ gateway: `[gateway]\nstale_if_error_s = 0\n${GATEWAY}`, keys: { one: { kind: "private" } } });
  const short = await start({ gateway: `[gateway]\nstale_if_error_s = 32\n${GATEWAY}`, keys: { one: { kind: "private" } } });

  const name = (key, on = stage) => nameOf(on.kv, on.created[key]);
  const reads = (key, on = stage) => on.kv.recorded("get").filter((read) => read.name === name(key, on)).length;
  const breaks = (key, behaviour, on = stage) => on.kv.break("get", behaviour, { only: (asked) => asked === name(key, on) });
  const change = (key, action) => stage.api.changeKey("acme", stage.created[key].key.id, action);
  const code = async (key, on = stage) => {
    const answer = await on.call("/x", { key });
    return answer.status === 200 ? "ok" : answer.json().code;
  };
  /** The time from which the record of a key is counted, at the latest. */
  const warmed = async (key, on = stage) => {
    assert.equal(await code(key, on), "ok");
    const since = Date.now();
    return { at: (ms) => sleep(Math.max(0, since + ms - Date.now())), since };
  };
  /** Calls until the background has caught up. */
  const settles = async (key, expected) => {
    for (const limit = Date.now() + 15_000; (await code(key)) !== expected; await sleep(50)) assert.ok(Date.now() < limit, `not ${expected}`);
  };

  await Promise.all([
    ...[["revoked", "revoke", "key_revoked"], ["changed", "disable", "key_disabled"]].map(([key, action, expected]) =>
      t.test(`after 10 s a refresh in the background sees that a key is ${expected}`, async () => {
        const clock = await warmed(key);
        await change(key, action);
        await clock.at(FRESH_MS - 1500);
        assert.deepEqual([await code(key), reads(key)], ["ok", 1], "fresh: KV is not looked at");
        await clock.at(FRESH_MS + 200);
        assert.equal(await code(key), "ok", "the call that starts the refresh does not wait for it");
        await settles(key, expected);
        assert.equal(reads(key), 2);
      }),
    ),

    t.test("after 10 s a refresh in the background sees that a key is deleted", async () => {
      const clock = await warmed("deleted");
      await stage.api.deleteKey("acme", stage.created.deleted.key.id);
      await clock.at(FRESH_MS + 200);
      assert.equal(await code("deleted"), "ok");
      await settles("deleted", "key_invalid");
    }),

    t.test("a replayed older record never brings a key back", async () => {
      const active = stage.kv.text(name("replayed"));
      await change("replayed", "disable");
      assert.equal(await code("replayed"), "key_disabled");
      const since = Date.now();
      stage.kv.put(name("replayed"), active);
      await sleep(since + FRESH_MS + 200 - Date.now());
      for (let n = 0; n < 10; n += 1) {
        assert.equal(await code("replayed"), "key_disabled");
        await sleep(50);
      }
      assert.equal(reads("replayed"), 2, "KV was looked at");
    }),

    t.test("a key that nobody uses is not refreshed", async () => {
      const clock = await warmed("quiet");
      await clock.at(FRESH_MS + 4000);
      assert.equal(reads("quiet"), 1);
    }),

    t.test("one refresh at a time, and nobody waits for it", async () => {
      const clock = await warmed("slowRefresh");
      breaks("slowRefresh", fault.slow(20_000));
      await clock.at(FRESH_MS + 200);
      const begun = Date.now();
      await Promise.all(Array.from({ length: 10 }, async () => assert.equal(await code("slowRefresh"), "ok")));
      assert.ok(Date.now() - begun < 1500, "ten calls did not wait");
      assert.equal(reads("slowRefresh"), 2);
      await sleep(2200);
      for (let n = 0; n < 3; n += 1) assert.equal(await code("slowRefresh"), "ok");
      assert.equal(reads("slowRefresh"), 3, "the mark of a refresh that got lost expires after 2 s");
    }),

    t.test("a refresh that fails leaves what is known", async () => {
      const clock = await warmed("failedRefresh");
      const repair = breaks("failedRefresh", fault.fail());
      await change("failedRefresh", "disable");
      await clock.at(FRESH_MS + 200);
      for (let n = 0; n < 5; n += 1) assert.equal(await code("failedRefresh"), "ok");
      repair();
      await sleep(2200);
      await code("failedRefresh");
      await settles("failedRefresh", "key_disabled");
    }),

    t.test("a refresh that reads what is not understood ends what is known", async () => {
      const clock = await warmed("tamperedRefresh");
      stage.kv.put(name("tamperedRefresh"), "9.a1.later\n{}");
      await clock.at(FRESH_MS + 200);
      assert.equal(await code("tamperedRefresh"), "ok");
      await settles("tamperedRefresh", "store_unavailable");
    }),

    t.test("after 30 s a call waits for KV, and decides by what it says", async () => {
      const clock = await warmed("hardLimit");
      await change("hardLimit", "revoke");
      breaks("hardLimit", fault.slow(700));
      await clock.at(HARD_MS + 300);
      const begun = Date.now();
      assert.equal(await code("hardLimit"), "key_revoked");
      assert.ok(Date.now() - begun >= 690, "it waited");
    }),

    ...[["stale", fault.fail()], ["staleSlow", fault.slow(20_000)]].map(([key, behaviour]) =>
      t.test(`after 30 s a record still serves while KV says nothing: ${key}`, async () => {
        const clock = await warmed(key);
        const repair = breaks(key, behaviour);
        await clock.at(HARD_MS + 300);
        for (let n = 0; n < 2; n += 1) assert.equal(await code(key), "ok");
        await change(key, "revoke");
        repair();
        assert.equal(await code(key), "key_revoked", "it is read again as soon as KV answers");
      }),
    ),

    t.test("after 30 s a record does not serve when KV holds what is not understood", async () => {
      const clock = await warmed("staleTampered");
      stage.kv.put(name("staleTampered"), "1.a1.forged\n{}");
      await clock.at(HARD_MS + 300);
      for (let n = 0; n < 2; n += 1) assert.equal(await code("staleTampered"), "store_unavailable");
    }),

    ...[["0 s", strict, HARD_MS - 1500, HARD_MS + 300], ["32 s", short, HARD_MS + 300, HARD_MS + 3000]].map(([limit, on, serves, refuses]) =>
      t.test(`with stale_if_error of ${limit} a record that is older is refused while KV fails`, async () => {
        const clock = await warmed("one", on);
        breaks("one", fault.fail(), on);
        await clock.at(serves);
        assert.equal(await code("one", on), "ok");
        await clock.at(refuses);
        assertRefusal(await on.call("/x", { key: "one" }), "store_unavailable");
      }),
    ),

    t.test("that a key is unknown is remembered for 10 s", async () => {
      const value = stage.kv.text(name("unknown"));
      stage.kv.delete(name("unknown"));
      assert.equal(await code("unknown"), "key_invalid");
      const since = Date.now();
      stage.kv.put(name("unknown"), value);
      await sleep(since + FRESH_MS - 1500 - Date.now());
      assert.deepEqual([await code("unknown"), reads("unknown")], ["key_invalid", 1]);
      await sleep(since + FRESH_MS + 200 - Date.now());
      assert.deepEqual([await code("unknown"), reads("unknown")], ["ok", 2]);
    }),
  ]);
  await t.test("no secret is in the log", () => [stage, strict, short].forEach((one) => one.assertNoSecret(one.gateway.log)));
});
