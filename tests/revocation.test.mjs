// From "revoked" to "refused everywhere": in many isolates that are using the key, with a KV that is
// slow and lies to each of them for as long as it likes, against what that KV gives alone.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startIsolates } from "./harness/isolates.mjs";
import { fault } from "./harness/kv.mjs";
import { compare, distribution, manyKeys, PRIVATE, PUBLIC, quantile, range, withdraw } from "./harness/withdrawn.mjs";

const SECOND = 1000;
const LEASE_MS = 10 * SECOND;
/** What a lease's end and the next call may add. */
const BOUND_MS = LEASE_MS + SECOND;

describe("revocation", { concurrency: true, timeout: 170_000 }, () => {
  test("holds within a lease wherever the key is in use, whatever KV says, and KV alone takes longer", async (t) => {
    const { strict, eventual, alone, lies } = await compare(t, {
      ...{ leased: 6, alone: 3, keys: 6, copiesMs: 20 * SECOND, slowMs: 300 },
      ...{ warmMs: 3 * SECOND, withinMs: 10 * SECOND, longestMs: 38 * SECOND },
    });
    const groups = { "private keys": strict, "public keys": eventual, "public keys by KV alone": alone };
    for (const [name, times] of Object.entries(groups)) {
      t.diagnostic(`${name}: ${distribution(times)}`);
      assert.ok(times.every(({ warm }) => warm), `${name}: each isolate was using each key`);
    }
    const at = (times, share) => quantile(times.map(({ ms }) => ms), share);
    const leased = [...strict, ...eventual];
    assert.ok(lies > 0, "KV has not lied");
    assert.ok(at(leased, 0.99) <= BOUND_MS, distribution(leased));
    assert.ok(at(alone, 0.5) > at(leased, 0.5), "a KV that lies for long is slower");
  });

  test("holds when KV never hears of it, and by the time that the answer has said", async (t) => {
    const world = await startIsolates(t, { isolates: 4, copiesMs: 0 });
    const [strict, eventual] = [await manyKeys(world, 4, PRIVATE), await manyKeys(world, 4, PUBLIC)];
    const keys = [...strict, ...eventual];
    world.kv.break("put", fault.fail());
    const pairs = keys.map((key) => ({ key, isolates: range(0, 4) }));
    const times = await withdraw(world, pairs, { warmMs: 3 * SECOND, withinMs: 8 * SECOND, longestMs: 30 * SECOND });
    t.diagnostic(`without KV: ${distribution(times)}; promised: ${distribution(times.filter(({ key }) => strict.includes(key)).map(({ promised }) => ({ ms: promised })))}`);
    assert.ok(times.every(({ warm }) => warm));
    assert.ok(quantile(times.map(({ ms }) => ms), 0.99) <= BOUND_MS, distribution(times));
    for (const { key, ms, promised, isolate } of times) {
      // Of a key that is eventual nobody knows where it was idle: no time is said.
      if (eventual.includes(key)) assert.ok(Number.isNaN(promised), `${promised} ms were promised of a public key`);
      else assert.ok(ms <= promised, `isolate ${isolate} served ${ms - promised} ms after the time that was said`);
    }
  });

  test("a private key is refused at once where it has not been used of late, or never was", async (t) => {
    const world = await startIsolates(t, { isolates: 3, copiesMs: 60 * SECOND });
    const { key, secret } = await world.key(PRIVATE);
    for (const isolate of [0, 1]) assert.equal((await world.traffic.call(isolate, secret)).status, 200);
    // Within a lease of its last call an isolate tells what it has counted, and has a lease anew.
    await sleep(2 * LEASE_MS + SECOND);
    await world.act(key, "revoke");
    // The first two see the old record in KV.
    for (const isolate of [0, 1, 2]) {
      const { status, code } = await world.traffic.call(isolate, secret);
      assert.deepEqual([isolate, status, code], [isolate, 401, "key_revoked"]);
    }
  });
});
