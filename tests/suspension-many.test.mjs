// Suspending an owner of thousands of keys, some of them in use in three isolates, with a KV that is
// slow and lies to each isolate: who is using one is refused within a lease, who uses another owner's
// key sees nothing of it, the registry goes on working for others, and asks no more of the platform in
// one invocation than that allows. Nothing is lost when it is killed midway.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { COUNTED, invocations } from "./harness/invocations.mjs";
import { startIsolates } from "./harness/isolates.mjs";
import { fault } from "./harness/kv.mjs";
import { eventually, record } from "./harness/registry.mjs";
import { distribution, range } from "./harness/withdrawn.mjs";

/** More than an answer waits for, and several invocations of an alarm. */
const KEYS = 2400;
const LINES = 800;
/** Keys in use: one in so many. */
const ONE_IN = 120;
const ISOLATES = 3;
const EVERY_MS = 300;
const LEASE_MS = 10_000;
/** What the platform lets one invocation ask of others. */
const MOST_ASKED = 1000;
/** What an invocation may write to KV: less, so that there is room for all else. */
const MOST_WRITES = 600;
const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
imported_keys = true
`;

const made = (index) => (index % ONE_IN === 0 ? { secret: randomBytes(20).toString("hex") } : { sha256: createHash("sha256").update(`unused ${index}`).digest("hex") });
const project = (world, path) => world.api.must("GET", `/projects/acme${path}`);
const act = (world, verb) => world.api.call("POST", `/projects/acme/owners:${verb}`, { body: { owner: "many" } });

/** What KV has been told of the owner's keys, in order: { name, status }. */
function told(kv) {
  const puts = kv.recorded("put").map(({ name, text }) => ({ name, ...record(text) }));
  return puts.filter(({ owner }) => owner === "many");
}

/** How many records of the owner's keys stand in KV in each state. */
function states(kv) {
  const counts = {};
  for (const name of kv.store.names()) {
    const { status, owner } = record(kv.text(name));
    if (owner === "many") counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** Waits until KV has the newest state of all keys. */
const settled = (world) => eventually(async () => (await sleep(500), (await project(world, "/publication")).outbox.pending === 0), 60_000);

/** Uses a secret in one isolate until `isOver` says so: the list of its calls. */
async function used(world, { secret, isolate }, isOver) {
  const calls = [];
  await sleep(Math.random() * EVERY_MS);
  while (!isOver(calls)) {
    calls.push(await world.traffic.call(isolate, secret));
    await sleep(EVERY_MS);
  }
  return calls;
}

/** No invocation since the last start has asked more than it may; some have had their share. */
async function assertBounded(world) {
  const all = await invocations(world.keyward);
  const asked = all.map(({ kv, meters }) => kv + meters);
  assert.ok(Math.max(...asked) < MOST_ASKED, `${Math.max(...asked)} calls of one invocation`);
  assert.equal(Math.max(...all.map(({ kv }) => kv)), MOST_WRITES);
}

test("an owner of 2,400 keys is suspended and resumed", { timeout: 170_000 }, async (t) => {
  const world = await startIsolates(t, { gateway: GATEWAY, isolates: ISOLATES, copiesMs: 60_000, ...COUNTED });
  const { kv, api, keyward } = world;
  const other = await world.key({ owner: "other" });
  const lines = range(0, KEYS).map((index) => ({ owner: "many", ...made(index) }));
  for (let from = 0; from < KEYS; from += LINES) {
    const { body } = await api.import("acme", lines.slice(from, from + LINES));
    assert.deepEqual([body.created, body.refused], [LINES, 0]);
  }
  await settled(world);
  const secrets = lines.flatMap(({ secret }) => secret ?? []);
  const users = secrets.flatMap((secret) => range(0, ISOLATES).map((isolate) => ({ secret, isolate })));
  const over = { at: Infinity, others: false };
  const isRefused = (calls) => calls.length > 3 && calls.slice(-3).every(({ status, sent }) => sent > over.at && status === 401);
  const using = users.map((user) => used(world, user, (calls) => isRefused(calls) || Date.now() > over.at + 4 * LEASE_MS));
  const bystanders = range(0, ISOLATES).map((isolate) => used(world, { secret: other.secret, isolate }, () => over.others));
  await eventually(() => assert.equal(new Set(world.origin.log.map(({ key }) => key)).size, secrets.length + 1), 10_000);
  await sleep(2000);

  await t.test("the answer comes at once, and says when it holds", async () => {
    kv.break("put", fault.slow(40));
    const { status, body, took } = await act(world, "suspend");
    Object.assign(over, { at: world.origin.now(), by: Date.parse(body.in_force_by) });
    assert.deepEqual([status, body.keys, body.publication], [200, KEYS, "pending"]);
    assert.ok(took < 4000, `${took} ms`);
    assert.ok(over.by <= over.at + LEASE_MS, "within a lease");
  });

  await t.test("keys of others are made and revoked meanwhile, and wait for none of these", async () => {
    for (const index of range(0, 5)) {
      const { key, publication } = await world.key({ name: `meanwhile ${index}` });
      const { body } = await api.call("POST", `/projects/acme/keys/${key.id}/revoke`, { body: {} });
      assert.deepEqual([publication, body.publication], ["published", "published"]);
      assert.ok(states(kv).active > KEYS / 10, "the registry is far from its end");
      await sleep(500);
    }
  });

  await t.test("nobody goes on using them for longer than that, and others do", async () => {
    const calls = await Promise.all(using);
    over.others = true;
    const last = users.map((_, index) => Math.max(...world.traffic.served(calls[index]).map(({ arrived }) => arrived)));
    t.diagnostic(`last let through: ${distribution(last.map((at) => ({ ms: Math.max(0, at - over.at) })))}; promised ${Math.round(over.by - over.at)} ms`);
    for (const [index, at] of last.entries()) {
      assert.ok(isRefused(calls[index]), "it was refused in the end");
      assert.ok(at <= over.by, `isolate ${users[index].isolate} served ${at - over.by} ms after the time that was said`);
    }
    const others = (await Promise.all(bystanders)).flat();
    assert.deepEqual([...new Set(others.map(({ status }) => status))], [200]);
    assert.ok(others.filter(({ sent }) => sent > over.at).length >= ISOLATES * 3);
  });

  await t.test("KV comes to have all of them suspended, although the registry is killed midway", async () => {
    await assertBounded(world);
    assert.ok(states(kv).active > 0, "midway");
    await keyward.restart();
    kv.repair();
    await settled(world);
    assert.deepEqual(states(kv), { suspended: KEYS });
    // What KV has is written once more, but not before it has the rest.
    const names = told(kv).filter(({ status }) => status === "suspended").map(({ name }) => name);
    const seen = new Set();
    const again = names.slice(0, names.findLastIndex((name, index) => names.indexOf(name) === index)).filter((name) => seen.has(name) || !seen.add(name));
    assert.ok(again.length <= 50, `${again.length} were written again before the last was written`);
  });

  await t.test("the end of the suspension brings all of them back, although the registry is killed midway", async () => {
    const before = kv.operations.length;
    const { status, took } = await act(world, "resume");
    assert.ok(status === 200 && took < 4000, `${status} in ${took} ms`);
    await eventually(() => assert.ok(kv.operations.length > before + KEYS / 4), 20_000);
    await keyward.restart();
    assert.ok(states(kv).suspended > 0, "midway");
    // The alarm would go on within five seconds; a change does at once.
    await world.key({ name: "after the crash" });
    await settled(world);
    assert.deepEqual(states(kv), { active: KEYS });
    await assertBounded(world);
    for (const secret of secrets.slice(0, 3)) assert.equal((await world.traffic.call(0, secret)).status, 200);
    assert.deepEqual((await project(world, "/owners")).items, []);
  });
});
