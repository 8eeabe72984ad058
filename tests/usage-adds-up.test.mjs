// Counts add up: what usage reports against what the origin has served. `npm run test:usage` makes
// 100,000 calls; without CALLS in the environment it is a fifth of them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startIsolates } from "./harness/isolates.mjs";
import { generator, pick, seed } from "./harness/random.mjs";
import { eventually } from "./harness/registry.mjs";
import { outcomes } from "./harness/traffic.mjs";

const SECOND = 1000;
const CALLS = Number(process.env.CALLS ?? 20_000);
/** A count is reported within a lease of the call, or lost with its isolate; the report takes its way. */
const LEASE_MS = 10 * SECOND;
const WAY_MS = SECOND;
const ISOLATES = 4;
const CONNECTIONS = 2;
const KILL_EVERY_MS = 2 * SECOND;
/** A rate that a busy machine of two cores bears, with what else is tested beside it. */
const PAUSE_MS = 30;
const KEYS = {
  "without limits": {},
  "with a rate and a quota": { limits: { rate: [{ limit: 1_000_000, window_s: 60 }], quota: [{ limit: 1_000_000, period: "month" }] } },
  "with credits": { limits: { credits: 1_000_000 } },
};

/** Calls with all keys until there were so many calls; [name, { key, secret, calls }] of each. */
async function run(world, count) {
  const keys = [];
  for (const [name, fields] of Object.entries(KEYS)) keys.push([name, await world.key(fields)]);
  const each = count / keys.length;
  const headers = { "cf-ipcountry": "NL" };
  await Promise.all(
    keys.map(async ([, key]) => {
      const until = (calls) => calls.length >= each;
      key.calls = await world.traffic.run({ secret: key.secret, until, connections: CONNECTIONS, pauseMs: PAUSE_MS, headers });
    }),
  );
  return keys;
}

/** What is reported of a key, once nothing more is to come: no isolate holds counts for longer than a lease. */
async function reported(world, { key }) {
  return (await world.of(key, "usage")).total;
}

describe("usage", { concurrency: true, timeout: Math.max(170_000, CALLS * 4) }, () => {
  test("is what was served, when no isolate is lost", async (t) => {
    const world = await startIsolates(t, { isolates: ISOLATES, clock: true });
    const keys = await run(world, CALLS / 4);
    for (const [name, key] of keys) {
      const served = world.traffic.served(key.calls).length;
      assert.deepEqual(outcomes(key.calls), { 200: served }, name);
      await eventually(async () => {
        const { calls, answered, routes, countries } = await reported(world, key);
        const [route] = Object.values(routes);
        assert.deepEqual({ calls, answered, route, countries }, { calls: served, answered: { "2xx": served }, route: served, countries: { NL: served } }, name);
      }, LEASE_MS + 5 * SECOND);
      t.diagnostic(`${name}: ${served} served and reported`);
    }
    // The project's sum is told of minutes that are over.
    await world.clock.advance(5 * 60 * SECOND);
    const all = world.origin.log.length;
    await eventually(async () => {
      const { total } = await world.api.must("GET", "/projects/acme/usage");
      assert.equal(total.calls, all);
    }, 10 * SECOND);
  });

  test("is never more than was served, and less only by what lost isolates had not told", async (t) => {
    const chance = seed();
    t.diagnostic(`SEED=${chance}`);
    const random = generator(chance);
    const world = await startIsolates(t, { isolates: ISOLATES });
    const losses = [];
    let running = true;
    const losing = (async () => {
      for (;;) {
        await sleep(random() * 2 * KILL_EVERY_MS);
        if (!running) return;
        const isolate = pick(random, [0, 1, 2, 3]);
        await world.lose(isolate);
        losses.push({ isolate, at: world.origin.now() });
      }
    })();
    const keys = await run(world, CALLS);
    running = false;
    await losing;
    // What would be counted twice has come by then; what is late on a busy machine is waited for.
    await sleep(LEASE_MS + 3 * SECOND);
    assert.ok(losses.length >= 5, "isolates were lost");
    for (const [name, key] of keys) {
      const served = world.traffic.served(key.calls);
      const untold = served.filter(({ isolate, arrived }) =>
        losses.some((loss) => loss.isolate === isolate && arrived > loss.at - LEASE_MS - WAY_MS && arrived < loss.at + WAY_MS),
      );
      const all = async () => (await reported(world, key)).calls;
      await eventually(async () => assert.ok((await all()) >= served.length - untold.length, `${name}: of ${served.length} served ${untold.length} may be lost`), SECOND);
      const calls = await all();
      t.diagnostic(`${name}: ${served.length} served, ${calls} reported, ${served.length - calls} lost of at most ${untold.length}, by ${losses.length} lost isolates; ${JSON.stringify(outcomes(key.calls))}`);
      assert.ok(calls <= served.length, `${name}: ${calls} reported, ${served.length} served`);
    }
  });
});
