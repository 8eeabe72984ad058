// Limits in real workerd, called on many connections to many isolates at once: never one call too
// many, and what there is can be used. harness/judge.mjs says what that is judged by.
//
// What is exact is asserted of real time and of a clock that the test moves. How much of a limit can
// be used is asserted where only the test moves the time: a busy machine, on which meters and KV may
// even be too slow to be waited for, must not fail it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startIsolates } from "./harness/isolates.mjs";
import { CLOCK_MS, mostWithin, slack } from "./harness/judge.mjs";
import { outcomes } from "./harness/traffic.mjs";

const SECOND = 1000;
const LIMITS = [1, 10, 1000];
const WINDOWS = { second: 1, minute: 60, day: 86_400 };
const ISOLATES = 3;
const USABLE = 0.95;
/** How long what runs in real time runs. */
const RUN_MS = Number(process.env.RUN_S ?? 8) * SECOND;

const rate = (limit, window_s) => ({ limits: { rate: [{ limit, window_s }] } });

/** Asserts that no window has too many, and that there was no other answer; returns what was served. */
function judged(world, calls, { limit, window_s }, unseen, others = []) {
  const served = world.traffic.served(calls);
  const most = mostWithin(served, window_s * SECOND - unseen);
  assert.ok(most <= limit, `${most} calls in a window of ${window_s} s, of ${limit}`);
  const other = Object.keys(outcomes(calls)).filter((name) => !["200", "rate_limited", ...others].includes(name));
  assert.deepEqual(other, [], JSON.stringify(outcomes(calls)));
  return { served, most };
}

/** Moves the time `steps` times by `ms`; at each of them, and at the first, every isolate is called `each` times at once. */
async function stepped(world, keys, steps, ms) {
  const calls = keys.map(() => []);
  for (let step = 0; step < steps; step += 1) {
    if (step > 0) await world.clock.advance(ms);
    await Promise.all(keys.map(async ({ secret, each }, index) => calls[index].push(...(await world.traffic.burst(secret, each)))));
  }
  return calls;
}

describe("exact limits", { timeout: 280_000 }, () => {
  test("in real time no second, minute or day has one call too many", async (t) => {
    const world = await startIsolates(t, { isolates: ISOLATES });
    const cases = LIMITS.flatMap((limit) => Object.values(WINDOWS).map((window_s) => ({ limit, window_s })));
    for (const one of cases) Object.assign(one, await world.key(rate(one.limit, one.window_s)));
    const began = performance.now();
    const until = () => performance.now() - began > RUN_MS;
    await Promise.all(
      cases.map(async (one) => {
        const pauseMs = one.limit === 1000 && one.window_s === 1 ? 0 : 40;
        one.calls = await world.traffic.run({ secret: one.secret, until, pauseMs, connections: one.limit === 1000 ? 4 : 2 });
      }),
    );
    for (const { calls, limit, window_s } of cases) {
      const { served, most } = judged(world, calls, { limit, window_s }, CLOCK_MS, ["meter_unavailable", "store_unavailable"]);
      const possible = limit * Math.max(1, RUN_MS / SECOND / window_s);
      t.diagnostic(`${limit} in ${window_s} s: ${served.length} of ${calls.length} calls served, ${Math.round((100 * served.length) / possible)} % of what ${RUN_MS / SECOND} s allow, at most ${most} in a window; on their way at most ${Math.round(slack(served))} ms`);
    }
  });

  for (const [name, window_s] of Object.entries({ second: 1, minute: 60 })) {
    test(`with a clock that only the test moves, each ${name} has its calls, and not one more`, async (t) => {
      const world = await startIsolates(t, { isolates: ISOLATES, clock: true });
      const [steps, windows] = [50, 3];
      const keys = [];
      for (const limit of LIMITS) {
        const each = Math.max(1, Math.ceil((1.5 * limit) / steps / ISOLATES));
        keys.push({ limit, each, ...(await world.key(rate(limit, window_s))) });
      }
      await world.clock.stop();
      const calls = await stepped(world, keys, steps * windows, (window_s * SECOND) / steps);
      for (const [index, { limit }] of keys.entries()) {
        const { served, most } = judged(world, calls[index], { limit, window_s }, 0);
        const share = served.length / (limit * windows);
        t.diagnostic(`${limit} in ${window_s} s: ${served.length} of ${calls[index].length} served in ${windows} windows: ${Math.round(100 * share)} %, at most ${most} in one`);
        assert.ok(share >= USABLE, `only ${served.length} of ${limit * windows} could be used: ${JSON.stringify(outcomes(calls[index]))}`);
      }
    });
  }

  test("a limit of a day, a quota and credits give what they say, whole, and never more", async (t) => {
    const world = await startIsolates(t, { isolates: ISOLATES, clock: true });
    const keys = [];
    for (const limit of LIMITS) {
      const each = Math.max(1, Math.ceil(limit / 40 / ISOLATES));
      for (const [name, code, limits] of [
        ["a rate of a day", "rate_limited", { rate: [{ limit, window_s: WINDOWS.day }] }],
        ["a quota of a day", "quota_exceeded", { quota: [{ limit, period: "day" }] }],
        ["a quota of a month", "quota_exceeded", { quota: [{ limit, period: "month" }] }],
        ["credits", "credits_exhausted", { credits: limit }],
      ]) {
        keys.push({ limit, each, name, code, ...(await world.key({ limits })) });
      }
    }
    await world.clock.stop();
    await world.clock.advanceTo(Date.parse("2027-03-10T12:00:00Z"));
    const calls = await stepped(world, keys, 60, SECOND);
    for (const [index, { limit, name, code }] of keys.entries()) {
      const served = world.traffic.served(calls[index]);
      const came = outcomes(calls[index]);
      t.diagnostic(`${name}, ${limit}: ${served.length} of ${calls[index].length} served`);
      assert.deepEqual(Object.keys(came).filter((one) => one !== "200"), [code], `${name}: ${JSON.stringify(came)}`);
      assert.ok(served.length <= limit, `${name}: ${served.length} of ${limit}`);
      assert.ok(served.length >= USABLE * limit, `${name}: only ${served.length} of ${limit}`);
    }
  });

  test("two keys of an owner never have more together than the owner may", async (t) => {
    const world = await startIsolates(t, { isolates: ISOLATES });
    const owner = "ann";
    const limit = 300;
    const both = [await world.key({ owner }), await world.key({ owner, ...rate(200, 60) })];
    await world.api.must("POST", "/projects/acme/owners:limit", { owner, limits: { quota: { limit, period: "month" } } });
    const began = performance.now();
    const until = () => performance.now() - began > RUN_MS / 2;
    const calls = await Promise.all(both.map(({ secret }) => world.traffic.run({ secret, until, pauseMs: 20 })));
    const served = world.traffic.served(calls.flat());
    t.diagnostic(`${served.length} of ${limit}; ${calls.map((one) => JSON.stringify(outcomes(one))).join(" and ")}`);
    assert.ok(served.length <= limit && served.length >= USABLE * limit, `${served.length}`);
    assert.ok(world.traffic.served(calls[1]).length <= 200);
  });
});
