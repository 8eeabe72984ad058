// The account registry by itself, with a clock that the test sets: who may call, who may make and
// change management keys, and what belongs to which project.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "./harness/registry.mjs";
import { newKey, newSecret, on, sha256, startAccount } from "./harness/account.mjs";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const ALL = ["keys:read", "keys:write", "usage:read", "audit:read", "projects:write", "credentials:read", "credentials:write"];
const REVOCATION = { reason: "keyCompromise", note: "seen in a log" };
const BOOTSTRAP = sha256("bootstrap");

const iso = (millis) => new Date(millis).toISOString().replace(".000Z", "Z");

/** A registry with one key of the account and one project. */
async function account(t) {
  const own = await startAccount(t);
  await own.at(NOW);
  const master = await own.make({ name: "master" }, { bootstrap: BOOTSTRAP });
  await own.item({ CreateProject: { id: "shop", name: "Shop" } }, { by: { ManagementKey: master.id } });
  await own.item({ CreateProject: { id: "blog", name: "Blog" } }, { by: { ManagementKey: master.id } });
  return { own, master };
}

describe("the bootstrap secret", () => {
  test("makes the first key of the account, and is worth nothing afterwards", async (t) => {
    const own = await startAccount(t);
    await own.at(NOW);
    assert.equal(await own.ask({ AuthenticateBootstrap: { digest: BOOTSTRAP } }), "Done");
    await own.refuses("bootstrap_denied", { CreateManagementKey: newKey({ name: "p", project: "shop" }, { bootstrap: BOOTSTRAP }) });
    await own.refuses("bootstrap_denied", { CreateManagementKey: newKey({ name: "p" }) });
    const { id, key } = await own.make({ name: "master" }, { bootstrap: BOOTSTRAP });
    assert.deepEqual([key.scopes, key.status, key.etag, key.project], [ALL, "active", 1, undefined]);
    await own.refuses("bootstrap_denied", { AuthenticateBootstrap: { digest: BOOTSTRAP } });
    await own.refuses("bootstrap_denied", { AuthenticateBootstrap: { digest: sha256("another") } });
    await own.refuses("bootstrap_denied", { CreateManagementKey: newKey({ name: "b" }, { bootstrap: sha256("another") }) });

    // Every key of the account is lost: another value of it, and only another, opens again.
    await own.act(id, { Revoke: REVOCATION }, id);
    await own.refuses("bootstrap_denied", { AuthenticateBootstrap: { digest: BOOTSTRAP } });
    assert.equal(await own.ask({ AuthenticateBootstrap: { digest: sha256("another") } }), "Done");
    await own.refuses("bootstrap_denied", on(id, "Show", null));
  });

  test("opens while no key of the account can be used", async (t) => {
    const { own, master } = await account(t);
    const another = { AuthenticateBootstrap: { digest: sha256("another") } };
    await own.make({ name: "p", project: "shop" }, { caller: master.id });
    await own.act(master.id, { Update: { patch: { expires_at: iso(NOW + 1000) } } }, master.id);
    await own.at(NOW + 999);
    await own.refuses("bootstrap_denied", another);
    await own.at(NOW + 1000);
    assert.equal(await own.ask(another), "Done", "a key of a project is none of the account");
  });

  test("is not spent on a key that could not make another", async (t) => {
    const own = await startAccount(t);
    await own.at(NOW);
    const first = (fields) => ({ CreateManagementKey: newKey({ name: "first", ...fields }, { bootstrap: BOOTSTRAP }) });
    for (const [fields, named] of [
      [{ expires_at: iso(NOW) }, ["expires_at"]],
      [{ not_before: iso(NOW + 1000) }, ["not_before"]],
      [{ scopes: ["keys:read", "keys:write"] }, ["scopes"]],
    ]) {
      assert.deepEqual(await own.refuses("key_spec_invalid", first(fields), { by: "Bootstrap" }), named);
    }
    await own.make({ name: "first", expires_at: iso(NOW + 1000) }, { bootstrap: BOOTSTRAP });
  });

  test("opens again when what is left cannot make keys", async (t) => {
    const { own, master } = await account(t);
    await own.make({ name: "looks", scopes: ["keys:read", "audit:read"] }, { caller: master.id });
    const another = { AuthenticateBootstrap: { digest: sha256("another") } };
    await own.refuses("bootstrap_denied", another);
    await own.act(master.id, { Revoke: REVOCATION }, master.id);
    assert.equal(await own.ask(another), "Done");
  });
});

describe("a management secret", () => {
  test("is accepted from its start until just before its end, to the millisecond", async (t) => {
    const { own, master } = await account(t);
    const fields = { name: "CI", not_before: iso(NOW + 1000), expires_at: iso(NOW + 2000) };
    const { digest } = await own.make(fields, { caller: master.id });
    for (const [at, accepted] of [[999, false], [1000, true], [1999, true], [2000, false]]) {
      await own.at(NOW + at);
      assert.equal(await own.accepts(digest), accepted, `${at}`);
    }
  });

  test("tells who holds it, and that it is used once a minute at most", async (t) => {
    const { own, master } = await account(t);
    const fields = { name: "CI", project: "shop", scopes: ["keys:read"], ips: ["192.0.2.0/24"], expires_at: iso(NOW + 1e9) };
    const { id, digest } = await own.make(fields, { caller: master.id });
    const { Principal } = await own.ask({ Authenticate: { digest } });
    assert.deepEqual(Principal, { id, ...fields, expires_at: NOW + 1e9 });
    const used = async () => (await own.act(id, "Show", master.id)).last_used_at;
    for (const [at, seen] of [[0, 0], [59_999, 0], [60_000, 60_000]]) {
      await own.at(NOW + at);
      assert.ok(await own.accepts(digest));
      assert.equal(await used(), iso(NOW + seen), `${at}`);
    }
  });

  test("is refused alike when it is unknown, disabled, revoked or gone", async (t) => {
    const { own, master } = await account(t);
    const { id, digest } = await own.make({ name: "CI" }, { caller: master.id });
    const unknown = await own.ask({ Authenticate: { digest: sha256("unknown") } });
    const refused = async () => assert.deepEqual(await own.ask({ Authenticate: { digest } }), unknown);
    await own.act(id, "Disable", master.id);
    await refused();
    await own.act(id, "Enable", master.id);
    assert.ok(await own.accepts(digest));
    await own.act(id, { Revoke: REVOCATION }, master.id);
    await refused();
    await own.act(id, "Delete", master.id);
    await refused();
  });

  test("is revoked by who holds it, once", async (t) => {
    const { own, master } = await account(t);
    const { id, digest, secret } = await own.make({ name: "CI" }, { caller: master.id });
    const revoke = { SelfRevoke: { digest, revocation: REVOCATION } };
    await own.refuses("key_invalid", { SelfRevoke: { digest: sha256("unknown"), revocation: REVOCATION } });
    for (let time = 0; time < 2; time += 1) {
      const { etag, ...item } = await own.item(revoke);
      assert.deepEqual([item, etag], [{ id, secret, status: "revoked" }, null]);
    }
    assert.ok(!(await own.accepts(digest)));
    const shown = await own.act(id, "Show", master.id);
    assert.deepEqual([shown.status, shown.etag, shown.secrets[0].status], ["active", 2, "revoked"]);
    assert.deepEqual(shown.secrets[0].revoked, { at: iso(NOW), ...REVOCATION });
  });
});

describe("rotation", () => {
  test("leaves the older secret its overlap, to the millisecond", async (t) => {
    const { own, master } = await account(t);
    const { id, digest } = await own.make({ name: "CI" }, { caller: master.id });
    const secret = newSecret();
    const rotated = await own.act(id, { Rotate: { secret, rotation: { overlap_s: 60, at: null } } }, master.id);
    assert.deepEqual(rotated.secrets.map(({ status }) => status), ["live", "live"]);
    assert.deepEqual(rotated.secrets.map(({ not_after }) => not_after), [undefined, iso(NOW + 60_000)]);
    await own.refuses("rotation_in_progress", on(id, { Rotate: { secret: newSecret(), rotation: { overlap_s: 60, at: null } } }, master.id));
    await own.at(NOW + 59_999);
    assert.ok((await own.accepts(digest)) && (await own.accepts(secret.digest)));
    await own.at(NOW + 60_000);
    assert.ok(!(await own.accepts(digest)) && (await own.accepts(secret.digest)));
    const last = newSecret();
    await own.act(id, { Rotate: { secret: last, rotation: { overlap_s: 60, at: null } } }, master.id);
    const ended = newSecret();
    await own.act(id, { Rotate: { secret: ended, rotation: { overlap_s: 0, at: null } } }, master.id);
    assert.ok(!(await own.accepts(secret.digest)) && !(await own.accepts(last.digest)) && (await own.accepts(ended.digest)));
  });

  test("can be set for a later time", async (t) => {
    const { own, master } = await account(t);
    const { id, digest } = await own.make({ name: "CI" }, { caller: master.id });
    const secret = newSecret();
    await own.act(id, { Rotate: { secret, rotation: { overlap_s: 10, at: NOW + 5000 } } }, master.id);
    for (const [at, older, newer] of [[4999, true, false], [5000, true, true], [14_999, true, true], [15_000, false, true]]) {
      await own.at(NOW + at);
      assert.deepEqual([await own.accepts(digest), await own.accepts(secret.digest)], [older, newer], `${at}`);
    }
  });

  test("brings back a key whose every secret is revoked, but no revoked key", async (t) => {
    const { own, master } = await account(t);
    const { id, digest, secret } = await own.make({ name: "CI" }, { caller: master.id });
    await own.refuses("secret_unknown", on(id, { RevokeSecret: { secret: "sec_000000000000", revocation: REVOCATION } }, master.id));
    await own.act(id, { RevokeSecret: { secret, revocation: REVOCATION } }, master.id);
    assert.ok(!(await own.accepts(digest)));
    const next = newSecret();
    const rotation = { overlap_s: 60, at: null };
    await own.act(id, { Rotate: { secret: next, rotation } }, master.id);
    assert.ok(await own.accepts(next.digest));
    await own.act(id, { Revoke: REVOCATION }, master.id);
    await own.refuses("key_state_conflict", on(id, { Rotate: { secret: newSecret(), rotation } }, master.id));
  });
});

describe("a management key makes and changes none that can do more than itself", () => {
  const acts = [
    { Update: { patch: { name: "other" } } },
    { Rotate: { secret: newSecret(), rotation: { overlap_s: 0, at: null } } },
    { Revoke: REVOCATION },
    "Disable",
    "Enable",
    "Delete",
  ];

  test("in scopes, addresses and life", async (t) => {
    const { own, master } = await account(t);
    const narrow = { name: "narrow", scopes: ["keys:read", "keys:write"], ips: ["192.0.2.0/24"], expires_at: iso(NOW + 1000) };
    const { id: caller } = await own.make(narrow, { caller: master.id });
    const same = { name: "same", ips: ["192.0.2.7"], expires_at: iso(NOW + 1000) };
    const { key } = await own.make(same, { caller });
    assert.deepEqual(key.scopes, narrow.scopes, "left out, they are those of the caller");
    for (const wider of [{ scopes: ALL }, { ips: undefined }, { ips: ["192.0.0.0/16"] }, { expires_at: undefined }, { expires_at: iso(NOW + 1001) }]) {
      await own.refuses("wider_than_caller", { CreateManagementKey: newKey({ ...same, ...wider }, { caller }) });
    }
    for (const act of acts) await own.refuses("wider_than_caller", on(master.id, act, caller));
    const patch = { expires_at: iso(NOW + 2000) };
    await own.refuses("wider_than_caller", on(caller, { Update: { patch } }, caller));
    await own.refuses("wider_than_caller", on(key.id, { Update: { patch: { ips: null } } }, caller));
    const less = await own.act(caller, { Update: { patch: { scopes: ["keys:write"] } } }, caller);
    assert.deepEqual(less.scopes, ["keys:write"]);
    await own.refuses("scope_missing", on(caller, "Show", caller));
    assert.equal((await own.act(caller, { Revoke: REVOCATION }, caller)).status, "revoked", "it may revoke itself");
    await own.refuses("key_invalid", on(caller, "Enable", caller));
  });

  test("in projects, where nothing tells what there is in another", async (t) => {
    const { own, master } = await account(t);
    const { id: caller } = await own.make({ name: "shop", project: "shop" }, { caller: master.id });
    const { id: other } = await own.make({ name: "blog", project: "blog" }, { caller: master.id });
    const { id: sibling } = await own.make({ name: "shop 2", project: "shop" }, { caller });
    assert.equal((await own.act(sibling, "Show", caller)).project, "shop");
    for (const id of [other, master.id, "key_00000000000000000000"]) {
      for (const act of ["Show", ...acts]) await own.refuses("management_key_unknown", on(id, act, caller));
    }
    for (const project of [undefined, "blog", "none"]) {
      await own.refuses("wider_than_caller", { CreateManagementKey: newKey({ name: "a", project }, { caller }) });
    }
    await own.refuses("project_unknown", { CreateManagementKey: newKey({ name: "a", project: "none" }, { caller: master.id }) });
    const listed = async (project) => {
      const { Items } = await own.ask({ ListManagementKeys: { page: { limit: 10, from: null }, status: null, project } });
      return Items.items.map(({ id }) => id);
    };
    assert.deepEqual(await listed("shop"), [sibling, caller]);
    assert.deepEqual(await listed(null), [sibling, other, caller, master.id]);
  });

  test("by what the caller is at that moment", async (t) => {
    const { own, master } = await account(t);
    const { id: caller } = await own.make({ name: "a" }, { caller: master.id });
    await own.act(caller, { Update: { patch: { scopes: ["keys:read"] } } }, master.id);
    await own.refuses("scope_missing", { CreateManagementKey: newKey({ name: "b" }, { caller }) });
    await own.act(caller, "Disable", master.id);
    await own.refuses("key_invalid", on(caller, "Show", caller));
  });
});

describe("a change", () => {
  test("is for the version that it names, and names every wrong field", async (t) => {
    const { own, master } = await account(t);
    const { id } = await own.make({ name: "CI" }, { caller: master.id });
    const update = (patch, version) => on(id, { Update: { patch } }, master.id, version);
    await own.refuses("version_conflict", update({ name: "x" }, 2));
    assert.equal((await own.item(update({ name: "x" }, 1))).etag, 2);
    assert.equal((await own.item(update({ name: "x" }, 2))).etag, 2, "what changes nothing is no version");
    await own.refuses("version_conflict", update({ name: "y" }, 1));
    const wrong = { name: null, scopes: ["keys:*"], project: "shop", colour: 1 };
    const fields = await own.refuses("key_spec_invalid", update(wrong, null));
    assert.deepEqual(fields.sort(), ["colour", "name", "project", "scopes[0]"]);
    assert.deepEqual(await own.refuses("key_spec_invalid", { CreateManagementKey: newKey({ ips: [] }, { caller: master.id }) }), ["name", "ips"]);
  });

  test("has to fit the key's state", async (t) => {
    const { own, master } = await account(t);
    const { id } = await own.make({ name: "CI" }, { caller: master.id });
    await own.refuses("key_state_conflict", on(id, "Delete", master.id));
    assert.equal((await own.act(id, "Enable", master.id)).etag, 1);
    assert.equal((await own.act(id, { Revoke: REVOCATION }, master.id)).etag, 2);
    assert.equal((await own.act(id, { Revoke: { reason: "superseded", note: null } }, master.id)).etag, 2);
    for (const act of ["Enable", "Disable"]) await own.refuses("key_state_conflict", on(id, act, master.id));
    assert.equal((await own.act(id, { Update: { patch: { name: "was CI" } } }, master.id)).status, "revoked");
    const gone = await own.act(id, "Delete", master.id);
    assert.deepEqual([gone.status, gone.revoked], ["revoked", { at: iso(NOW), ...REVOCATION }]);
    await own.refuses("management_key_unknown", on(id, "Show", master.id));
  });

  test("stands in the audit log, with what it changed and no secret", async (t) => {
    const { own, master } = await account(t);
    const { id, digest, secret } = await own.make({ name: "CI", project: "shop" }, { caller: master.id });
    const next = newSecret();
    await own.act(id, { Update: { patch: { name: "CD" } } }, master.id);
    await own.act(id, { Rotate: { secret: next, rotation: { overlap_s: 60, at: null } } }, master.id);
    await own.act(id, "Disable", master.id);
    await own.act(id, "Enable", master.id);
    await own.act(id, { RevokeSecret: { secret, revocation: REVOCATION } }, master.id);
    await own.item({ SelfRevoke: { digest: next.digest, revocation: REVOCATION } });
    await own.act(id, { Revoke: REVOCATION }, master.id);
    await own.act(id, "Delete", master.id);
    await own.refuses("key_state_conflict", on(master.id, "Delete", master.id));

    const filter = { key: null, actor: null, action: null, since: null, until: null };
    const list = async (narrowed) => {
      const { Items } = await own.ask({ Audit: { page: { limit: 100, from: null }, filter: { ...filter, ...narrowed }, oldest_first: true } });
      return Items.items;
    };
    const entries = await list({ key: id });
    const actions = "create update rotate disable enable".split(" ").map((verb) => `management_key.${verb}`);
    const later = ["secret.revoke", "secret.self_revoke", "management_key.revoke", "management_key.delete"];
    assert.deepEqual(entries.map(({ action }) => action), [...actions, ...later]);
    const [created, updated, rotated, disabled, , revoked] = entries;
    assert.deepEqual(created.actor, { type: "management_key", id: master.id });
    assert.deepEqual([created.project, created.ip, created.request_id, created.at], ["shop", "192.0.2.1", "req", iso(NOW)]);
    assert.deepEqual(updated.changes, [{ field: "name", before: "CI", after: "CD" }]);
    assert.deepEqual(disabled.changes, [{ field: "status", before: "active", after: "disabled" }]);
    assert.equal(rotated.target, next.id);
    assert.deepEqual(rotated.changes.map(({ field }) => field).sort(), [`secrets.${next.id}`, `secrets.${secret}`].sort());
    assert.deepEqual(revoked.changes[0].after.revoked, { at: iso(NOW), ...REVOCATION });
    assert.deepEqual(entries[6].actor, { type: "holder", id });
    assert.deepEqual(entries[6].target, next.id);
    assert.deepEqual(
      (await list({ action: "project.create" })).map(({ project, changes }) => [project, changes]),
      [["shop", [{ field: "name", after: "Shop" }]], ["blog", [{ field: "name", after: "Blog" }]]],
    );
    assert.deepEqual((await list({ actor: "bootstrap" })).map(({ key }) => key), [master.id]);
    const text = JSON.stringify(await list({}));
    for (const hidden of [digest, next.digest, master.digest, BOOTSTRAP]) assert.ok(!text.includes(hidden));
  });

  test("is repeated by its Idempotency-Key for ten minutes", async (t) => {
    const { own, master } = await account(t);
    const idempotency = { caller: master.id, key_hash: "k", request_hash: "r", sealed: "sealed" };
    const create = (given) => own.ask({ CreateProject: { id: "one", name: "One" } }, { idempotency: { ...idempotency, ...given } });
    const first = await create();
    assert.deepEqual(await create(), { Replayed: { reply: first, sealed: "sealed" } });
    assert.equal((await create({ request_hash: "other" })).Refused.code, "idempotency_mismatch");
    assert.equal((await create({ caller: "bootstrap" })).Refused.code, "project_exists", "another caller's is another");
    await own.at(NOW + 599_999);
    assert.ok((await create()).Replayed);
    await own.at(NOW + 600_000);
    assert.equal((await create()).Refused.code, "project_exists");
  });

  test("is kept for its repetition no longer, even if nobody asks again", async (t) => {
    const own = await startAccount(t);
    // Long ago, so that the runtime, whose clock is the real one, rings the alarm at once.
    const then = Date.parse("2020-01-01T00:00:00Z");
    await own.at(then);
    const idempotency = { caller: "bootstrap", key_hash: "k", request_hash: "r", sealed: "sealed" };
    await own.ask({ CreateManagementKey: newKey({ name: "master" }, { bootstrap: BOOTSTRAP }) }, { by: "Bootstrap", idempotency });
    const kept = () => own.rows("SELECT count(*) AS kept FROM idempotency")[0].kept;
    assert.equal(kept(), 1);
    await own.at(then + 600_000);
    await eventually(() => kept() === 0, 30_000);
  });
});

describe("projects", () => {
  test("are listed by status, and as their registries tell of them, the newest word last", async (t) => {
    const { own } = await account(t);
    const list = async (status = null, only = null, page = { limit: 10, from: null }) => (await own.ask({ ListProjects: { page, status, only } })).Items;
    const ids = async (...filter) => (await list(...filter)).items.map(({ id }) => id);
    assert.deepEqual(await ids(), ["blog", "shop"]);
    assert.deepEqual((await list()).items[1], { id: "shop", name: "Shop", status: "active", created_at: iso(NOW) });
    assert.deepEqual(await ids(null, "shop"), ["shop"]);
    const note = (name, status, version) => own.ask({ NoteProject: { id: "shop", name, status, version } });
    await note("Store", "archived", 3);
    await note("Old", "active", 2);
    assert.deepEqual(await ids(), ["blog"]);
    assert.deepEqual(await ids("archived"), ["shop"]);
    assert.deepEqual((await own.item({ ShowProject: { id: "shop" } })).name, "Store");
    await own.refuses("project_unknown", { ShowProject: { id: "none" } });
    await own.refuses("project_exists", { CreateProject: { id: "shop", name: "x" } });
    const page = await list(null, null, { limit: 1, from: null });
    assert.deepEqual([page.items.length, page.next], [1, null]);
  });

  test("hold names, all of a call or none", async (t) => {
    const { own } = await account(t);
    const reserve = (project, names) => own.ask({ Reserve: { project, names } });
    const many = Array.from({ length: 2100 }, (_, index) => `d:${sha256(`${index}`)}`);
    assert.equal(await reserve("shop", many), "Done");
    assert.equal(await reserve("shop", many), "Done", "again is no conflict");
    const taken = await reserve("blog", ["d:free", many[7], many[2099]]);
    assert.deepEqual(taken.Taken.names.sort(), [many[7], many[2099]].sort());
    await own.refuses("key_invalid", { Locate: { name: "d:free" } });
    assert.deepEqual(await own.ask({ Locate: { name: many[7] } }), { Project: { id: "shop" } });
    await own.refuses("project_unknown", { Reserve: { project: "none", names: ["d:x"] } });
  });
});
