// The life of a key from its creation to its purge: what each change does in the registry, in KV
// and on the edge, and the moments at which time alone changes something.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { at, startLife } from "./harness/life.mjs";
import { assertRefused } from "./harness/refused.mjs";
import { eventually, recordsOf } from "./harness/registry.mjs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Isolate memory serves no record that is older. */
const STALE = 30_001;
const REASONS = ["unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"];

const { stage, clock, api, made, shown, until, passes, refuses } = await startLife({ after });
/** The edge has forgotten what it knew, so that it reads what KV has. */
const aged = () => clock.advance(STALE);

/** A call answers with this before a moment, to the second, and with that from the moment on. */
async function atTheBoundary(moment, before, then) {
  await until(at(Date.parse(moment) - 1000));
  await before();
  await clock.advance(999);
  await before();
  await clock.advance(1);
  await then();
  await clock.advance(STALE);
  await then();
}

describe("updating", () => {
  test("a merge patch changes what it names, null removes, and the rest stays", async () => {
    const fields = { name: "Ci", owner: "ann", scopes: ["chat:write"], ips: ["192.0.2.0/24"], metadata: { team: "a", deep: { one: 1, two: 2 } } };
    const { key, path } = await made(fields);
    const patch = { name: "Build", owner: null, ips: null, paths: ["get /v1/**"], expires_at: at(clock.now() + 60 * DAY), metadata: { team: null, deep: { two: 3 } }, delete_protection: true };
    const answer = await api.patch(path, patch, 1);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.body.publication, answer.body.key.version, answer.headers.get("etag")], ["published", 2, '"2"']);
    const { owner, ips, ...kept } = key;
    assert.deepEqual([owner, ips], ["ann", ["192.0.2.0/24"]]);
    const expected = { ...kept, version: 2, name: "Build", paths: ["GET /v1/**"], expires_at: patch.expires_at, metadata: { deep: { one: 1, two: 3 } }, delete_protection: true, updated_at: answer.body.key.updated_at };
    assert.deepEqual(comparable(answer.body.key), comparable(expected));
    assert.deepEqual(await shown(path), answer.body.key);
    const [record] = recordsOf(stage.kv, key.id);
    assert.deepEqual([record.version, record.owner, record.restrictions], [2, undefined, { paths: ["GET /v1/**"], scopes: ["chat:write"] }]);
  });

  test("the edge holds a key to its new rules", async () => {
    const { secret, path } = await made();
    await passes(secret);
    await api.patch(path, { paths: ["GET /only"] });
    await aged();
    await refuses("path_denied", secret);
    await api.patch(path, { paths: null });
    await aged();
    await passes(secret);
  });

  test("a change says which version it is meant for", async () => {
    const { path } = await made({ name: "one" });
    const change = (headers) => api.call("PATCH", path, { body: { name: "two" }, headers });
    assertRefused(await change({}), 428, "precondition_required");
    for (const tag of ["1", '"a"', 'W/"1"', '"1", "2"', ""]) {
      const answer = await change({ "if-match": tag });
      if (tag === "") assertRefused(answer, 428, "precondition_required");
      else assertRefused(answer, 400, "header_invalid");
    }
    for (const tag of ['"0"', '"2"']) assertRefused(await change({ "if-match": tag }), 412, "version_conflict");
    assert.deepEqual([(await shown(path)).name, (await shown(path)).version], ["one", 1]);
    assert.equal((await change({ "if-match": '"1"' })).status, 200);
    assertRefused(await change({ "if-match": '"1"' }), 412, "version_conflict");
    assert.equal((await change({ "if-match": "*" })).status, 200);
  });

  test("the version is honoured wherever it is given", async () => {
    const { path } = await made();
    for (const [method, verb, body] of [["POST", "/disable"], ["POST", "/enable"], ["POST", "/rotate", { overlap: 0 }], ["POST", "/revoke"], ["DELETE", ""], ["POST", "/undelete"]]) {
      const { version } = await shown(path);
      const call = (tag) => api.call(method, path + verb, { body, headers: { "if-match": `"${tag}"` } });
      assertRefused(await call(version + 1), 412, "version_conflict");
      assert.equal((await shown(path)).version, version);
      const answer = await call(version);
      assert.ok(answer.status < 300, `${verb}: ${answer.text}`);
      assert.equal(answer.headers.get("etag"), `"${version + 1}"`);
    }
  });

  test("a patch that changes nothing makes no version", async () => {
    const { key, path } = await made({ name: "same", scopes: ["a:b"] });
    for (const patch of [{}, { name: "same" }, { scopes: ["a:b"], owner: null }]) {
      assert.deepEqual((await api.patch(path, patch, 1)).body.key, key);
    }
  });

  test("unknown and immutable fields are named, and nothing is changed", async () => {
    const { key, path } = await made({ referrers: ["example.com"] });
    for (const [patch, named] of [
      [{ nonsense: 1, name: "x" }, ["nonsense"]],
      [{ id: "key_x", environment: "test", project: "q", kind: "management" }, ["id", "environment", "project", "kind"]],
      [{ status: "revoked", version: 9, secrets: [], created_at: null }, ["status", "version", "secrets", "created_at"]],
      [{ referrers: null }, ["referrers"]],
      [{ referrers: ["*.com"], name: "" }, ["referrers[0]", "name"]],
      [{ any_referrer: true }, ["any_referrer"]],
      [{ not_before: at(clock.now() + DAY), expires_at: at(clock.now()) }, ["expires_at"]],
      [{ limits: {} }, ["limits"]],
      [{ limits: { rate: [] }, status: "active" }, ["limits.rate", "status"]],
      [[], ["key"]],
    ]) {
      assertRefused(await api.patch(path, patch, 1), 422, "key_spec_invalid", named);
    }
    assert.deepEqual(await shown(path), key);
    assert.equal((await api.patch(path, { referrers: null, any_referrer: true }, 1)).body.key.any_referrer, true);
  });

  test("a merge patch may be called so", async () => {
    const { path } = await made();
    const as = (type) => api.call("PATCH", path, { raw: '{"name":"x"}', headers: { "if-match": "*", "content-type": type } });
    for (const type of ["application/merge-patch+json", "application/json", "application/merge-patch+json; charset=utf-8"]) assert.equal((await as(type)).status, 200, type);
    for (const type of ["application/json-patch+json", "text/plain"]) assertRefused(await as(type), 415, "media_type_unsupported");
  });

  test("an environment that the project does not have takes no key", async () => {
    const { project } = await made();
    assertRefused(await api.post(`/projects/${project}/keys`, { environment: "staging" }), 422, "key_spec_invalid", ["environment"]);
    await api.must("POST", `/projects/${project}/environments`, { id: "staging" });
    assert.match((await api.key(project, { environment: "staging" })).secret, /^kw_sk_staging_1/);
  });
});

describe("revoking, disabling, deleting", () => {
  test("each reason of RFC 5280 is kept with the key, and no other", async () => {
    for (const reason of REASONS) {
      const { key, path } = await made();
      const body = reason === "unspecified" ? undefined : { reason, note: `because of ${reason}` };
      const { key: revoked } = (await api.post(`${path}/revoke`, body)).body;
      assert.deepEqual({ ...revoked.revoked, at: undefined }, { at: undefined, reason, ...(body && { note: body.note }) });
      assert.equal(Date.parse(revoked.revoked.at), Date.parse(revoked.updated_at));
      assert.deepEqual([revoked.status, revoked.version], ["revoked", 2]);
      assert.deepEqual((await api.post(`${path}/revoke`, { reason: "superseded" })).body.key, revoked, "the first reason stays");
      assert.equal(recordsOf(stage.kv, key.id)[0].status, "revoked");
    }
    const { path } = await made();
    for (const [body, named] of [[{ reason: "KeyCompromise" }, "reason"], [{ reason: "cACompromise" }, "reason"], [{ note: "x".repeat(201) }, "note"], [{ why: 1 }, "why"]]) {
      assertRefused(await api.post(`${path}/revoke`, body), 422, "request_invalid", [named]);
    }
    assert.equal((await shown(path)).status, "active");
  });

  test("the edge says to the holder what has become of the key", async () => {
    const { secret, path } = await made();
    await passes(secret);
    for (const [verb, code] of [["disable", "key_disabled"], ["enable"], ["revoke", "key_revoked"]]) {
      await api.must("POST", `${path}/${verb}`);
      await aged();
      await (code ? refuses(code, secret) : passes(secret));
    }
    await api.must("DELETE", path);
    await aged();
    await refuses("key_invalid", secret);
  });

  for (const before of ["active", "disabled", "revoked"]) {
    test(`a deleted key comes back as it was, here ${before}`, async () => {
      const { key, secret, path, project } = await made({ name: "kept", scopes: ["a:b"] });
      if (before !== "active") await api.must("POST", `${path}/${before === "disabled" ? "disable" : "revoke"}`);
      const was = await shown(path);
      const { body } = await api.call("DELETE", path);
      const { deleted_at, purge_at } = body.key;
      assert.deepEqual([body.key.status, Date.parse(purge_at) - Date.parse(deleted_at)], ["deleted", 30 * DAY]);
      assert.equal(recordsOf(stage.kv, key.id)[0].status, "deleted");
      assert.deepEqual(await api.keys(project), []);
      assert.deepEqual((await api.all(`/projects/${project}/keys`, "status=deleted")).map(({ id }) => id), [key.id]);
      for (const verb of ["disable", "enable", "revoke", "rotate"]) assertRefused(await api.post(`${path}/${verb}`), 409, "key_state_conflict");
      assertRefused(await api.patch(path, { name: "x" }), 409, "key_state_conflict");
      const back = (await api.post(`${path}/undelete`)).body.key;
      assert.deepEqual(comparable(back), comparable({ ...was, version: was.version + 2, updated_at: back.updated_at }));
      assert.deepEqual((await api.post(`${path}/undelete`)).body.key, back, "repeating changes nothing");
      await aged();
      await (before === "active" ? passes(secret) : refuses(`key_${before}`, secret));
    });
  }

  test("a protected key is deleted only after its protection is", async () => {
    const { path } = await made({ delete_protection: true });
    assertRefused(await api.call("DELETE", path), 409, "key_protected");
    assert.equal((await api.post(`${path}/revoke`)).status, 200, "it protects against deletion, not against withdrawal");
    await api.patch(path, { delete_protection: false });
    assert.equal((await api.call("DELETE", path)).status, 200);
  });

  test("a deleted key can come back for thirty days, to the second; then nothing is left of it", async () => {
    const [returning, leaving] = [await made(), await made()];
    for (const { path } of [returning, leaving]) await api.must("DELETE", path);
    const { purge_at } = await shown(returning.path);
    await until(at(Date.parse(purge_at) - 1000));
    await api.must("POST", `${returning.path}/undelete`);
    await until((await shown(leaving.path)).purge_at);
    assertRefused(await api.post(`${leaving.path}/undelete`), 404, "key_unknown");
    await eventually(async () => assertRefused(await api.get(leaving.path), 404, "key_unknown"), 5000);
    await eventually(() => recordsOf(stage.kv, leaving.key.id).length === 0, 15_000);
    assert.equal(recordsOf(stage.kv, returning.key.id)[0].status, "active");
    await passes(returning.secret);
    await refuses("key_invalid", leaving.secret);
  });

  test("a key that is imported again after its purge goes on above its versions", async () => {
    const { key, secret, project, path } = await made();
    for (const name of ["a", "b", "c"]) await api.patch(path, { name });
    const line = { id: key.id, secret };
    await api.must("DELETE", path);
    const { purge_at, version } = await shown(path);
    assert.equal(version, 5);
    await until(purge_at);
    await eventually(() => recordsOf(stage.kv, key.id).length === 0, 15_000);
    await eventually(async () => (await api.import(project, [line])).body.created === 1, 5000);
    assert.ok((await shown(path)).version > version);
    await eventually(() => recordsOf(stage.kv, key.id)[0]?.status === "active", 15_000);
    await aged();
    await passes(secret);
  });
});

describe("time", () => {
  test("a key expires at the second that it names", async () => {
    const expires_at = at(clock.now() + 20 * DAY);
    const { secret, path } = await made({ expires_at });
    await atTheBoundary(expires_at, () => passes(secret), () => refuses("key_expired", secret));
    await api.patch(path, { expires_at: null });
    await aged();
    await passes(secret);
  });

  test("a key is valid from the second that it names", async () => {
    const not_before = at(clock.now() + DAY);
    const { secret } = await made({ not_before });
    await atTheBoundary(not_before, () => refuses("key_not_yet_valid", secret), () => passes(secret));
  });

  test("the registry warns of the end fourteen days before, to the second, until it is there", async () => {
    const expires_at = at(clock.now() + 20 * DAY);
    const { path } = await made({ expires_at });
    const soon = async () => (await shown(path)).expires_soon;
    await until(at(Date.parse(expires_at) - 14 * DAY - 1000));
    assert.equal(await soon(), undefined);
    await clock.advance(1000);
    assert.deepEqual(await soon(), { at: expires_at, cause: "expires_at" });
    await until(at(Date.parse(expires_at) - 1000));
    assert.deepEqual(await soon(), { at: expires_at, cause: "expires_at" });
    await clock.advance(1000);
    assert.equal(await soon(), undefined);
  });
});

/** A key as it is compared: times in one form. */
function comparable(key) {
  const times = ["created_at", "updated_at", "not_before", "expires_at"];
  return Object.fromEntries(Object.entries(key).map(([field, value]) => [field, times.includes(field) ? Date.parse(value) : value]));
}
