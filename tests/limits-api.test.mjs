// Limits through the management API: what a key and an owner may be given, how they are shown,
// changed, moved and taken away, how they stand, and every way in which that is refused.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertRefused } from "./harness/refused.mjs";
import { ManagementClient, recordsOf, startRegistries } from "./harness/registry.mjs";

const MOST = 999_999_999_999;

const keyward = await startRegistries({ after });
const api = new ManagementClient(keyward);
let serial = 0;

/** A project of the test's own. */
async function project() {
  const id = `limits-${(serial += 1)}`;
  await api.project(id);
  return id;
}

/** A key with these limits: { id, key, path, project }. */
async function made(limits, fields = {}) {
  const own = await project();
  const { key } = await api.key(own, { ...fields, ...(limits && { limits }) });
  return { id: key.id, key, project: own, path: `/projects/${own}/keys/${key.id}` };
}

/** What a key's answer shows of its limits, after a merge patch of them. */
async function patched(path, limits) {
  const answer = await api.patch(path, { limits });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual((await api.get(path)).body.limits, answer.body.key.limits);
  return answer.body.key.limits;
}

const WRITTEN = {
  rate: [{ limit: 100, window_s: 60 }, { limit: 20, window_s: 60.0, per: "ip" }],
  quota: { limit: 10_000, period: "month", reset_day: 31 },
  credits: 500,
};
const SHOWN = {
  rate: [{ name: "60s", limit: 100, window_s: 60 }, { name: "ip-60s", limit: 20, window_s: 60, per: "ip" }],
  quota: [{ name: "month", limit: 10_000, period: "month", reset_day: 31 }],
  credits: { balance: 500 },
};

describe("limits of a key", () => {
  test("are shown in their canonical form, and stand in its record", async () => {
    const { id, key, path, project } = await made(WRITTEN);
    assert.deepEqual(key.limits, SHOWN);
    assert.deepEqual((await api.get(path)).body.limits, SHOWN);
    assert.deepEqual((await api.keys(project))[0].limits, SHOWN);
    const [record] = recordsOf(keyward.kv, id);
    assert.deepEqual([record.limits, record.revocation, record.owner_limits], [SHOWN, "strict", undefined]);
  });

  test("are left out where there are none", async () => {
    const { id, key } = await made();
    assert.equal(key.limits, undefined);
    assert.equal(recordsOf(keyward.kv, id)[0].limits, undefined);
  });

  test("are changed in the part that a patch names", async () => {
    const { path } = await made(WRITTEN);
    const { rate, quota, credits } = SHOWN;
    assert.deepEqual(await patched(path, { quota: null }), { rate, credits });
    assert.deepEqual(await patched(path, { on_meter_error: "allow" }), { rate, credits, on_meter_error: "allow" });
    assert.deepEqual(await patched(path, { on_meter_error: null, rate: [{ limit: 1, window_s: 2 }] }), { rate: [{ name: "2s", limit: 1, window_s: 2 }], credits });
    const refill = { amount: 9, period: "day" };
    assert.deepEqual(await patched(path, { rate: null, credits: { refill } }), { credits: { balance: 500, refill } });
    assert.deepEqual(await patched(path, { quota: [{ limit: 10_000, period: "month", reset_day: 31 }], credits: null }), { quota });
    assert.equal(await patched(path, null), undefined);
    assert.deepEqual(await patched(path, SHOWN), SHOWN);
  });

  test("that say the same make no new version", async () => {
    const { path, key } = await made(WRITTEN);
    for (const limits of [WRITTEN, SHOWN, {}]) assert.equal((await api.patch(path, { limits })).body.key.version, key.version);
    assert.equal((await api.patch(path, { limits: { credits: 501 } })).body.key.version, key.version + 1);
    const changes = (await api.audit(path.split("/")[2])).flatMap(({ action, changes }) => (action === "key.update" ? changes : []));
    assert.deepEqual(changes.map(({ field }) => field.split(".")[0]), ["limits"]);
  });

  test("that are wrong are all named, and nothing is created or changed", async () => {
    const { path, key, project } = await made(WRITTEN);
    const unlimited = (await made()).path;
    const rate = { limit: 1, window_s: 1 };
    for (const [limits, places] of [
      [{}, [""]],
      [[], [""]],
      [5, [""]],
      [{ rates: [rate] }, [".rates"]],
      [{ rate: [] }, [".rate"]],
      [{ rate }, [".rate"]],
      [{ rate: Array(9).fill(rate) }, [".rate"]],
      [{ rate: [rate, rate] }, [".rate[1].name"]],
      [{ rate: [{ limit: 0, window_s: 86_401 }] }, [".rate[0].limit", ".rate[0].window_s"]],
      [{ rate: [{ limit: MOST + 1, window_s: 1.5 }] }, [".rate[0].limit", ".rate[0].window_s"]],
      [{ rate: [{ limit: "5", window_s: -1, burst: 2 }] }, [".rate[0].limit", ".rate[0].window_s", ".rate[0].burst"]],
      [{ rate: [{ limit: 5, window_s: 3601, per: "ip" }] }, [".rate[0].window_s"]],
      [{ rate: [{ ...rate, per: "address" }] }, [".rate[0].per"]],
      [{ rate: [{ ...rate, name: "Credits" }, { ...rate, name: "credits" }] }, [".rate[0].name", ".rate[1].name"]],
      [{ quota: { limit: 5 } }, [".quota.period"]],
      [{ quota: [{ limit: 5, period: "day", reset_day: 3 }, { limit: 5, period: "hour" }] }, [".quota[0].reset_day", ".quota[1].period"]],
      [{ credits: -1 }, [".credits"]],
      [{ credits: { balance: 5, refill: { amount: 5, every: "day" } } }, [".credits.refill.period", ".credits.refill.every"]],
      [{ credits: 5, on_meter_error: "open" }, [".on_meter_error"]],
    ]) {
      const named = places.map((place) => `limits${place}`);
      assertRefused(await api.post(`/projects/${project}/keys`, { limits }), 422, "key_spec_invalid", named);
      assertRefused(await api.patch(unlimited, { limits }), 422, "key_spec_invalid", named);
    }
    assertRefused(await api.post(`/projects/${project}/keys`, { limits: null }), 422, "key_spec_invalid", ["limits"]);
    assertRefused(await api.patch(path, { limits: { rate: null, quota: null, credits: null } }), 422, "key_spec_invalid", ["limits"]);
    assert.equal((await api.keys(project)).length, 1);
    assert.deepEqual((await api.get(path)).body, key);
  });

  test("move with an export", async () => {
    const { project: from, id } = await made({ ...WRITTEN, on_meter_error: "allow" });
    const [line] = await api.exported(from);
    assert.deepEqual(line.limits, { ...SHOWN, on_meter_error: "allow" });
    // Another deployment: here the key itself is taken.
    const other = await startRegistries({ after });
    const there = new ManagementClient(other);
    await there.project("moved");
    const report = (await there.import("moved", [line])).body;
    assert.deepEqual([report.created, report.errors], [1, []]);
    assert.deepEqual((await there.must("GET", `/projects/moved/keys/${id}`)).limits, line.limits);
    assert.deepEqual(recordsOf(other.kv, id)[0].limits, line.limits);
    const [again] = await there.exported("moved");
    assert.deepEqual(again.limits, line.limits);
    const wrong = await there.import("moved", [{ ...line, limits: { credits: "5", quota: [] } }]);
    assert.deepEqual(wrong.body.errors[0].errors.map(({ field }) => field), ["limits.quota", "limits.credits"]);
  });
});

describe("how the limits of a key stand", () => {
  const limits = async (path) => (await api.must("GET", `${path}/limits`)).limits;

  test("is told of each that is counted", async () => {
    const { id, path } = await made(WRITTEN, { owner: "ann" });
    const shown = await api.must("GET", `${path}/limits`);
    const quota = shown.limits.find(({ type }) => type === "quota");
    assert.match(quota.resets_at, /^20\d\d-\d\d-\d\dT00:00:00(\.\d+)?Z$/);
    delete quota.resets_at;
    assert.deepEqual(shown, {
      key: id,
      limits: [
        { name: "60s", type: "rate", limit: 100, window_s: 60, remaining: 100 },
        { name: "month", type: "quota", limit: 10_000, remaining: 10_000 },
        { name: "credits", type: "credits", limit: 500, remaining: 500 },
      ],
    });
  });

  test("is nothing of a key that is not limited, or only for each address", async () => {
    const { id, path } = await made();
    assert.deepEqual(await api.must("GET", `${path}/limits`), { key: id, limits: [] });
    await patched(path, { rate: [{ limit: 5, window_s: 60, per: "ip" }] });
    assert.deepEqual(await limits(path), []);
  });

  test("follows what is changed", async () => {
    const { path } = await made({ credits: 5 });
    assert.equal((await limits(path))[0].remaining, 5);
    await api.must("POST", `${path}/credits`, { add: 7 });
    assert.equal((await limits(path))[0].remaining, 12);
    await patched(path, { rate: [{ limit: 3, window_s: 1 }] });
    assert.deepEqual((await limits(path)).map(({ name, remaining }) => [name, remaining]), [["1s", 3], ["credits", 12]]);
    await patched(path, null);
    assert.deepEqual(await limits(path), []);
  });

  test("is told of with each change that takes away: from when on it is in force", async () => {
    const { path } = await made({ credits: 5 });
    await limits(path);
    for (const [change, known] of [
      [() => api.must("POST", `${path}/credits`, { set: 1 }), true],
      [() => api.must("POST", `${path}/credits`, { add: 1 }), false],
      [async () => (await api.patch(path, { limits: { quota: { limit: 9, period: "day" } } })).body, true],
      [() => api.must("POST", `${path}/rotate`, { overlap: 0 }), false],
      [() => api.must("POST", `${path}/revoke`, {}), true],
    ]) {
      const { in_force_by } = await change();
      assert.equal(in_force_by !== undefined, known);
      // Nobody holds a lease.
      if (known) assert.ok(Math.abs(Date.parse(in_force_by) - Date.now()) < 5_000, in_force_by);
    }
  });

  test("is not told of a key or a project that does not exist", async () => {
    const { path, project } = await made();
    for (const what of ["limits", "usage"]) {
      assertRefused(await api.get(`/projects/${project}/keys/key_aaaaaaaaaaaaaaaaaaaa/${what}`), 404, "key_unknown");
      assertRefused(await api.get(`/projects/none${path.slice(path.indexOf("/keys"))}/${what}`), 404, "project_unknown");
    }
    assertRefused(await api.get("/projects/none/usage"), 404, "project_unknown");
  });

  test("takes the scope usage:read", async () => {
    const { path, project } = await made(WRITTEN);
    const scoped = async (...scopes) => api.as((await api.managementKey({ scopes })).secret);
    const [reads, writes] = [await scoped("usage:read"), await scoped("keys:read", "keys:write")];
    assert.equal((await reads.get(`${path}/limits`)).status, 200);
    for (const own of [`${path}/limits`, `${path}/usage`, `/projects/${project}/usage`]) assertRefused(await writes.get(own), 403, "scope_missing");
    assertRefused(await reads.post(`${path}/credits`, { add: 1 }), 403, "scope_missing");
  });
});

describe("credits of a key", () => {
  test("are set and added to, once for each idempotency key", async () => {
    const { path, key, project } = await made({ credits: 5 });
    const balance = async () => (await api.must("GET", `${path}/limits`)).limits[0].remaining;
    for (const replayed of [null, "true"]) {
      const answer = await api.post(`${path}/credits`, { add: 10 }, { "idempotency-key": "order-17" });
      assert.deepEqual([answer.status, answer.headers.get("idempotency-replayed")], [200, replayed], answer.text);
      assert.deepEqual(answer.body.key, key);
    }
    assert.equal(await balance(), 15);
    assertRefused(await api.post(`${path}/credits`, { add: 11 }, { "idempotency-key": "order-17" }), 422, "idempotency_mismatch");
    await api.must("POST", `${path}/credits`, { set: 0 });
    assert.equal(await balance(), 0);
    const noted = (await api.audit(project)).filter(({ action }) => action === "key.credits");
    assert.equal(noted.length, 2);
  });

  test("are what the key had at first, in its fields", async () => {
    const { path } = await made({ credits: 5 });
    await api.must("POST", `${path}/credits`, { add: 9 });
    assert.deepEqual((await api.get(path)).body.limits, { credits: { balance: 5 } });
    const left = async () => (await api.must("GET", `${path}/limits`)).limits[0].remaining;
    await patched(path, { credits: 1000 });
    assert.equal(await left(), 14, "nor when nobody had asked yet");
    await patched(path, { credits: 2000 });
    assert.equal(await left(), 14);
    await patched(path, { credits: null, rate: [{ limit: 1, window_s: 1 }] });
    await patched(path, { credits: 7, rate: null });
    assert.equal(await left(), 7);
    await api.must("POST", `${path}/credits`, { add: MOST });
    assert.equal(await left(), MOST);
  });

  test("are changed once for an idempotency key of the last day", async (t) => {
    const own = await startRegistries(t, { clock: true });
    const client = new ManagementClient(own);
    await client.project("p");
    const { key } = await client.key("p", { limits: { credits: 20 }, owner: "ann" });
    await client.must("POST", "/projects/p/owners:limit", { owner: "ann", limits: { credits: 20 } });
    const credits = `/projects/p/keys/${key.id}/credits`;
    const once = { "idempotency-key": "order-17" };
    const add = async () => {
      const answers = [await client.post(credits, { add: 5 }, once), await client.post("/projects/p/owners:credits", { owner: "ann", add: 5 }, { "idempotency-key": "order-18" })];
      return answers.map(({ status, headers }) => [status, headers.get("idempotency-replayed")]);
    };
    const [fresh, again] = [Array(2).fill([200, null]), Array(2).fill([200, "true"])];
    assert.deepEqual(await add(), fresh);
    await own.clock.advance(11 * 60_000);
    assert.deepEqual(await add(), again);
    await own.clock.advance(23.5 * 3_600_000);
    assert.deepEqual(await add(), again);
    await own.clock.advance(3_600_000);
    assert.deepEqual(await add(), fresh);
    const { limits: [own_], owner: [shared] } = await client.must("GET", `/projects/p/keys/${key.id}/limits`);
    assert.deepEqual([own_.remaining, shared.remaining], [30, 30]);
  });

  test("take one number of units, of a key that has credits and may be changed", async () => {
    const { path } = await made({ credits: 5 });
    for (const [body, fields] of [
      [{}, ["set"]],
      [{ set: 1, add: 1 }, ["add"]],
      [{ set: -1 }, ["set"]],
      [{ set: 1.5 }, ["set"]],
      [{ set: MOST + 1 }, ["set"]],
      [{ set: null }, ["set"]],
      [{ add: 0 }, ["add"]],
      [{ add: "5" }, ["add"]],
      [{ add: 5, reason: "x" }, ["reason"]],
      [[], ["body"]],
    ]) {
      assertRefused(await api.post(`${path}/credits`, body), 422, "request_invalid", fields);
    }
    assertRefused(await api.post(`${path}/credits`), 415, "media_type_unsupported");
    assertRefused(await api.call("POST", `${path}/credits`, { body: { add: 1 }, headers: { "if-match": '"7"' } }), 412, "version_conflict");
    await patched(path, { credits: null, quota: { limit: 1, period: "day" } });
    assertRefused(await api.post(`${path}/credits`, { add: 5 }), 422, "request_invalid", ["credits"]);
    await patched(path, { credits: 1 });
    await api.must("POST", `${path}/revoke`, {});
    assertRefused(await api.post(`${path}/credits`, { add: 5 }), 409, "key_state_conflict");
  });
});

describe("limits that an owner's keys share", () => {
  const QUOTA = { quota: { limit: 7, period: "day" } };
  const OF_QUOTA = { quota: [{ name: "day", limit: 7, period: "day" }] };

  test("are set, listed, shown with each key, and taken away", async () => {
    const { id, path, project } = await made({ credits: 5 }, { owner: "ann" });
    const limit = (limits) => api.must("POST", `/projects/${project}/owners:limit`, { owner: "ann", limits });
    const changed = await limit({ ...QUOTA, on_meter_error: "allow" });
    assert.deepEqual([changed.owner, changed.keys, changed.limits], ["ann", 1, { ...OF_QUOTA, on_meter_error: "allow" }]);
    assert.ok(["published", "pending"].includes(changed.publication));
    assert.equal(recordsOf(keyward.kv, id)[0].owner_limits.on_meter_error, "allow");
    const [listed] = await api.all(`/projects/${project}/owners`);
    assert.deepEqual(listed, { owner: "ann", limits: changed.limits, keys: 1 });

    await limit(QUOTA);
    assert.equal(recordsOf(keyward.kv, id)[0].owner_limits.on_meter_error, "deny");
    const { owner, limits } = await api.must("GET", `${path}/limits`);
    assert.deepEqual([owner.map(({ name, remaining }) => [name, remaining]), limits.length], [[["day", 7]], 1]);

    await api.must("POST", `/projects/${project}/owners:suspend`, { owner: "ann", note: "unpaid" });
    const [suspended] = await api.all(`/projects/${project}/owners`);
    assert.deepEqual([suspended.limits, suspended.note], [OF_QUOTA, "unpaid"]);
    await api.must("POST", `/projects/${project}/owners:resume`, { owner: "ann" });

    assert.equal((await limit(null)).limits, undefined);
    assert.deepEqual(await api.all(`/projects/${project}/owners`), []);
    assert.equal(recordsOf(keyward.kv, id)[0].owner_limits, undefined);
    assert.equal((await api.must("GET", `${path}/limits`)).owner, undefined);
    const actions = (await api.audit(project)).map(({ action }) => action);
    assert.equal(actions.filter((action) => action === "owner.limit").length, 3);
  });

  test("may be set before there is a key", async () => {
    const own = await project();
    const body = { owner: "bob", limits: QUOTA };
    assert.equal((await api.must("POST", `/projects/${own}/owners:limit`, body)).keys, 0);
    const { key } = await api.key(own, { owner: "bob" });
    assert.equal(recordsOf(keyward.kv, key.id)[0].owner_limits.on_meter_error, "deny");
  });

  test("are refused when they are wrong", async () => {
    const path = `/projects/${await project()}/owners:limit`;
    for (const [body, fields] of [
      [{ owner: "ann" }, ["limits"]],
      [{ limits: null }, ["owner"]],
      [{ owner: "", limits: {} }, ["owner", "limits"]],
      [{ owner: "ann", limits: [] }, ["limits"]],
      [{ owner: "ann", limits: { rate: [{ limit: 1, window_s: 1, per: "ip" }] } }, ["limits.rate[0].per"]],
      [{ owner: "ann", limits: { rate: [{ limit: 1, window_s: 1, per: "key" }] } }, ["limits.rate[0].per"]],
      [{ owner: "ann", limits: { quota: { limit: 0, period: "day" } } }, ["limits.quota.limit"]],
      [{ owner: "ann", limits: null, note: "x" }, ["note"]],
    ]) {
      assertRefused(await api.post(path, body), 422, "request_invalid", fields);
    }
  });

  test("hold credits that are set and added to", async () => {
    const { path, project } = await made(undefined, { owner: "ann" });
    const credits = `/projects/${project}/owners:credits`;
    assertRefused(await api.post(credits, { owner: "ann", add: 5 }), 422, "request_invalid", ["credits"]);
    await api.must("POST", `/projects/${project}/owners:limit`, { owner: "ann", limits: { credits: 5 } });
    const changed = await api.must("POST", credits, { owner: "ann", add: 5 });
    assert.deepEqual([changed.owner, changed.limits], ["ann", { credits: { balance: 5 } }]);
    assert.equal((await api.must("GET", `${path}/limits`)).owner[0].remaining, 10);
    for (const [body, fields] of [
      [{ owner: "ann" }, ["set"]],
      [{ add: 5 }, ["owner"]],
      [{ owner: "ann", set: 1, add: 1 }, ["add"]],
    ]) {
      assertRefused(await api.post(credits, body), 422, "request_invalid", fields);
    }
  });

  test("cannot be changed in an archived project", async () => {
    const { path, project } = await made({ credits: 5 }, { owner: "ann" });
    await api.must("POST", `/projects/${project}/archive`, {});
    for (const [own, body] of [
      [`/projects/${project}/owners:limit`, { owner: "ann", limits: null }],
      [`/projects/${project}/owners:credits`, { owner: "ann", add: 5 }],
      [`${path}/credits`, { add: 5 }],
    ]) {
      assertRefused(await api.post(own, body), 409, "project_state_conflict");
    }
  });
});

describe("how soon changes of a project's keys hold", () => {
  test("is set for all its keys, and by default follows from their kind", async () => {
    const { id, project } = await made();
    const { key } = await api.key(project, { any_referrer: true });
    const modes = () => [id, key.id].map((one) => recordsOf(keyward.kv, one)[0].revocation);
    const set = async (revocation) => (await api.patch(`/projects/${project}`, { revocation })).body.project.revocation;
    assert.deepEqual(modes(), ["strict", "eventual"]);
    assert.equal(await set("strict"), "strict");
    assert.deepEqual(modes(), ["strict", "strict"]);
    assert.equal(await set("eventual"), "eventual");
    assert.deepEqual(modes(), ["eventual", "eventual"]);
    assert.equal((await api.must("GET", `/projects/${project}`)).revocation, "eventual");
    assert.equal(await set(null), undefined);
    assert.deepEqual(modes(), ["strict", "eventual"]);
    for (const wrong of ["Strict", "", 1, true, {}]) {
      assertRefused(await api.patch(`/projects/${project}`, { revocation: wrong }), 422, "project_spec_invalid", ["revocation"]);
    }
  });
});

describe("usage", () => {
  /** So many days ago. */
  const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString();

  test("is asked for in spans that can be told", async () => {
    const { path, project } = await made();
    for (const own of [`${path}/usage`, `/projects/${project}/usage`]) {
      for (const [query, fields] of [
        ["since=yesterday", ["since"]],
        ["since=2026-11-21", ["since"]],
        ["by=week&until=0", ["by", "until"]],
        ["since=2026-11-21T12:00:00Z&until=2026-11-21T12:00:00Z", ["since"]],
        ["since=2026-11-21T12:00:00Z&until=2026-11-21T11:00:00Z", ["since"]],
        [`since=${ago(751 / 1440)}&by=minute`, ["since"]],
        [`since=${ago(32)}`, ["since"]],
        [`since=${ago(3)}&until=${ago(2.9)}&by=minute`, ["since"]],
        [`since=${ago(92)}&until=${ago(91.5)}&by=hour`, ["since"]],
        [`since=${ago(735)}&until=${ago(700)}&by=day`, ["since"]],
        ["since=1970-01-01T00:00:00Z", ["since"]],
        ["by=day&by=day", ["by"]],
        ["limit=5", ["limit"]],
      ]) {
        assertRefused(await api.get(`${own}?${query}`), 400, "query_invalid", fields);
      }
    }
  });

  test("of the longest time that is kept is told", async () => {
    const { path } = await made();
    for (const query of [`since=${ago(30.9)}`, `since=${ago(730)}&by=day`, `since=${ago(0.5)}&by=minute`, `since=${ago(2)}&until=${ago(1.9)}&by=minute`]) {
      await api.must("GET", `${path}/usage?${query}`);
    }
  });

  test("of what was not used is nothing, in whole spans", async () => {
    const { path, project } = await made();
    for (const own of [`${path}/usage`, `/projects/${project}/usage`]) {
      const [day, next] = [ago(2), ago(1)].map((time) => time.slice(0, 10));
      const shown = await api.must("GET", `${own}?since=${day}T12:30:00Z&until=${next}T12:30:00Z`);
      const none = { total: { calls: 0 }, spans: [] };
      assert.deepEqual(shown, { since: `${day}T12:00:00Z`, until: `${next}T13:00:00Z`, by: "hour", ...none });
      const { since, until, by } = await api.must("GET", own);
      assert.deepEqual([Date.parse(until) - Date.parse(since), by], [25 * 3_600_000, "hour"]);
    }
  });
});
