// A panic of the gateway's module while calls wait for a meter, or for the end of the time that answers
// to failed attempts are held back: each is answered as if there had been none, and no limit is passed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { breakable } from "./harness/breaking.mjs";
import { SCOPED } from "./harness/scoped.mjs";
import { slowed } from "./harness/slowed.mjs";
import { startStage } from "./harness/stage.mjs";
import { outcomes } from "./harness/traffic.mjs";

const LIMIT = 6;
/** Less than the meters take: tests/harness/slow-meter.mjs. */
const MEANWHILE_MS = 40;
const KEYS = {
  first: { kind: "private" },
  strict: { kind: "private" },
  limited: { kind: "private", limits: { rate: [{ limit: LIMIT, window_s: 60 }] } },
};
const ADDRESS = { "cf-connecting-ip": "192.0.2.7" };

test("a panic while others wait", { timeout: 120_000 }, async (t) => {
  const stage = await startStage(t, { gateway: SCOPED, keys: KEYS, change: (modules) => slowed(breakable(modules)) });
  const instances = async () => Number((await stage.call("/x", { headers: { "x-break": "count" } })).header("instances"));
  const breakModule = async () => {
    const { status } = await stage.call("/x", { headers: { "x-break": "handle" } });
    assert.equal(status, 500);
  };
  // From here on, meters are loaded.
  await stage.passes("/x", { key: "first" });

  await t.test("for the first lease of a strict key: it is let through", async () => {
    // The isolate knows the record, and has no lease.
    assert.equal((await stage.call("/scoped", { key: "strict" })).json().code, "scope_missing");
    const before = await instances();
    const waiting = stage.call("/x", { key: "strict" });
    await sleep(MEANWHILE_MS);
    await breakModule();
    assert.equal((await waiting).status, 200);
    assert.equal(await instances(), before + 1);
    await stage.passes("/x", { key: "strict" });
  });

  await t.test("for units of a limit: each is let through or refused, and never more than the limit", async () => {
    const answers = [];
    for (let round = 0; round < 3; round += 1) {
      const waiting = Array.from({ length: LIMIT }, () => stage.call("/x", { key: "limited" }));
      await sleep(MEANWHILE_MS);
      await breakModule();
      answers.push(...(await Promise.all(waiting)));
    }
    const came = outcomes(answers.map((answer) => ({ status: answer.status, code: answer.status === 200 ? undefined : answer.json().code })));
    assert.deepEqual(Object.keys(came).filter((code) => !["200", "rate_limited"].includes(code)), [], JSON.stringify(came));
    assert.ok(came[200] >= 1 && came[200] <= LIMIT, JSON.stringify(came));
  });

  await t.test("for the end of the time that the answer is held back: it is the same answer", async () => {
    const guess = () => stage.call("/x", { headers: { ...ADDRESS, "x-api-key": "kw_sk_live_1guessed" } });
    // The longest time that an answer is held back is reached.
    for (let failed = 0; failed < 24; failed += 1) assert.equal((await guess()).status, 401);
    const began = Date.now();
    const held = guess();
    await sleep(100);
    await breakModule();
    const broken = Date.now();
    const answer = await held;
    assert.deepEqual([answer.status, answer.json().code], [401, "key_invalid"]);
    assert.ok(broken - began < 600, "the module broke while the answer was held back");
    assert.ok(Date.now() - began >= 795, `${Date.now() - began}`);
  });
});
