// How long a key that was revoked goes on being served, by the isolates that are using it.
import { setTimeout as sleep } from "node:timers/promises";
import { startIsolates } from "./isolates.mjs";
import { fault } from "./kv.mjs";

export const PRIVATE = { kind: "private" };
export const PUBLIC = { kind: "public", any_referrer: true };

/**
 * Measures it with a slow KV of which each isolate sees copies as old as `copiesMs`, and beside it
 * in isolates that have that KV alone: { strict, eventual, alone }, lists of what `withdraw` returns,
 * and `lies`, how often KV was behind. `keys` are so many private and so many public keys.
 */
export async function compare(t, { leased, alone, keys, copiesMs, slowMs, ...options }) {
  const isolates = leased + alone;
  const world = await startIsolates(t, { isolates, copiesMs, without: (isolate) => (isolate < leased ? [] : ["METERS"]) });
  world.kv.break("get", fault.slow(slowMs));
  const [strict, eventual] = [await manyKeys(world, keys, PRIVATE), await manyKeys(world, keys, PUBLIC)];
  // A strict key is not served where no meter can be asked.
  const pairs = [...strict.map((key) => ({ key, isolates: range(0, leased) })), ...eventual.map((key) => ({ key, isolates: range(0, isolates) }))];
  const all = await withdraw(world, pairs, options);
  const of = (some, from, to) => all.filter(({ key, isolate }) => some.includes(key) && isolate >= from && isolate < to);
  return { strict: of(strict, 0, leased), eventual: of(eventual, 0, leased), alone: of(eventual, leased, isolates), lies: world.kv.lies };
}

export const range = (from, to) => Array.from({ length: to - from }, (_, index) => from + index);
export const manyKeys = (world, count, fields) => Promise.all(range(0, count).map(() => world.key(fields)));

/**
 * Uses every key in every one of the isolates, a call each `everyMs`; revokes each key at a time
 * of its own within `withinMs`, `warmMs` after all of them have let it through; and goes on until all
 * calls are refused, or for `longestMs`.
 *
 * Returns a list of { key, isolate, warm, ms, promised }: `warm` whether it was in use there, `ms` from
 * when the revocation was answered until the last call that the origin saw (0 where it saw none,
 * Infinity where there was no end), `promised` until the time that the answer said.
 *
 * `pairs` are { key, isolates }, `key` as `createKey` returns it.
 */
export async function withdraw(world, pairs, { everyMs = 200, warmMs, withinMs, longestMs }) {
  const now = () => world.origin.now();
  const began = now();
  const users = pairs.flatMap(({ key, isolates }) => isolates.map((isolate) => ({ key, isolate, calls: [] })));
  const revoked = new Map();
  const using = users.map(async (user) => {
    await sleep(Math.random() * everyMs);
    for (;;) {
      user.calls.push(await world.traffic.call(user.isolate, user.key.secret));
      user.warm ||= user.calls.at(-1).status === 200;
      const since = revoked.get(user.key);
      const refused = user.calls.slice(-5).every(({ status, sent }) => sent > since?.at && status === 401);
      if ((since && refused) || now() - began > warmMs + withinMs + longestMs) return;
      await sleep(everyMs);
    }
  });
  const revoking = pairs.map(async ({ key }) => {
    const warm = () => users.every((user) => user.key !== key || user.warm) || now() - began > longestMs;
    while (!warm()) await sleep(50);
    await sleep(warmMs + Math.random() * withinMs);
    const answer = await world.act(key.key, "revoke");
    revoked.set(key, { at: now(), inForce: answer.in_force_by && Date.parse(answer.in_force_by) });
  });
  await Promise.all([...using, ...revoking]);
  return users.map(({ key, isolate, calls }) => {
    const { at, inForce } = revoked.get(key);
    const seen = world.traffic.served(calls).map(({ arrived }) => arrived);
    const last = Math.max(at, ...seen);
    const warm = seen.some((arrived) => arrived < at);
    const ended = calls.some(({ sent, status }) => sent >= last && status === 401);
    return { key, isolate, warm, ms: ended ? last - at : Infinity, promised: inForce - at };
  });
}

/** A time that so large a share of the times are not above. */
export function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

/** The distribution in one line, in seconds. */
export function distribution(list) {
  const times = list.map(({ ms }) => ms);
  const seconds = (ms) => (ms === Infinity ? "never" : `${(ms / 1000).toFixed(1)} s`);
  const shares = Object.entries({ half: 0.5, "90 %": 0.9, "99 %": 0.99, all: 1 });
  return `${shares.map(([name, share]) => `${name} ${seconds(quantile(times, share))}`).join(", ")} (${times.length})`;
}
