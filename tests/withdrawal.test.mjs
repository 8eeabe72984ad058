// What takes keys away without naming them: the suspension of their owner, environment or project,
// and their holder.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertRefused } from "./harness/refused.mjs";
import { eventually, ManagementClient, recordsOf } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/legacy/**"
origin = "\${ORIGIN}"
imported_keys = true

[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
/** Isolate memory serves no record that is older. */
const STALE = 30_001;

const stage = await startStage({ after }, { gateway: GATEWAY, clock: true });
const { clock } = stage.gateway;
await clock.stop();
const api = new ManagementClient(stage.gateway);
let serial = 0;

/** A project with the keys ann, bob (with these owners) and staging (in the environment test). */
async function made() {
  const project = `p${(serial += 1)}`;
  await api.project(project);
  const keys = {};
  for (const [name, fields] of Object.entries({ ann: { owner: "ann" }, bob: { owner: "bob" }, staging: { owner: "bob", environment: "test" } })) {
    keys[name] = await api.key(project, { name, ...fields });
    await passes(keys[name].secret);
  }
  return { project, base: `/projects/${project}`, keys };
}

const passes = (secret, path = "/x") => stage.passes(path, { key: secret });
const refuses = (code, secret, path = "/x") => stage.refuses(code, path, { key: secret });

/** The registry, KV and the edge agree on each key: `expected` is { name: suspended_by or "" }. */
async function assertSuspended({ base, keys }, expected) {
  await eventually(() => Object.entries(expected).every(([name, by]) => recordsOf(stage.kv, keys[name].key.id)[0].status === (by ? "suspended" : "active")), 5000);
  await clock.advance(STALE);
  for (const [name, by] of Object.entries(expected)) {
    const { key, secret } = keys[name];
    const { status, suspended_by = "", version } = (await api.get(`${base}/keys/${key.id}`)).body;
    assert.deepEqual([name, status, suspended_by], [name, by ? "suspended" : "active", by]);
    assert.equal(recordsOf(stage.kv, key.id)[0].version, version, name);
    await (by ? refuses("key_disabled", secret) : passes(secret));
  }
}

describe("suspension", () => {
  test("of an owner takes their keys, present and coming, until they are resumed", async () => {
    const one = await made();
    const suspended = await api.must("POST", `${one.base}/owners:suspend`, { owner: "bob", note: "unpaid" });
    assert.deepEqual([suspended.owner, suspended.keys], ["bob", 2]);
    await assertSuspended(one, { ann: "", bob: "owner", staging: "owner" });
    const { items } = await api.must("GET", `${one.base}/owners`);
    assert.deepEqual(items.map(({ owner, note, keys }) => ({ owner, note, keys })), [{ owner: "bob", note: "unpaid", keys: 2 }]);
    const coming = await api.key(one.project, { owner: "bob" });
    assert.deepEqual([coming.key.status, coming.key.suspended_by], ["suspended", "owner"]);
    await refuses("key_disabled", coming.secret);
    await api.patch(`${one.base}/keys/${one.keys.ann.key.id}`, { owner: "bob" });
    await api.patch(`${one.base}/keys/${one.keys.bob.key.id}`, { owner: "carl" });
    await assertSuspended(one, { ann: "owner", bob: "", staging: "owner" });
    const resumed = await api.must("POST", `${one.base}/owners:resume`, { owner: "bob" });
    assert.deepEqual([resumed.owner, resumed.keys], ["bob", 3]);
    await assertSuspended(one, { ann: "", bob: "", staging: "" });
    await passes(coming.secret);
    assert.deepEqual((await api.must("GET", `${one.base}/owners`)).items, []);
  });

  test("of a project takes all its keys, which can still be changed", async () => {
    const one = await made();
    const { project } = await api.must("POST", `${one.base}/suspend`, { note: "under attack" });
    assert.deepEqual([project.status, project.note, project.version], ["suspended", "under attack", 2]);
    assert.ok(project.suspended_at);
    await assertSuspended(one, { ann: "project", bob: "project", staging: "project" });
    const path = `${one.base}/keys/${one.keys.ann.key.id}`;
    await api.must("POST", `${path}/disable`);
    assert.deepEqual((await api.get(path)).body.status, "suspended");
    await api.must("POST", `${one.base}/keys/${one.keys.bob.key.id}/revoke`);
    const back = await api.must("POST", `${one.base}/resume`);
    assert.deepEqual([back.project.status, back.project.suspended_at], ["active", undefined]);
    await eventually(() => recordsOf(stage.kv, one.keys.staging.key.id)[0].status === "active", 5000);
    await clock.advance(STALE);
    assert.equal((await api.get(path)).body.status, "disabled", "what was changed meanwhile holds");
    await refuses("key_disabled", one.keys.ann.secret);
    await refuses("key_revoked", one.keys.bob.secret);
    await passes(one.keys.staging.secret);
  });

  test("of an environment takes its keys; the widest is named", async () => {
    const one = await made();
    const { environment } = await api.must("POST", `${one.base}/environments/test/archive`);
    assert.deepEqual([environment.id, environment.status], ["test", "archived"]);
    await assertSuspended(one, { ann: "", bob: "", staging: "environment" });
    await api.must("POST", `${one.base}/owners:suspend`, { owner: "bob" });
    await assertSuspended(one, { ann: "", bob: "owner", staging: "environment" });
    await api.must("POST", `${one.base}/suspend`);
    await assertSuspended(one, { ann: "project", bob: "project", staging: "project" });
    await api.must("POST", `${one.base}/environments/test/restore`);
    await api.must("POST", `${one.base}/resume`);
    await assertSuspended(one, { ann: "", bob: "owner", staging: "owner" });
    assertRefused(await api.post(`${one.base}/environments/nope/archive`), 404, "environment_unknown");
    assertRefused(await api.post(`${one.base}/environments`, { id: "live" }), 409, "environment_exists");
  });

  test("an archived project refuses keys and their changes, and stands in no list", async () => {
    const one = await made();
    const path = `${one.base}/keys/${one.keys.ann.key.id}`;
    await api.must("POST", `${one.base}/archive`, { note: "moved" });
    await assertSuspended(one, { ann: "project", bob: "project", staging: "project" });
    const listed = async (query) => (await api.all("/projects", query)).some(({ id }) => id === one.project);
    assert.deepEqual([await listed("limit=100"), await listed("status=active"), await listed("status=archived")], [false, false, true]);
    assert.ok(!(await api.all("/keys")).some(({ project }) => project === one.project));
    assertRefused(await api.post(`${one.base}/keys`, {}), 409, "project_state_conflict");
    assertRefused(await api.patch(path, { name: "x" }), 409, "project_state_conflict");
    for (const verb of ["rotate", "revoke", "disable", "enable", "undelete"]) assertRefused(await api.post(`${path}/${verb}`), 409, "project_state_conflict");
    assertRefused(await api.call("DELETE", path), 409, "project_state_conflict");
    assertRefused(await api.import(one.project, [{ secret: "imported-secret-0123456789" }]), 409, "project_state_conflict");
    const { project } = await api.must("POST", `${one.base}/restore`);
    assert.deepEqual([project.status, project.archived_at], ["active", undefined]);
    await assertSuspended(one, { ann: "", bob: "", staging: "" });
    assert.equal(await listed("limit=100"), true);
  });

  test("repeating it is no new version", async () => {
    const one = await made();
    for (const [path, body] of [["/suspend"], ["/resume"], ["/owners:suspend", { owner: "bob" }], ["/owners:resume", { owner: "bob" }], ["/environments/test/archive"], ["/environments/test/restore"]]) {
      await api.must("POST", one.base + path, body);
      const versions = async () => [(await api.get(one.base)).body.version, (await api.keys(one.project)).map(({ version }) => version), (await api.audit(one.project)).length];
      const before = await versions();
      await api.must("POST", one.base + path, body);
      assert.deepEqual(await versions(), before, path);
    }
  });
});

describe("the holder", () => {
  const revoke = (secret, body) => api.as(secret).post("/keys:selfRevoke", body);

  test("of a private secret revokes it, and no other of the key", async () => {
    const { base, keys } = await made();
    const { key, secret } = keys.ann;
    const { secret: newer } = await api.must("POST", `${base}/keys/${key.id}/rotate`);
    const answer = await revoke(secret, { reason: "keyCompromise", note: "committed by mistake" });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.body, { id: key.id, secret: key.secrets[0].id, status: "revoked" });
    const { status, secrets } = (await api.get(`${base}/keys/${key.id}`)).body;
    assert.deepEqual([status, secrets.map((one) => one.status)], ["active", ["live", "revoked"]]);
    assert.deepEqual([secrets[1].revoked.reason, secrets[1].revoked.note], ["keyCompromise", "committed by mistake"]);
    await eventually(() => recordsOf(stage.kv, key.id).some((one) => one.status === "revoked"), 5000);
    await clock.advance(STALE);
    await refuses("key_revoked", secret);
    await passes(newer);
    assertRefused(await revoke(newer, { reason: "nonsense" }), 422, "request_invalid", ["reason"]);
    await passes(newer);
  });

  test("of a management secret revokes it", async () => {
    const { project } = await made();
    const { key, secret } = await api.managementKey({ project });
    const answer = await revoke(secret);
    assert.deepEqual([answer.status, answer.body], [200, { id: key.id, secret: key.secrets[0].id, status: "revoked" }]);
    assertRefused(await api.as(secret).get("/whoami"), 401, "key_invalid");
    assert.equal((await api.get(`/management-keys/${key.id}`)).body.secrets[0].status, "revoked");
  });

  test("of an imported secret revokes it", async () => {
    const { base, project } = await made();
    const secret = `legacy-secret-of-${project}-0123456789`;
    const { keys: [{ id }] } = (await api.import(project, [{ name: "legacy", kind: "private", secret }])).body;
    await passes(secret, "/legacy/x");
    const answer = await revoke(secret);
    assert.deepEqual([answer.status, answer.body.id], [200, id], answer.text);
    await eventually(() => recordsOf(stage.kv, id)[0].status === "revoked", 5000);
    await clock.advance(STALE);
    await refuses("key_revoked", secret, "/legacy/x");
    assert.equal((await api.get(`${base}/keys/${id}`)).body.secrets[0].status, "revoked");
  });

  test("of a public key may not: anyone has it", async () => {
    const { base, project } = await made();
    const { key, secret } = await api.key(project, { any_referrer: true });
    assertRefused(await revoke(secret), 403, "kind_not_accepted");
    assert.equal((await api.get(`${base}/keys/${key.id}`)).body.secrets[0].status, "live");
  });
});
