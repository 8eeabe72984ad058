// The audit log: each change has one entry that says who, what, when, from where and by which
// request; nothing else has one; no secret is in it, and nothing changes it afterwards.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { SECRETS } from "./harness/keyward.mjs";
import { assertRefused } from "./harness/refused.mjs";
import { ManagementClient, startRegistries } from "./harness/registry.mjs";

const IP = "192.0.2.7";
const FROM = { "cf-connecting-ip": IP };
/** Every secret, digest and raw text that these tests have made: none may stand in an entry. */
const SEEN = new Set(Object.values(SECRETS));

const keyward = await startRegistries({ after });
const api = new ManagementClient(keyward);
const master = (await api.get("/whoami")).body.id;
let serial = 0;

async function project() {
  const id = `p${(serial += 1)}`;
  await api.project(id);
  return id;
}

/** One change from the address: its answer. Secrets in it are remembered. */
async function change(line, body, { client = api, raw, headers } = {}) {
  const [method, path] = line.split(" ");
  const match = method === "PATCH" ? { "if-match": "*" } : {};
  // The platform names each request so.
  const ray = `ray-${(serial += 1)}`;
  const answer = await client.call(method, path, { body, raw, headers: { ...FROM, ...match, "cf-ray": ray, ...headers } });
  assert.ok(answer.status < 300, `${line}: ${answer.status} ${answer.text}`);
  if (answer.body?.secret?.startsWith("kw_")) remember(answer.body.secret);
  return Object.assign(answer, { ray });
}

function remember(secret) {
  const digest = createHash("sha256").update(secret).digest();
  for (const text of [secret, secret.slice(-32), digest.toString("hex"), digest.toString("base64"), digest.toString("base64url")]) SEEN.add(text);
}

/** The entries that came to a log while something was done, oldest first. */
async function during(id, act) {
  const before = (await api.audit(id)).length;
  const result = await act();
  return { result, entries: (await api.audit(id)).slice(before) };
}

/** The fields of an entry's changes, as { field: [before, after] }. */
const changes = (entry) => Object.fromEntries(entry.changes.map(({ field, before, after: then }) => [field, [before, then]]));

describe("each change has one entry", () => {
  /** One change after the other on one project: [line, action, body, what its changes must say]. `$` is the key's path. */
  const CHANGES = [
    ["PATCH $", "key.update", { name: "renamed", owner: null }, { name: ["first", "renamed"], owner: ["ann", undefined] }],
    ["POST $/disable", "key.disable", {}, { status: ["active", "disabled"] }],
    ["POST $/enable", "key.enable", {}, { status: ["disabled", "active"] }],
    ["POST $/rotate", "key.rotate", { overlap: 60 }, {}],
    ["POST $/secrets/{secret}/revoke", "secret.revoke", { reason: "superseded" }, {}],
    ["POST $/revoke", "key.revoke", { reason: "keyCompromise", note: "seen" }, { status: ["active", "revoked"] }],
    ["DELETE $", "key.delete", undefined, {}],
    ["POST $/undelete", "key.undelete", {}, {}],
    ["PATCH /projects/{project}", "project.update", { name: "Renamed" }, { name: ["{project}", "Renamed"] }],
    ["POST /projects/{project}/suspend", "project.suspend", { note: "why" }, { status: ["active", "suspended"] }],
    ["POST /projects/{project}/resume", "project.resume", {}, { status: ["suspended", "active"] }],
    ["POST /projects/{project}/environments", "environment.create", { id: "staging" }, {}],
    ["POST /projects/{project}/environments/staging/archive", "environment.archive", {}, {}],
    ["POST /projects/{project}/environments/staging/restore", "environment.restore", {}, {}],
    ["POST /projects/{project}/owners:suspend", "owner.suspend", { owner: "bob" }, {}],
    ["POST /projects/{project}/owners:resume", "owner.resume", { owner: "bob" }, {}],
    ["POST /projects/{project}/archive", "project.archive", {}, {}],
    ["POST /projects/{project}/restore", "project.restore", {}, {}],
    ["POST /projects/{project}/republish", "records.republish", {}, {}],
  ];

  test("in the project's log, with who, from where, by which request, and what it was and is", async () => {
    const id = await project();
    const created = await during(id, () => change(`POST /projects/${id}/keys`, { name: "first", owner: "ann" }));
    const { key } = created.result.body;
    assertEntry(created, "key.create", { project: id, key: key.id });
    assert.deepEqual(changes(created.entries[0]).name, [undefined, "first"]);
    const path = `/projects/${id}/keys/${key.id}`;
    const names = { $: path, "{project}": id, "{secret}": key.secrets[0].id };
    const filled = (text) => (typeof text === "string" ? text.replace(/\$|\{\w+\}/g, (name) => names[name]) : text);
    for (const [line, action, body, expected] of CHANGES) {
      const done = await during(id, () => change(filled(line), body));
      assertEntry(done, action, { project: id, ...(line.includes("$") && { key: key.id }) });
      for (const [field, pair] of Object.entries(expected)) assert.deepEqual(changes(done.entries[0])[field], pair.map(filled), `${action} ${field}`);
    }
    assert.equal((await api.audit(id)).find(({ action }) => action === "secret.revoke").target, key.secrets[0].id);
  });

  test("in the account's log, for what is of the account", async () => {
    const id = `p${(serial += 1)}`;
    const creation = await during(undefined, () => change("POST /projects", { id }));
    assertEntry(creation, "project.create", { project: id });
    const { result, entries } = await during(undefined, () => change("POST /management-keys", { name: "Ci", project: id, scopes: ["keys:read"] }));
    assertEntry({ result, entries }, "management_key.create", { key: result.body.key.id });
    assert.deepEqual(changes(entries[0]).scopes, [undefined, ["keys:read"]]);
    const path = `/management-keys/${result.body.key.id}`;
    for (const [line, action, body] of [
      [`PATCH ${path}`, "management_key.update", { name: "Renamed" }],
      [`POST ${path}/disable`, "management_key.disable"],
      [`POST ${path}/enable`, "management_key.enable"],
      [`POST ${path}/rotate`, "management_key.rotate", { overlap: 60 }],
      [`POST ${path}/secrets/${result.body.key.secrets[0].id}/revoke`, "secret.revoke"],
      [`POST ${path}/revoke`, "management_key.revoke"],
      [`DELETE ${path}`, "management_key.delete"],
    ]) {
      assertEntry(await during(undefined, () => change(line, body)), action, { key: result.body.key.id });
    }
  });

  test("of an import, one for each key that it made", async () => {
    const id = await project();
    const secrets = ["one", "two"].map((name) => `imported-${name}-of-${id}-0123456789`);
    secrets.forEach(remember);
    const raw = `${[...secrets, "short"].map((secret) => JSON.stringify({ name: "legacy", secret })).join("\n")}\n`;
    const { result, entries } = await during(id, () => change(`POST /projects/${id}/keys:import`, undefined, { raw, headers: { "content-type": "application/x-ndjson" } }));
    assert.deepEqual([result.body.created, result.body.refused], [2, 1]);
    assert.deepEqual(entries.map(({ action, key }) => [action, key]).sort(), result.body.keys.map(({ id: key }) => ["key.import", key]).sort());
    assert.deepEqual(new Set(entries.map(({ request_id }) => request_id)), new Set([result.ray]));
  });

  test("of a holder who revokes a secret: the holder's", async () => {
    const id = await project();
    const { key, secret } = (await change(`POST /projects/${id}/keys`, {})).body;
    const { entries, result } = await during(id, () => change("POST /keys:selfRevoke", { reason: "keyCompromise" }, { client: api.as(secret) }));
    assertEntry({ entries, result }, "secret.self_revoke", { key: key.id, target: key.secrets[0].id, actor: { type: "holder", id: key.id } });
  });

  test("of another management key: its own", async () => {
    const id = await project();
    const { key, secret } = (await change("POST /management-keys", { name: "Ci", project: id })).body;
    const { entries } = await during(id, () => change(`POST /projects/${id}/keys`, {}, { client: api.as(secret) }));
    assert.deepEqual(entries.map(({ actor }) => actor), [{ type: "management_key", id: key.id }]);
  });

  function assertEntry({ result, entries }, action, { actor = { type: "management_key", id: master }, ...expected }) {
    assert.equal(entries.length, 1, `${action}: ${JSON.stringify(entries)}`);
    const [entry] = entries;
    assert.deepEqual([entry.action, entry.actor, entry.ip], [action, actor, IP]);
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((field) => [field, entry[field]])), expected, action);
    assert.equal(entry.request_id, result.ray, action);
    assert.ok(Math.abs(Date.parse(entry.at) - Date.now()) < 60_000);
    assert.match(entry.id, /^aud_\d+$/);
  }
});

test("what changes nothing has no entry", async () => {
  const id = await project();
  const { key } = (await change(`POST /projects/${id}/keys`, { name: "same", status: "disabled" })).body;
  const path = `/projects/${id}/keys/${key.id}`;
  const { entries } = await during(id, async () => {
    await change(`POST ${path}/disable`);
    await change(`PATCH ${path}`, { name: "same" });
    await change(`PATCH ${path}`, {});
    await change(`PATCH /projects/${id}`, { name: id });
    await change(`POST /projects/${id}/resume`, {});
    for (const target of [path, `/projects/${id}/keys`, `${path}/where`, `/projects/${id}/publication`, `/projects/${id}/keys:export`]) await api.get(target);
    assertRefused(await api.patch(path, { name: "other" }, 7), 412, "version_conflict");
    assertRefused(await api.post(`/projects/${id}/keys`, { name: "" }), 422, "key_spec_invalid");
    const line = { raw: '{"secret":"not-imported-for-it-is-dry"}\n', headers: { "content-type": "application/x-ndjson" } };
    await change(`POST /projects/${id}/keys:import?dry_run=true`, undefined, line);
    const headers = { "idempotency-key": "again" };
    await change(`POST ${path}/enable`, {}, { headers });
    await change(`POST ${path}/enable`, {}, { headers });
  });
  assert.deepEqual(entries.map(({ action }) => action), ["key.enable"], "a repetition is no second change");
});

describe("reading it", () => {
  test("filters narrow, and pages neither repeat nor miss an entry while others come", async () => {
    const id = await project();
    const keys = [];
    for (let count = 0; count < 4; count += 1) keys.push((await change(`POST /projects/${id}/keys`, {})).body.key.id);
    const other = (await change("POST /management-keys", { name: "other", project: id })).body;
    for (const key of keys) await change(`POST /projects/${id}/keys/${key}/disable`, {}, { client: api.as(other.secret) });
    const path = `/projects/${id}/audit`;
    const all = await api.all(path);
    const times = all.map(({ at }) => Date.parse(at));
    assert.deepEqual(times, times.toSorted((one, other) => other - one), "newest first");
    const found = (query) => api.all(path, query);
    const having = (holds) => all.filter(holds);
    assert.deepEqual(await found(`key=${keys[1]}`), having(({ key }) => key === keys[1]));
    assert.deepEqual(await found(`actor=${other.key.id}`), having(({ actor }) => actor.id === other.key.id));
    assert.deepEqual(await found("action=key.disable&limit=1"), having(({ action }) => action === "key.disable"));
    assert.deepEqual(await found(`action=key.create&key=${keys[0]}`), having(({ action, key }) => action === "key.create" && key === keys[0]));
    const middle = all[3].at;
    assert.deepEqual(await found(`since=${middle}`), having(({ at }) => Date.parse(at) >= Date.parse(middle)));
    assert.deepEqual(await found(`until=${middle}`), having(({ at }) => Date.parse(at) < Date.parse(middle)));
    const seen = [];
    let cursor = "";
    do {
      const page = await api.must("GET", `${path}?limit=2${cursor}`);
      seen.push(...page.items);
      await change(`POST /projects/${id}/keys`, {});
      cursor = page.next_cursor && `&cursor=${page.next_cursor}`;
    } while (cursor);
    assert.deepEqual(seen, all);
    for (const query of ["action=key.eat", "since=yesterday", "limit=0", "cursor=x", "who=me"]) {
      assertRefused(await api.get(`${path}?${query}`), 400, "query_invalid", [query.split("=")[0]]);
    }
  });

  test("the export is the list, oldest first, a page at a time", async () => {
    for (const base of [`/projects/${await withEntries()}/audit`, "/audit"]) {
      const listed = (await api.all(base)).reverse();
      const lines = [];
      let cursor = "";
      do {
        const page = await api.get(`${base}:export?limit=3${cursor}`);
        assert.equal(page.headers.get("content-type"), "application/x-ndjson");
        assert.ok(page.body.length <= 3);
        lines.push(...page.body);
        cursor = page.headers.get("keyward-next-cursor") && `&cursor=${page.headers.get("keyward-next-cursor")}`;
      } while (cursor);
      assert.deepEqual(lines, listed);
      assert.deepEqual((await api.get(`${base}:export?since=${listed[2].at}&limit=1000`)).body, listed.filter(({ at }) => at >= listed[2].at));
    }
  });

  async function withEntries() {
    const id = await project();
    for (let count = 0; count < 7; count += 1) await change(`POST /projects/${id}/keys`, { name: `key ${count}` });
    return id;
  }
});

test("no secret, digest or seal is in any entry", async () => {
  const logs = await Promise.all([undefined, ...(await api.all("/projects")).map(({ id }) => id)].map((id) => api.audit(id)));
  const text = JSON.stringify(logs);
  assert.ok(logs.flat().length > 50 && SEEN.size > 50);
  for (const secret of SEEN) assert.ok(!text.includes(secret), `an entry has ${secret}`);
  assert.ok(!/sealed|digest|sha256/.test(text));
});

test("nothing changes an entry once it is written", async () => {
  const id = await project();
  for (const method of ["DELETE", "PATCH", "PUT", "POST"]) assertRefused(await api.call(method, `/projects/${id}/audit`), 405, "method_not_allowed");
  await keyward.kill();
  const files = readdirSync(keyward.objects, { recursive: true }).filter((name) => name.endsWith(".sqlite"));
  let written = 0;
  for (const file of files) {
    const log = new DatabaseSync(join(keyward.objects, file));
    const has = (query) => log.prepare(query).get() !== undefined;
    if (has("SELECT 1 FROM sqlite_master WHERE name = 'audit'") && has("SELECT 1 FROM audit")) {
      written += 1;
      for (const statement of ["UPDATE audit SET action = 'x'", "DELETE FROM audit"]) assert.throws(() => log.exec(statement), /append-only/);
    }
    log.close();
  }
  assert.ok(written > 2, "the logs are not where they are looked for");
});
