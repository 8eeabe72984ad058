// Times of keys, to the second: on the edge and in the registries, by a clock that the test moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "./harness/kv.mjs";
import { nameOf, opened } from "./harness/record.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEGINS = Date.parse("2030-01-01T00:00:00Z");
const ENDS = Date.parse("2030-06-01T12:00:00Z");

const written = (time) => new Date(time).toISOString();
const code = async (stage, key) => {
  const answer = await stage.call("/x", { key });
  return answer.status === 200 ? "ok" : answer.json().code;
};

test("a key holds from its not_before until just before its expires_at, to the second and to the millisecond", async (t) => {
  const keys = { one: { kind: "private", not_before: written(BEGINS), expires_at: written(ENDS) } };
  const stage = await startStage(t, { gateway: GATEWAY, keys, clock: true });
  const { clock } = stage.gateway;
  await clock.stop();
  for (const [time, expected] of [
    [BEGINS - SECOND, "key_not_yet_valid"],
    [BEGINS - 1, "key_not_yet_valid"],
    [BEGINS, "ok"],
    [BEGINS + SECOND, "ok"],
    [ENDS - SECOND, "ok"],
    [ENDS - 1, "ok"],
    [ENDS, "key_expired"],
    [ENDS + DAY, "key_expired"],
  ]) {
    await clock.advanceTo(time);
    assert.equal(await code(stage, "one"), expected, written(time));
  }
});

test("a warm key ends at its second in every isolate, without a look at KV", async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, clock: true, isolates: 2, keys: { one: { kind: "private", expires_at: written(ENDS) } } });
  const { clock, urls } = stage.gateway;
  await clock.stop();
  await clock.advanceTo(ENDS - SECOND);
  for (const [time, expected] of [[ENDS - SECOND, 200], [ENDS - 1, 200], [ENDS, 401]]) {
    await clock.advanceTo(time);
    for (const url of urls) {
      const { status } = await fetch(`${url}/x`, { headers: { "x-api-key": stage.keys.one } });
      assert.equal(status, expected, `${url} ${written(time)}`);
    }
  }
  assert.equal(stage.reads, urls.length);
});

test("a registry writes down the time of the test, and a running clock goes on from where it was moved to", async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, clock: true });
  const { clock } = stage.gateway;
  await clock.advanceTo(BEGINS);
  const { key } = await stage.api.createKey("acme", { name: "late" });
  const created = Date.parse(key.created_at);
  assert.ok(created >= BEGINS && created < BEGINS + 10 * SECOND, key.created_at);
  await sleep(50);
  assert.ok(clock.now() >= BEGINS + 50);
  await clock.stop();
  const stopped = clock.now();
  await clock.advance(DAY);
  const second = await stage.api.createKey("acme", { name: "later" });
  assert.equal(Date.parse(second.key.created_at), stopped + DAY);
});

for (const restarts of [false, true]) {
  test(`an alarm rings when its time comes, and not before${restarts ? ", also after a restart" : ""}`, async (t) => {
    const stage = await startStage(t, { gateway: GATEWAY, keys: { one: { kind: "private" } }, clock: true });
    const { clock } = stage.gateway;
    await clock.stop();
    const name = nameOf(stage.kv, stage.created.one);
    const status = () => JSON.parse(opened(stage.kv.text(name)).json).status;
    const repair = stage.kv.break("put", fault.fail());
    const { publication } = await stage.api.changeKey("acme", stage.created.one.key.id, "revoke");
    assert.equal(publication, "pending");
    repair();
    if (restarts) await stage.gateway.restart();
    // In real time the registry would have tried again long ago.
    await sleep(2500);
    assert.equal(status(), "active");
    await clock.advance(15 * SECOND);
    for (const limit = Date.now() + 30_000; status() !== "revoked"; await sleep(20)) assert.ok(Date.now() < limit, "the alarm has not rung");
  });
}
