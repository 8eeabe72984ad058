// The secrets of a key: rotation with its overlap, its schedule and a project's limit of age, and
// the revocation of a single one; each end to the second, on the edge and in the registry.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { at, startLife } from "./harness/life.mjs";
import { assertRefused } from "./harness/refused.mjs";
import { eventually, recordsOf } from "./harness/registry.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** Isolate memory serves no record that is older. */
const STALE = 30_001;

const { stage, clock, api, made, shown, until, passes, refuses } = await startLife({ after });
const rotated = (path, rotation) => api.must("POST", `${path}/rotate`, rotation);
/** The states of a key's secrets, the newest first. */
const states = async (path) => (await shown(path)).secrets.map(({ status }) => status);

describe("rotation", () => {
  test("gives another secret; the key's id, rules and history stay", async () => {
    const { key, secret, path, project } = await made({ name: "Ci", scopes: ["a:b"], owner: "ann" });
    const answer = await api.post(`${path}/rotate`);
    assert.equal(answer.status, 201, answer.text);
    const { key: after_, secret: newer, publication } = answer.body;
    assert.equal(publication, "published");
    assert.match(newer, /^kw_sk_live_1[0-9A-Za-z]{32}$/);
    assert.notEqual(newer, secret);
    const { version, updated_at, secrets, ...rest } = after_;
    const { version: _, updated_at: __, secrets: ___, ...before } = key;
    assert.deepEqual([version, rest], [2, before]);
    const [first, second] = secrets;
    assert.deepEqual([first.status, second.status, second.id], ["live", "live", key.secrets[0].id]);
    assert.equal(first.redacted, `kw_sk_live_…${newer.slice(-4)}`);
    assert.equal(Date.parse(second.not_after) - Date.parse(updated_at), DAY, "a day when nothing else is said");
    assert.deepEqual((await api.keys(project)).map(({ id }) => id), [key.id]);
    assert.deepEqual(recordsOf(stage.kv, key.id).map((one) => [one.secret_id, one.version, one.not_after]).sort(), [[first.id, 2, undefined], [second.id, 2, Date.parse(second.not_after)]].sort());
    assert.ok(![answer.text, JSON.stringify(await shown(path))].some((text) => text.includes(secret)));
    for (const one of [secret, newer]) assert.equal((await passes(one)).seen.values("keyward-key-id")[0], key.id);
  });

  test("the older secret ends to the second", async () => {
    for (const overlap of [1, 120, 30 * 86_400]) {
      const { secret, path } = await made();
      const { key, secret: newer } = await rotated(path, { overlap });
      const end = key.secrets[1].not_after;
      assert.equal(Date.parse(end) - Date.parse(key.updated_at), overlap * SECOND);
      await until(at(Date.parse(end) - 1));
      await passes(secret);
      assert.deepEqual(await states(path), ["live", "live"]);
      await clock.advance(1);
      await refuses("key_expired", secret);
      assert.deepEqual(await states(path), ["live", "ended"]);
      await clock.advance(STALE);
      await refuses("key_expired", secret);
      await passes(newer);
    }
  });

  test("without overlap the older one ends at once, and that is always accepted", async () => {
    const { secret, path } = await made();
    const { secret: second } = await rotated(path);
    assertRefused(await api.post(`${path}/rotate`), 409, "rotation_in_progress");
    assertRefused(await api.post(`${path}/rotate`, { overlap: 60 }), 409, "rotation_in_progress");
    assertRefused(await api.post(`${path}/rotate`, { overlap: 0, at: at(clock.now() + DAY) }), 409, "rotation_in_progress");
    assert.deepEqual(await states(path), ["live", "live"]);
    const { key, secret: third } = await rotated(path, { overlap: 0 });
    assert.deepEqual(await states(path), ["live", "ended", "ended"]);
    assert.equal(key.version, 3);
    await clock.advance(STALE);
    for (const one of [secret, second]) await refuses("key_expired", one);
    await passes(third);
  });

  test("the next rotation is accepted when the overlap is over, or the older secret revoked", async () => {
    const { path } = await made();
    const { key } = await rotated(path, { overlap: 60 });
    await until(at(Date.parse(key.secrets[1].not_after) - 1));
    assertRefused(await api.post(`${path}/rotate`, { overlap: 60 }), 409, "rotation_in_progress");
    await clock.advance(1);
    const { key: next } = await rotated(path, { overlap: 60 });
    await api.must("POST", `${path}/secrets/${next.secrets[1].id}/revoke`);
    await rotated(path, { overlap: 60 });
  });

  test("a scheduled secret begins to the second, and the older one ends the overlap later", async () => {
    const { secret, path } = await made();
    const begins = at(clock.now() + 60 * DAY);
    const { key, secret: newer } = await rotated(path, { at: begins, overlap: 600 });
    const [scheduled, older] = key.secrets;
    assert.deepEqual([scheduled.status, Date.parse(scheduled.not_before), older.status], ["scheduled", Date.parse(begins), "live"]);
    assert.equal(Date.parse(older.not_after), Date.parse(begins) + 600 * SECOND);
    assertRefused(await api.post(`${path}/rotate`, { overlap: 60 }), 409, "rotation_in_progress");
    await until(at(Date.parse(begins) - 1));
    await refuses("key_not_yet_valid", newer);
    await passes(secret);
    assert.deepEqual(await states(path), ["scheduled", "live"]);
    await clock.advance(1);
    for (const one of [secret, newer]) await passes(one);
    assert.deepEqual(await states(path), ["live", "live"]);
    await until(at(Date.parse(older.not_after) - 1));
    await passes(secret);
    await clock.advance(1);
    await refuses("key_expired", secret);
    await passes(newer);
    assert.deepEqual(await states(path), ["live", "ended"]);
  });

  test("what is no rotation is refused, and nothing is rotated", async () => {
    const { path } = await made();
    const year = 366 * DAY + MINUTE;
    for (const [body, named] of [
      [{ overlap: -1 }, ["overlap"]],
      [{ overlap: 30 * 86_400 + 1 }, ["overlap"]],
      [{ overlap: 1.5, at: "tomorrow" }, ["overlap", "at"]],
      [{ overlap: "60" }, ["overlap"]],
      [{ at: at(clock.now() + year) }, ["at"]],
      [{ overlap: 0, secret: "mine" }, ["secret"]],
    ]) {
      assertRefused(await api.post(`${path}/rotate`, body), 422, "request_invalid", named);
    }
    assert.equal((await shown(path)).version, 1);
    await api.must("POST", `${path}/revoke`);
    for (const overlap of [0, 60]) assertRefused(await api.post(`${path}/rotate`, { overlap }), 409, "key_state_conflict");
  });

  test("a disabled key is rotated without coming to life", async () => {
    const { path } = await made({ status: "disabled" });
    const { key, secret } = await rotated(path, { overlap: 0 });
    assert.equal(key.status, "disabled");
    await refuses("key_disabled", secret);
  });

  test("the ten newest secrets are shown", async () => {
    const { path } = await made();
    const ids = [];
    for (let count = 0; count < 11; count += 1) ids.unshift((await rotated(path, { overlap: 0 })).key.secrets[0].id);
    const { secrets } = await shown(path);
    assert.deepEqual(secrets.map(({ id }) => id), ids.slice(0, 10));
    assert.deepEqual(await states(path), ["live", ...Array(9).fill("ended")]);
  });
});

describe("revoking one secret", () => {
  test("the other goes on, and its holder notices nothing", async () => {
    const { key, secret, path } = await made();
    const { key: after_, secret: newer } = await rotated(path);
    const [first, second] = after_.secrets;
    const { key: revoked, publication } = await api.must("POST", `${path}/secrets/${second.id}/revoke`, { reason: "keyCompromise", note: "seen in a log" });
    assert.deepEqual([publication, revoked.status, revoked.version], ["published", "active", 3]);
    assert.deepEqual(revoked.secrets.map(({ id, status }) => [id, status]), [[first.id, "live"], [second.id, "revoked"]]);
    const { at: moment, ...why } = revoked.secrets[1].revoked;
    assert.deepEqual([why, Date.parse(moment)], [{ reason: "keyCompromise", note: "seen in a log" }, Date.parse(revoked.updated_at)]);
    const again = await api.must("POST", `${path}/secrets/${second.id}/revoke`, { reason: "superseded" });
    assert.deepEqual(again.key, revoked, "the first reason stays");
    assert.equal(recordsOf(stage.kv, key.id).find((one) => one.secret_id === second.id).status, "revoked");
    await refuses("key_revoked", secret);
    await passes(newer);
  });

  test("the last one can be revoked; the key stays and gets another", async () => {
    const { key, secret, path } = await made();
    const { key: bare } = await api.must("POST", `${path}/secrets/${key.secrets[0].id}/revoke`);
    assert.deepEqual([bare.status, bare.secrets[0].status], ["active", "revoked"]);
    await refuses("key_revoked", secret);
    const { secret: newer } = await rotated(path);
    assert.deepEqual(await states(path), ["live", "revoked"]);
    await passes(newer);
    await clock.advance(STALE);
    await refuses("key_revoked", secret);
  });

  test("a secret is found under its own key only", async () => {
    const [one, other] = [await made(), await made()];
    for (const id of [other.key.secrets[0].id, "sec_000000000000", "x"]) {
      assertRefused(await api.post(`${one.path}/secrets/${id}/revoke`), 404, "secret_unknown");
    }
    assert.deepEqual(await states(other.path), ["live"]);
  });
});

describe("a project's limit of age", () => {
  const policy = { max_age_s: 30 * 86_400, warn_s: 86_400 };
  const limit = async (project, fields) => api.patch(`/projects/${project}`, fields);
  const due = async (project) => (await api.audit(project)).filter(({ action }) => action === "key.rotation_due");

  test("warns to the second, and ends a secret to the second", async () => {
    const { key, secret, project, path } = await made();
    const answer = await limit(project, policy);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.body.project.max_age_s, answer.body.project.warn_s], [policy.max_age_s, policy.warn_s]);
    const end = Date.parse(key.secrets[0].created_at) + 30 * DAY;
    const soon = async () => (await shown(path)).expires_soon;
    await eventually(() => recordsOf(stage.kv, key.id)[0].not_after === end, 5000);
    await until(at(end - DAY - 1));
    assert.deepEqual([await soon(), await due(project)], [undefined, []]);
    await clock.advance(1);
    const { at: moment, cause } = await soon();
    assert.deepEqual([Date.parse(moment), cause], [end, "max_age"]);
    await eventually(async () => (await due(project)).length === 1, 5000);
    await until(at(end - 1));
    await passes(secret);
    assert.deepEqual(await states(path), ["live"]);
    await clock.advance(1);
    await refuses("key_expired", secret);
    assert.deepEqual([await states(path), (await due(project)).length], [["ended"], 1]);
    const [entry] = await due(project);
    assert.deepEqual([entry.actor, entry.key, entry.target], [{ type: "keyward" }, key.id, key.secrets[0].id]);
  });

  test("counts from each secret's beginning, and goes when the limit goes", async () => {
    const { key, secret, project, path } = await made();
    await limit(project, policy);
    await until(at(Date.parse(key.created_at) + 20 * DAY));
    const { secret: newer } = await rotated(path, { overlap: 30 * 86_400 });
    await until(at(Date.parse(key.created_at) + 30 * DAY));
    await refuses("key_expired", secret);
    await passes(newer);
    assert.deepEqual(await states(path), ["live", "ended"]);
    const { version } = await shown(path);
    await limit(project, { max_age_s: null, warn_s: null });
    assert.deepEqual(await states(path), ["live", "live"], "the overlap is not over");
    await eventually(() => recordsOf(stage.kv, key.id).every((one) => one.version > version), 5000);
    await clock.advance(STALE);
    for (const one of [secret, newer]) await passes(one);
  });

  test("is refused when it makes no sense", async () => {
    const { project } = await made();
    for (const [fields, named] of [[{ max_age_s: 0 }, ["max_age_s"]], [{ max_age_s: -1, warn_s: 1.5 }, ["max_age_s", "warn_s"]], [{ warn_s: "1d" }, ["warn_s"]], [{ id: "x", created_at: 1 }, ["id", "created_at"]]]) {
      assertRefused(await limit(project, fields), 422, "project_spec_invalid", named);
    }
  });
});
