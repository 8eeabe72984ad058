// Clients that leave while their call waits for a meter: what it was asked for is answered, and nobody
// else is refused, or let past a limit, for it.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SCOPED } from "./harness/scoped.mjs";
import { slowed } from "./harness/slowed.mjs";
import { startStage } from "./harness/stage.mjs";
import { outcomes } from "./harness/traffic.mjs";

const LEFT = 32;
/** They leave before the meter answers. */
const LEAVE_MS = 40;
/** Each call that left has had its unit, or not: the rest is for those that stay. */
const LIMIT = LEFT + 5;
/** An isolate waits no longer for a meter; then calls of a key that says so are let through without it. */
const PATIENCE_MS = 500;
/** Where a round that took as long as that has gone wrong, the machine may be too busy: the next one is tried. */
const ROUNDS = 10;
const limited = (on_meter_error) => ({ kind: "private", limits: { rate: [{ limit: LIMIT, window_s: 60 }], on_meter_error } });
const named = (on_meter_error) => Array.from({ length: ROUNDS }, (_, round) => `${on_meter_error}${round}`);

/** A call whose client leaves after so many milliseconds. */
async function leave(stage, key, ms) {
  const call = http.request({ port: stage.port, host: "127.0.0.1", path: "/x", agent: false, headers: { "x-api-key": stage.keys[key] } });
  call.on("error", () => {}).end();
  await sleep(ms);
  call.socket.resetAndDestroy();
}

/** Clients leave, others stay: how those were answered, how many calls the origin saw, and how long it took. */
async function round(stage, key) {
  // The isolate knows the record, and has no lease.
  assert.equal((await stage.call("/scoped", { key })).json().code, "scope_missing");
  stage.origin.forget();
  const began = Date.now();
  await Promise.all(Array.from({ length: LEFT }, () => leave(stage, key, LEAVE_MS)));
  const calls = await Promise.all(Array.from({ length: 2 * LIMIT }, async () => {
    const answer = await stage.call("/x", { key });
    return { status: answer.status, code: answer.status === 200 ? undefined : answer.json().code };
  }));
  return { came: outcomes(calls), seen: stage.origin.requests.length, took: Date.now() - began };
}

test("clients that leave", { timeout: 120_000 }, async (t) => {
  const keys = Object.fromEntries(["allow", "deny"].flatMap((one) => named(one).map((key) => [key, limited(one)])));
  const stage = await startStage(t, { gateway: SCOPED, keys: { first: limited("deny"), ...keys }, change: slowed });
  // From here on, meters are loaded.
  await stage.call("/x", { key: "first" });
  for (const one of ["allow", "deny"]) {
    await t.test(`block nobody, and nobody gets past the limits: ${one}`, async (t) => {
      for (const key of named(one)) {
        const { came, seen, took } = await round(stage, key);
        t.diagnostic(`${key}: ${JSON.stringify(came)} in ${took} ms`);
        if (one === "deny") assert.ok((came[200] ?? 0) <= LIMIT && seen <= LIMIT, `${seen}`);
        const others = Object.keys(came).filter((code) => !["200", "rate_limited"].includes(code));
        if (others.length === 0 && came[200] >= LIMIT - LEFT && came[200] <= LIMIT && seen <= LIMIT) return;
        assert.ok(took >= PATIENCE_MS, `${JSON.stringify(came)}, and the origin saw ${seen}`);
      }
      assert.fail("in none of the rounds");
    });
  }
});
