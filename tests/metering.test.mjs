// What the registry tells the meters that have asked: each change, the newest state, again and
// again until it is acknowledged, and before KV where KV is slow.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "./harness/kv.mjs";
import { startMetered } from "./harness/meters.mjs";
import { eventually, ManagementClient, records } from "./harness/registry.mjs";

/** So long an answer waits for a meter: crates/control/src/registry/metering/flights.rs. */
const PATIENCE = 1500;
/** How long nothing more may come before none is expected. */
const QUIET = 700;
/** Of so many that take less, one does so on a busy machine too. */
const TRIES = 5;

const rate = (limit) => ({ rate: [{ name: "r", limit, window_s: 60 }] });
const credits = (balance, limits = {}) => ({ ...limits, credits: { balance } });

/** A gateway with the project `p` and recording meters. */
async function start(t, options) {
  const keyward = await startMetered(t, options);
  const api = new ManagementClient(keyward);
  await api.project("p");
  const ask = (command, by) => keyward.ask("p", command, by);
  return {
    keyward,
    api,
    ask,
    kv: keyward.kv,
    meters: keyward.meters,
    /** A meter asks: what it is to know. */
    async asks(of) {
      const { Metering } = await ask({ Metering: { of } });
      return Metering;
    },
    /** Does something with a key: the reply's `Changed`. */
    async act(id, act) {
      const reply = await ask({ Key: { id, if_match: null, act } });
      assert.ok(reply.Changed, JSON.stringify(reply));
      return reply.Changed;
    },
    /** Something with an owner, in the same way. */
    async owner(command) {
      const reply = await ask(command);
      assert.ok(reply.Changed, JSON.stringify(reply));
      return reply.Changed;
    },
  };
}

const states = (told) => told.map(({ version, records: [record] }) => [version, record?.status]);
const numbers = (told) => told.map((one) => one.credits.map(({ number }) => number));
/** Changes of credits without their times: [number, act]. */
const acts = (credits) => credits.map(({ number, act }) => [number, act]);
/** Long enough for an older record to be read nowhere any more. */
const READ = 10 * 60_000;

describe("metering", { concurrency: 6 }, () => {
  test("a meter knows of a key what KV does, and nothing is told before it has asked", async (t) => {
    const { api, kv, meters, asks, ask, keyward } = await start(t);
    const { key } = await api.key("p", { kind: "private", owner: "acme" });
    const { key: page } = await api.key("p", { referrers: ["https://a.example"] });
    await api.change("p", key.id, "disable");
    const known = await asks({ key: key.id });
    assert.deepEqual({ ...known, records: 1 }, { version: 2, limits: {}, records: 1, credits: [] });
    assert.deepEqual(known.records, [records(kv).get(key.id)]);
    assert.deepEqual([known.records[0].revocation, known.records[0].status], ["strict", "disabled"]);
    assert.equal((await asks({ key: page.id })).records[0].revocation, "eventual");
    assert.deepEqual(await asks({ owner: "acme" }), { version: 0, limits: {}, records: [], credits: [] });
    assert.deepEqual(await asks("project"), { version: 0, limits: {}, records: [], credits: [] });
    assert.equal((await ask({ Metering: { of: { key: "key_unknown" } } })).Refused.code, "key_unknown");
    assert.equal((await ask({ Metering: { of: { key: key.id } } }, "Bootstrap")).Refused.code, "internal_error");
    assert.equal(await keyward.ask("nowhere", { Metering: { of: "project" } }), "Unfounded");
    await sleep(QUIET);
    assert.deepEqual(meters.told, []);
  });

  test("each change of a key whose meter has asked is told once, with the newest state", async (t) => {
    const { api, meters, asks, act } = await start(t);
    const { key } = await api.key("p");
    const { key: other } = await api.key("p");
    await asks({ key: key.id });
    await api.change("p", other.id, "disable");
    for (const change of ["disable", "enable", "enable", "revoke"]) await api.change("p", key.id, change);
    await api.change("p", key.id, "delete");
    const [{ project, of }] = meters.told;
    assert.deepEqual([project, of], ["p", { key: key.id }]);
    assert.deepEqual(states(meters.told), [[2, "disabled"], [3, "active"], [4, "revoked"], [5, "deleted"]]);
    await act(key.id, "Undelete");
    const { key: rotated } = await api.key("p");
    await asks({ key: rotated.id });
    await api.change("p", rotated.id, "rotate", { overlap: 60 });
    await sleep(QUIET);
    assert.equal(meters.told.length, 6);
    assert.equal(meters.told.at(-1).records.length, 2, "a record for each secret");
    assert.equal((await asks({ key: key.id })).version, 6);
  });

  test("an answer says when the last lease by something older is over", async (t) => {
    const { api, meters, asks, act, owner, ask } = await start(t);
    const { key } = await api.key("p", { owner: "acme" });
    let began = Date.now();
    const unused = await act(key.id, "Disable");
    assert.ok(unused.in_force_by >= began && unused.in_force_by <= Date.now(), "nobody has a lease of it");
    await act(key.id, "Enable");
    await asks({ key: key.id });
    meters.usual = { leased_ms: 30_000 };
    began = Date.now();
    const { in_force_by: by } = await act(key.id, "Disable");
    assert.ok(by >= began + 30_000 && by <= Date.now() + 30_000, `${by - began}`);
    assert.equal((await act(key.id, "Disable")).in_force_by, by, "what changes nothing is told to nobody");
    const suspended = await owner({ SuspendOwner: { owner: "acme", note: null } });
    assert.ok(suspended.in_force_by > by);
    assert.equal((await owner({ ResumeOwner: { owner: "acme", note: null } })).in_force_by, null, "what gives something is said by KV");
    meters.answers = [500];
    assert.equal((await owner({ SuspendOwner: { owner: "acme", note: null } })).in_force_by, null);
    await eventually(() => meters.told.length === 5, 3000);
    assert.equal((await ask({ ChangeProject: { change: "Suspend", note: null } })).Changed.publication, "published");
  });

  test("an answer says so only of what takes away", async (t) => {
    const { api, asks, act, ask } = await start(t);
    const { key, ...created } = await api.key("p", { limits: { ...rate(5), ...credits(10) }, ips: ["192.0.2.1", "192.0.2.2"] });
    assert.equal(created.in_force_by, undefined);
    await asks({ key: key.id });
    const path = `/projects/p/keys/${key.id}`;
    const patch = async (fields) => (await api.patch(path, fields)).body.in_force_by !== undefined;
    for (const [fields, known] of [
      [{ name: "renamed" }, false],
      [{ ips: ["192.0.2.1"] }, true],
      [{ ips: ["192.0.2.3"] }, false],
      [{ limits: rate(4) }, true],
      [{ limits: rate(9) }, false],
      [{ limits: credits(99) }, false],
      [{ limits: { quota: { limit: 5, period: "day" } } }, true],
      [{ limits: { quota: null } }, false],
      [{ expires_at: "2099-01-01T00:00:00Z" }, true],
      [{ expires_at: null }, false],
      [{ owner: "acme" }, false],
    ]) assert.equal(await patch(fields), known, JSON.stringify(fields));
    const known = async (one) => (await act(key.id, one)).in_force_by !== null;
    for (const [one, expected] of [
      [{ Credits: { act: { add: 5 } } }, false],
      [{ Credits: { act: { set: 5 } } }, true],
      ["Disable", true],
      ["Enable", false],
      ["Delete", true],
      ["Undelete", false],
      [{ Revoke: { reason: "unspecified", note: null } }, true],
    ]) assert.equal(await known(one), expected, JSON.stringify(one));
    await api.key("p");
    for (const [command, expected] of [
      [{ Update: { patch: { name: "renamed" }, if_match: null } }, false],
      [{ Update: { patch: { max_age_s: 90_000 }, if_match: null } }, true],
      [{ Update: { patch: { max_age_s: 100_000 }, if_match: null } }, false],
      [{ LimitOwner: { owner: "acme", limits: credits(5) } }, true],
      [{ OwnerCredits: { owner: "acme", act: { set: 1 } } }, true],
      [{ OwnerCredits: { owner: "acme", act: { add: 1 } } }, false],
      [{ LimitOwner: { owner: "acme", limits: null } }, false],
      [{ ArchiveEnvironment: { id: "test", archived: true } }, true],
      [{ ArchiveEnvironment: { id: "test", archived: false } }, false],
      [{ ChangeProject: { change: "Suspend", note: null } }, true],
      [{ ChangeProject: { change: "Resume", note: null } }, false],
    ]) {
      const began = Date.now();
      const { in_force_by: by } = (await ask(command)).Changed;
      assert.equal(by !== null, expected, JSON.stringify(command));
      assert.ok(by === null || by >= began, "never of a time before it");
    }
  });

  test("an answer says so only where no record is read that demands no lease", async (t) => {
    const { api, kv, keyward } = await start(t, { clock: true });
    const known = async (id, path) => {
      const body = await api.must("POST", path ?? `/projects/p/keys/${id}/disable`, {});
      if (!path) await api.change("p", id, "enable");
      return body.in_force_by !== undefined;
    };
    const published = () => eventually(async () => (await api.must("GET", "/projects/p/publication")).outbox.pending === 0, 30_000);
    /** KV has had the last word for long. */
    const later = async () => {
      await keyward.clock.advance(15_000);
      await published();
      await keyward.clock.advance(READ);
    };
    const { key: job } = await api.key("p");
    const { key: page } = await api.key("p", { referrers: ["https://a.example"], owner: "acme" });
    const suspension = "/projects/p/suspend";
    const suspended = async () => {
      const is = await known(undefined, suspension);
      await api.must("POST", "/projects/p/resume", {});
      return is;
    };
    assert.deepEqual([await known(job.id), await known(page.id), await suspended()], [true, false, false]);
    // Limits demand a lease, when the last record without them is gone.
    await api.patch(`/projects/p/keys/${page.id}`, { limits: rate(5) });
    assert.equal(await known(page.id), false);
    await later();
    assert.deepEqual([await known(page.id), await suspended()], [true, true]);
    await api.patch(`/projects/p/keys/${page.id}`, { limits: { on_meter_error: "allow" } });
    assert.equal(await known(page.id), false);
    await api.patch(`/projects/p/keys/${page.id}`, { limits: null });
    assert.equal(await known(page.id), false);
    // So does a project that is strict, when KV has it.
    kv.break("put", fault.fail());
    await api.patch("/projects/p", { revocation: "strict" });
    await keyward.clock.advance(READ + 1000);
    assert.deepEqual([await known(job.id), await known(page.id), await suspended()], [true, false, false]);
    kv.repair();
    await keyward.clock.advance(60_000);
    await published();
    assert.equal(await known(page.id), false, "it may be read from where KV is late");
    await later();
    assert.deepEqual([await known(page.id), await suspended()], [true, true]);
    await api.patch("/projects/p", { revocation: "eventual" });
    assert.deepEqual([await known(job.id), await known(page.id)], [false, false]);
  });

  test("a meter is told before a slow KV has it", async (t) => {
    const { api, kv, meters, asks, act } = await start(t);
    const { key } = await api.key("p");
    await asks({ key: key.id });
    kv.break("put", fault.slow(3000), { times: 1 });
    const { publication, in_force_by: by } = await act(key.id, { Revoke: { reason: "keyCompromise", note: null } });
    assert.equal(publication, "pending");
    assert.ok(by !== null && by <= Date.now());
    assert.deepEqual(states(meters.told), [[2, "revoked"]]);
    assert.equal(records(kv).get(key.id).status, "active");
    await eventually(() => records(kv).get(key.id).status === "revoked", 4000);
    assert.equal(meters.told.length, 1);
  });

  test("KV has it while a meter does not answer, and changes meanwhile are told as one", async (t) => {
    const { api, kv, meters, asks, act } = await start(t);
    const { key } = await api.key("p");
    await asks({ key: key.id });
    meters.answers = [{ before: new Promise(() => {}) }];
    const began = Date.now();
    const { publication, in_force_by: by } = await act(key.id, "Disable");
    assert.deepEqual([publication, by], ["published", null]);
    assert.ok(Date.now() - began >= PATIENCE - 100, "it is waited for, a little");
    assert.equal(records(kv).get(key.id).status, "disabled");
    const changes = Promise.all([act(key.id, "Enable"), api.patch("/projects/p/keys/" + key.id, { name: "renamed" })]);
    await changes;
    await eventually(() => meters.told.length === 2, 4000);
    await sleep(QUIET);
    assert.deepEqual(states(meters.told), [[2, "disabled"], [4, "active"]]);
    const pause = meters.told[1].at - meters.told[0].at;
    assert.ok(pause >= PATIENCE, `${pause} ms: when the first is given up, and not while it is in flight`);
  });

  test("a meter that hangs does not hold back what changes meanwhile for good", async (t) => {
    const { api, meters, asks, act } = await start(t);
    const { key } = await api.key("p");
    await asks({ key: key.id });
    meters.answers = [{ before: new Promise(() => {}) }];
    const disabled = act(key.id, "Disable");
    await eventually(() => meters.told.length === 1, 2000);
    const { in_force_by: by } = await act(key.id, { Revoke: { reason: "keyCompromise", note: null } });
    assert.equal((await disabled).in_force_by, null);
    await eventually(() => meters.told.length === 2, 4000);
    assert.deepEqual(states(meters.told), [[2, "disabled"], [3, "revoked"]]);
    assert.ok(by === null || by >= meters.told[1].at);
    await sleep(2 * QUIET);
    assert.equal(meters.told.length, 2);
  });

  test("a registry that was set back goes above what its meters and isolates know", async (t) => {
    const { api, kv, meters, asks, act, ask, owner } = await start(t);
    const { key } = await api.key("p", { owner: "acme" });
    await asks({ key: key.id });
    meters.answers = [{ version: 7, leased_ms: 10_000 }];
    const { in_force_by: by } = await act(key.id, "Disable");
    assert.deepEqual(states(meters.told), [[2, "disabled"], [8, "disabled"]]);
    assert.ok(by !== null && by < Date.now() + 5000, "what was passed over does not count");
    await eventually(() => records(kv).get(key.id).version === 8, 2000);
    assert.equal((await asks({ key: key.id })).version, 8);

    const { Metering } = await ask({ Metering: { of: { key: key.id }, known: 20 } });
    assert.deepEqual([Metering.version, Metering.records[0].version], [21, 21]);
    await eventually(() => records(kv).get(key.id).version === 21 && meters.told.length === 3, 2000);

    await asks({ owner: "acme" });
    meters.answers = [{ version: 4 }];
    await owner({ LimitOwner: { owner: "acme", limits: rate(5) } });
    const versions = () => meters.of("owner", "acme").map(({ version, limits }) => [version, limits.rate[0].limit]);
    await eventually(() => versions().length === 2, 2000);
    assert.deepEqual(versions(), [[1, 5], [5, 5]]);
    await eventually(() => records(kv).get(key.id).owner_limits?.version === 5, 2000);
    assert.equal((await ask({ Metering: { of: { owner: "acme" }, known: 5 } })).Metering.version, 5);
    assert.equal((await ask({ Metering: { of: { owner: "other" }, known: 5 } })).Metering.version, 6);
    assert.deepEqual((await ask({ ListOwners: { from: null, limit: 10 } })).Items.items.length, 1);
  });

  test("a meter that refuses is told again until it acknowledges, also after a crash", async (t) => {
    const { api, meters, asks, act, keyward } = await start(t);
    const { key } = await api.key("p");
    await asks({ key: key.id });
    meters.answers = [500, 503];
    assert.equal((await act(key.id, "Disable")).in_force_by, null);
    assert.ok(meters.told.length < 3, "a failure is not waited for");
    await eventually(() => meters.told.length === 3, 5000);
    assert.deepEqual(new Set(states(meters.told).map(String)), new Set(["2,disabled"]));
    assert.ok(meters.told[1].at - meters.told[0].answered >= 450);
    assert.ok(meters.told[2].at - meters.told[1].answered >= 950);

    meters.usual = { before: new Promise(() => {}) };
    const asked = act(key.id, "Enable").catch(() => "lost");
    await eventually(() => meters.told.length === 4, 2000);
    await keyward.kill();
    assert.equal(await asked, "lost");
    meters.usual = {};
    await keyward.restart();
    // Nobody calls: the alarm alone finds what was lost.
    await eventually(() => meters.told.length === 5, 10_000);
    await sleep(QUIET);
    assert.deepEqual(states(meters.told.slice(3)), [[3, "active"], [3, "active"]]);
  });

  test("a suspension and other settings of a project reach the meters of its keys, whatever KV does", async (t) => {
    const { api, kv, meters, asks } = await start(t);
    const made = await Promise.all(Array.from({ length: 40 }, () => api.key("p")));
    const ids = made.map(({ key }) => key.id);
    const { key: page } = await api.key("p", { referrers: ["https://a.example"] });
    await Promise.all([...ids.slice(10), page.id].map((id) => asks({ key: id })));
    kv.break("put", fault.fail());
    await api.must("POST", "/projects/p/suspend", {});
    /** Those of a version, in the order of time. */
    const told = (version) => meters.told.filter((one) => one.version === version);
    const keys = (version) => new Set(told(version).map(({ of }) => of.key));
    await eventually(() => keys(2).size === 31, 3000);
    assert.deepEqual([...keys(2)].sort(), [...ids.slice(10), page.id].sort());
    assert.ok(told(2).every(({ records: [record] }) => record.status === "suspended"));
    kv.repair();
    await api.must("POST", "/projects/p/resume", {});
    await eventually(() => keys(3).size === 31, 3000);
    await api.patch("/projects/p", { max_age_s: 86_400 });
    await eventually(() => keys(4).size === 31, 3000);
    await sleep(QUIET);
    assert.ok(told(4).every(({ records: [record] }) => record.not_after));
    assert.ok(meters.told.length < 2 * 93, "each is told once; again only where its answer was not heard in time");
  });

  test("how soon changes hold is the project's to say, and told to the keys that it is new for", async (t) => {
    const { api, kv, meters, asks, ask } = await start(t);
    const { key } = await api.key("p");
    const { key: page } = await api.key("p", { referrers: ["https://a.example"] });
    await Promise.all([key, page].map(({ id }) => asks({ key: id })));
    const set = (revocation) => ask({ Update: { patch: { revocation }, if_match: null } });
    const modes = () => [key, page].map(({ id }) => records(kv).get(id)).map(({ version, revocation }) => [version, revocation]);
    const { Changed } = await set("strict");
    assert.deepEqual([Changed.item.revocation, Changed.publication], ["strict", "published"]);
    assert.deepEqual(modes(), [[1, "strict"], [2, "strict"]]);
    await set("eventual");
    assert.deepEqual(modes(), [[2, "eventual"], [3, "eventual"]]);
    await set(null);
    assert.deepEqual(modes(), [[3, "strict"], [3, "eventual"]]);
    assert.equal((await set(null)).Changed.item.revocation, undefined);
    assert.deepEqual(meters.of("key", key.id).map(({ version }) => version), [2, 3]);
    assert.deepEqual(meters.of("key", page.id).map(({ version }) => version), [2, 3]);
    const { changes } = (await api.audit("p")).findLast(({ action }) => action === "project.update");
    assert.deepEqual(changes, [{ field: "revocation", before: "eventual" }]);
  });

  test("the limits of an owner are told to its meter, and its keys' records say that there are some", async (t) => {
    const { api, kv, meters, asks, ask, owner } = await start(t);
    const { key } = await api.key("p", { owner: "acme" });
    await asks({ key: key.id });
    await asks({ owner: "acme" });
    const limit = (limits) => owner({ LimitOwner: { owner: "acme", limits } });
    const { item } = await limit(rate(5));
    assert.deepEqual(item, { owner: "acme", keys: 1, limits: rate(5) });
    assert.deepEqual(records(kv).get(key.id).owner_limits, { version: 1, on_meter_error: "deny" });
    await limit(rate(6));
    assert.deepEqual(records(kv).get(key.id).owner_limits, { version: 2, on_meter_error: "deny" });
    await limit({ ...rate(6), on_meter_error: "allow" });
    assert.deepEqual(records(kv).get(key.id).owner_limits, { version: 3, on_meter_error: "allow" });
    await owner({ SuspendOwner: { owner: "acme", note: "unpaid" } });
    const listed = async () => (await ask({ ListOwners: { from: null, limit: 10 } })).Items.items;
    const [shown] = await listed();
    assert.deepEqual([shown.note, shown.limits.on_meter_error, typeof shown.suspended_at], ["unpaid", "allow", "string"]);
    await owner({ ResumeOwner: { owner: "acme", note: null } });
    assert.deepEqual(await listed(), [{ owner: "acme", limits: shown.limits, keys: 1 }]);
    await limit(null);
    await limit(null);
    assert.deepEqual(await listed(), []);
    assert.equal(records(kv).get(key.id).owner_limits, undefined);
    assert.deepEqual(meters.of("owner", "acme").map(({ version, limits }) => [version, limits.rate?.[0].limit]), [[1, 5], [2, 6], [3, 6], [4, undefined]]);
    assert.deepEqual(meters.of("key", key.id).map(({ records: [{ owner_limits }] }) => owner_limits?.version ?? null), [1, 2, 3, 3, 3, null]);
    const logged = (await api.audit("p")).filter(({ action }) => action === "owner.limit");
    assert.deepEqual(logged.map(({ target, changes }) => [target, changes.length]), Array(4).fill(["acme", 1]));
  });

  test("changes of credits have numbers, and are sent until they are confirmed", async (t) => {
    const { api, meters, asks, ask, owner } = await start(t);
    const change = (act) => owner({ OwnerCredits: { owner: "acme", act } });
    const refused = await ask({ OwnerCredits: { owner: "acme", act: { add: 1 } } });
    assert.deepEqual([refused.Refused.code, refused.Refused.errors[0].field], ["key_spec_invalid", "credits"]);
    await owner({ LimitOwner: { owner: "acme", limits: credits(10) } });
    await change({ add: 5 });
    await change({ set: 7 });
    await sleep(QUIET);
    assert.deepEqual(meters.told, [], "they wait for the first question");
    const { credits: first } = await asks({ owner: "acme" });
    assert.deepEqual(acts(first), [[1, { set: 10 }], [2, { add: 5 }], [3, { set: 7 }]]);
    await eventually(() => meters.told.length === 1, 4000);
    assert.deepEqual(numbers(meters.told), [[1, 2, 3]], "the meter is asked whether it applied them");
    await eventually(async () => assert.deepEqual((await asks({ owner: "acme" })).credits, []), 2000);
    assert.equal(meters.told.length, 1);

    meters.answers = [500, { credits: 3 }];
    await change({ add: 1 });
    await change({ add: 2 });
    await eventually(async () => (await asks({ owner: "acme" })).credits.length === 0, 8000);
    assert.ok(numbers(meters.told).slice(1).flat().every((number) => number === 4 || number === 5));
    assert.deepEqual(numbers(meters.told).at(-1), [4, 5]);
    const count = meters.told.length;
    await sleep(QUIET);
    assert.equal(meters.told.length, count);
    const logged = (await api.audit("p")).filter(({ action }) => action === "owner.credits");
    assert.deepEqual(logged.map(({ changes: [{ after }] }) => after), [{ add: 5 }, { set: 7 }, { add: 1 }, { add: 2 }]);

    await owner({ LimitOwner: { owner: "acme", limits: null } });
    await owner({ LimitOwner: { owner: "acme", limits: credits(3) } });
    await change({ add: 9 });
    assert.deepEqual(meters.told.slice(-2).map((one) => acts(one.credits)), [[[6, { set: 3 }]], [[7, { add: 9 }]]]);
  });

  test("credits that are taken away and given again begin anew, whatever the meter had heard", async (t) => {
    const { api, meters, asks, act, ask, owner } = await start(t);
    const { key } = await api.key("p", { limits: credits(10), owner: "acme" });
    await owner({ LimitOwner: { owner: "acme", limits: credits(10) } });
    const subjects = [{ key: key.id }, { owner: "acme" }];
    for (const of of subjects) assert.deepEqual(acts((await asks(of)).credits), [[1, { set: 10 }]]);
    await eventually(() => meters.told.length === 2, 4000);

    meters.usual = 500;
    await act(key.id, { Credits: { act: { add: 1000 } } });
    await api.patch(`/projects/p/keys/${key.id}`, { limits: { credits: null, ...rate(1) } });
    await api.patch(`/projects/p/keys/${key.id}`, { limits: { credits: 20, rate: null } });
    await act(key.id, { Credits: { act: { add: 1 } } });
    await owner({ OwnerCredits: { owner: "acme", act: { add: 1000 } } });
    for (const limits of [null, credits(20)]) await owner({ LimitOwner: { owner: "acme", limits } });
    await owner({ OwnerCredits: { owner: "acme", act: { add: 1 } } });
    meters.usual = {};
    for (const of of subjects) assert.deepEqual(acts((await asks(of)).credits), [[3, { set: 20 }], [4, { add: 1 }]]);
    await eventually(async () => assert.deepEqual((await asks(subjects[0])).credits, []), 8000);
    // What the fields say later of the first balance is no change of what is left.
    await api.patch(`/projects/p/keys/${key.id}`, { limits: credits(99) });
    assert.deepEqual(meters.told.at(-1).credits, []);
    assert.equal((await ask({ Metering: { of: subjects[0] } })).Metering.limits.credits.balance, 99);
  });

  test("credits that nobody has used are told as what they are when they are given another refill", async (t) => {
    const { api, asks, act, keyward } = await start(t, { clock: true });
    const made = await Promise.all([1, 2].map(async () => (await api.key("p", { limits: credits(10) })).key.id));
    const refill = async (id, amount) => {
      await act(id, { Credits: { act: { add: 1 } } });
      await keyward.clock.advance(2 * 86_400_000);
      await api.patch(`/projects/p/keys/${id}`, { limits: { credits: { refill: { amount, period: "day" } } } });
    };
    const told = async (id) => (await asks({ key: id })).credits.map(({ number, at, act: one }) => [number, keyward.clock.now() - at < 60_000, one]);
    await refill(made[0], 100);
    assert.deepEqual(await told(made[0]), [[2, true, { set: 11 }]]);
    await refill(made[1], 100);
    await refill(made[1], 7);
    assert.deepEqual(await told(made[1]), [[3, true, { set: 100 }]], "what was refilled before");
    await refill(made[0], 7);
    assert.ok((await told(made[0])).every(([number]) => number === 3), "a meter that has asked knows better");
  });

  test("the limits and credits of a key are told to its meter", async (t) => {
    const { api, kv, meters, asks, ask, act } = await start(t);
    const { key } = await api.key("p");
    const change = { Key: { id: key.id, if_match: null, act: { Credits: { act: { add: 1 } } } } };
    const { Refused } = await ask(change);
    assert.deepEqual([Refused.code, Refused.errors[0].field], ["key_spec_invalid", "credits"]);
    await asks({ key: key.id });
    const limits = credits(10, rate(5));
    await api.patch(`/projects/p/keys/${key.id}`, { limits });
    assert.deepEqual(records(kv).get(key.id).limits, limits);
    const { item, version, publication } = await act(key.id, { Credits: { act: { add: 3 } } });
    assert.deepEqual([item.limits, item.version, version, publication], [limits, 2, 2, "published"]);
    assert.deepEqual(meters.told.map((one) => [one.version, one.limits, acts(one.credits)]), [[2, limits, [[1, { set: 10 }]]], [2, limits, [[2, { add: 3 }]]]]);
    const { changes } = (await api.audit("p")).findLast(({ action }) => action === "key.credits");
    assert.deepEqual(changes, [{ field: "credits", after: { add: 3 } }]);
    await api.patch(`/projects/p/keys/${key.id}`, { limits: null });
    assert.deepEqual([meters.told.at(-1).version, meters.told.at(-1).limits], [3, {}]);
    assert.equal((await ask(change)).Refused.code, "key_spec_invalid");
    await act(key.id, { Revoke: { reason: "unspecified", note: null } });
    assert.equal((await ask(change)).Refused.code, "key_state_conflict");
  });

  test("of a key that is gone for good its meter is told that nothing is left", async (t) => {
    const { api, meters, asks, ask, keyward } = await start(t, { clock: true });
    const { key, secret } = await api.key("p", { limits: credits(10) });
    const known = { Metering: { of: { key: key.id } } };
    await asks({ key: key.id });
    await api.change("p", key.id, "delete");
    assert.deepEqual(states(meters.told), [[2, "deleted"]]);
    assert.deepEqual(numbers(meters.told), [[1]]);
    await keyward.clock.advance(30 * 86_400_000 + 1000);
    await eventually(() => meters.told.length === 2, 8000);
    assert.deepEqual({ ...meters.told[1], at: 0, answered: 0 }, { at: 0, answered: 0, project: "p", of: { key: key.id }, version: 2, limits: {}, records: [], credits: [] });
    assert.equal((await ask(known)).Refused.code, "key_unknown");
    await api.import("p", [{ id: key.id, secret, limits: credits(7) }]);
    await sleep(QUIET);
    assert.ok(meters.told.every(({ version }) => version <= 2), "the new key's meter has not asked");
    const back = await asks({ key: key.id });
    assert.deepEqual([back.version, acts(back.credits)], [3, [[2, { set: 7 }]]], "the numbers go on");
  });

  test("what a rotation leaves behind is told when it goes", async (t) => {
    const { api, meters, asks, keyward } = await start(t, { clock: true });
    const { key } = await api.key("p");
    await api.change("p", key.id, "rotate", { overlap: 1 });
    assert.equal((await asks({ key: key.id })).records.length, 2);
    await keyward.clock.advance(30 * 86_400_000 + 2000);
    await eventually(() => meters.told.length === 1, 8000);
    assert.deepEqual([meters.told[0].version, meters.told[0].records.length], [2, 1]);
  });

  test("without meters the changes are kept, and KV has them", async (t) => {
    const { api, kv, asks, act, keyward } = await start(t, { without: () => ["METERS"] });
    const { key } = await api.key("p");
    await asks({ key: key.id });
    const took = [];
    for (let n = 0; n < TRIES; n += 1) {
      const began = Date.now();
      const { publication, in_force_by: by } = await act(key.id, n % 2 === 0 ? "Disable" : "Enable");
      took.push(Date.now() - began);
      assert.deepEqual([publication, by], ["published", null]);
    }
    assert.ok(Math.min(...took) < PATIENCE, `${took} ms: meters that are not there are not waited for`);
    assert.equal(records(kv).get(key.id).status, "disabled");
    assert.ok(keyward.log.includes("METERS is missing"));
  });
});
