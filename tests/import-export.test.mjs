// Keys in and out as NDJSON: every form of a secret, refusals by line, repetition, secrets that
// belong to somebody else, and a project that moves into an empty deployment.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { startKeyward } from "./harness/keyward.mjs";
import { startOrigin } from "./harness/origin.mjs";
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
const NDJSON = { "content-type": "application/x-ndjson" };

const stage = await startStage({ after }, { gateway: GATEWAY });
const api = new ManagementClient(stage.gateway);
let serial = 0;

async function project() {
  const id = `p${(serial += 1)}`;
  await api.project(id);
  return id;
}

/** A raw secret that nobody else has. */
const raw = () => `legacy-${(serial += 1)}-${"0123456789abcdef".repeat(2)}`;
const digest = (secret, form = "hex") => createHash("sha256").update(secret).digest(form);
const passes = (secret, path = "/legacy/x") => stage.passes(path, { key: secret });
const refuses = (code, secret, path = "/legacy/x") => stage.refuses(code, path, { key: secret });

/** The report of an import that was answered. */
async function imported(id, lines, options) {
  const answer = await api.import(id, lines, options);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

const totals = ({ lines, created, existing, refused }) => ({ lines, created, existing, refused });

describe("import", () => {
  test("takes a secret in every form, and its holder notices nothing", async () => {
    const id = await project();
    const forms = {
      raw: (secret) => ({ secret }),
      hex: (secret) => ({ sha256: digest(secret) }),
      "upper-case hex": (secret) => ({ sha256: digest(secret).toUpperCase() }),
      base64: (secret) => ({ sha256: digest(secret, "base64") }),
      base64url: (secret) => ({ sha256: digest(secret, "base64url") }),
      "a list": (secret) => ({ secrets: [{ sha256: digest(secret), redacted: "legacy…", created_at: "2020-01-01T00:00:00Z" }] }),
      "a native key of elsewhere": () => ({ secret: `kw_sk_live_1${"a".repeat(32)}` }),
    };
    const made = Object.entries(forms).map(([name, form]) => ({ name, secret: raw(), form }));
    made.at(-1).secret = made.at(-1).form().secret;
    const report = await imported(id, made.map(({ name, secret, form }) => ({ name, kind: "private", ...form(secret) })));
    assert.deepEqual({ ...totals(report), errors: report.errors }, { lines: 7, created: 7, existing: 0, refused: 0, errors: [] });
    assert.deepEqual(report.keys.map(({ line, outcome }) => [line, outcome]), made.map((_, index) => [index + 1, "created"]));
    await eventually(() => report.keys.every((key) => recordsOf(stage.kv, key.id).length === 1), 5000);
    for (const [index, { secret, name }] of made.entries()) {
      const { seen } = await passes(secret);
      assert.equal(seen.values("keyward-key-id")[0], report.keys[index].id, name);
      await refuses("key_invalid", secret, "/x");
      const { secrets: [shown] } = (await api.get(`/projects/${id}/keys/${report.keys[index].id}`)).body;
      assert.deepEqual([shown.imported, shown.status], [true, "live"], name);
      assert.ok(!shown.redacted.includes(secret.slice(0, -4)), name);
    }
  });

  test("keys work beside native ones, and each is refused where it does not belong", async () => {
    const id = await project();
    const native = await api.key(id);
    const [legacy, page, stopped, gone] = [raw(), raw(), raw(), raw()];
    await imported(id, [
      { name: "server", secret: legacy, scopes: ["a:b"], paths: ["GET /legacy/x"] },
      { name: "page", kind: "public", referrers: ["app.example"], secret: page },
      { name: "stopped", status: "disabled", secret: stopped },
      { name: "gone", status: "revoked", secret: gone },
    ]);
    for (const path of ["/legacy/x", "/x"]) await passes(native.secret, path);
    await passes(legacy);
    await refuses("path_denied", legacy, "/legacy/y");
    await refuses("referrer_denied", page);
    const { status } = await stage.call("/legacy/x", { key: page, headers: { origin: "https://app.example" } });
    assert.equal(status, 200);
    await refuses("key_disabled", stopped);
    await refuses("key_revoked", gone);
    await refuses("key_invalid", raw());
    const reads = stage.reads;
    for (const secret of ["short", "x".repeat(513), legacy]) await refuses("key_invalid", secret, "/x");
    assert.equal(stage.reads, reads, "where imported keys are not accepted they cost no read");
  });

  test("a native key of this deployment that is moved between projects works everywhere", async () => {
    const [from, to] = [await project(), await project()];
    const { key, secret } = await api.key(from);
    const [line] = await api.exported(from);
    const refused = await imported(to, [line]);
    assert.deepEqual(refused.errors.map(({ line: number, code }) => [number, code]), [[1, "secret_exists"]], "as long as it belongs to the other");
    await passes(secret, "/x");
    assert.equal((await api.get(`/projects/${from}/keys/${key.id}`)).status, 200);
  });

  test("refuses by line, and a bad line refuses itself only", async () => {
    const id = await project();
    const good = () => ({ secret: raw() });
    const taken = (await api.key(await project())).key.id;
    const bad = [
      ["not JSON", "{", "body_invalid", []],
      ["no object", "[]", "key_spec_invalid", ["line"]],
      ["no secret", {}, "key_spec_invalid", ["secret"]],
      ["two forms", { secret: raw(), sha256: digest("x") }, "key_spec_invalid", ["secret"]],
      ["a short secret", { secret: "x".repeat(19) }, "key_spec_invalid", ["secret"]],
      ["a long secret", { secret: "x".repeat(513) }, "key_spec_invalid", ["secret"]],
      ["a secret with blanks", { secret: `${"x".repeat(20)} y` }, "key_spec_invalid", ["secret"]],
      ["no digest", { sha256: "abc" }, "key_spec_invalid", ["sha256"]],
      ["three secrets", { secrets: [good(), good(), good()] }, "key_spec_invalid", ["secrets"]],
      ["no secrets", { secrets: [] }, "key_spec_invalid", ["secrets"]],
      ["an unknown field", { ...good(), usage: 1 }, "key_spec_invalid", ["usage"]],
      ["an unknown environment", { ...good(), environment: "staging" }, "key_spec_invalid", ["environment"]],
      ["two wrong fields", { ...good(), scopes: ["a"], ips: ["010.0.0.1"] }, "key_spec_invalid", ["scopes[0]", "ips[0]"]],
      ["an id of another shape", { ...good(), id: "mine" }, "key_spec_invalid", ["id"]],
      ["another's id", { ...good(), id: taken }, "secret_exists", []],
    ];
    const lines = bad.flatMap(([, line]) => [line, good()]);
    const report = await imported(id, lines);
    assert.deepEqual(totals(report), { lines: lines.length, created: bad.length, existing: 0, refused: bad.length });
    assert.deepEqual(report.keys.map(({ line }) => line), bad.map((_, index) => 2 * index + 2));
    for (const [index, [what, , code, fields]] of bad.entries()) {
      const { line, code: said, errors } = report.errors[index];
      assert.deepEqual([what, line, said, fields.length ? errors.map(({ field }) => field) : []], [what, 2 * index + 1, code, fields]);
      assert.ok(errors.every(({ detail }) => detail.length > 0));
    }
    assert.equal((await api.keys(id)).length, bad.length);
  });

  test("counts a secret once, however often it is given", async () => {
    const id = await project();
    const [one, two] = [raw(), raw()];
    const lines = [{ name: "one", secret: one }, { name: "one again", sha256: digest(one) }, { name: "two", secret: two }];
    const first = await imported(id, lines);
    assert.deepEqual(first.keys.map(({ line, outcome }) => [line, outcome]), [[1, "created"], [2, "existing"], [3, "created"]]);
    assert.equal(first.keys[0].id, first.keys[1].id);
    const before = [await api.keys(id), await api.audit(id)];
    const again = await imported(id, lines);
    assert.deepEqual(totals(again), { lines: 3, created: 0, existing: 3, refused: 0 });
    assert.deepEqual(again.keys.map(({ id: key }) => key), first.keys.map(({ id: key }) => key));
    assert.deepEqual([await api.keys(id), await api.audit(id)], before, "repeating it changes nothing");
    const mixed = await imported(id, [{ secrets: [{ secret: one }, { secret: raw() }] }, { secrets: [{ secret: one }, { secret: two }] }, { name: "new", secret: raw() }]);
    assert.deepEqual([totals(mixed), mixed.errors.map(({ line, code }) => [line, code])], [{ lines: 3, created: 1, existing: 0, refused: 2 }, [[1, "secret_exists"], [2, "secret_exists"]]]);
  });

  test("takes no secret of another project, even of a deleted key, and says no more than that", async () => {
    const [id, other] = [await project(), await project()];
    const [held, deleted] = [raw(), raw()];
    const { keys } = await imported(other, [{ secret: held }, { secret: deleted }]);
    const native = await api.key(other);
    await api.must("DELETE", `/projects/${other}/keys/${keys[1].id}`);
    const report = await imported(id, [{ secret: held }, { secret: deleted }, { sha256: digest(native.secret) }, { secret: raw() }]);
    assert.deepEqual(totals(report), { lines: 4, created: 1, existing: 0, refused: 3 });
    for (const { code, errors } of report.errors) {
      assert.equal(code, "secret_exists");
      assert.ok(!JSON.stringify(errors).includes(other));
    }
    await passes(held);
  });

  test("keeps a secret that it refused for no project", async () => {
    const [id, other] = [await project(), await project()];
    const lines = [{ secret: raw(), environment: "staging" }, { secret: raw(), id: (await api.key(other)).key.id }, { id: "key_DCBAabcdef9876543210", secret: raw(), environment: "staging" }];
    assert.equal((await imported(id, lines)).refused, 3);
    await api.must("POST", `/projects/${id}/archive`);
    const late = { secret: raw() };
    assertRefused(await api.import(id, [late]), 409, "project_state_conflict");
    const { id: _, ...second } = lines[1];
    await api.must("POST", `/projects/${other}/environments`, { id: "staging" });
    assert.equal((await imported(other, [lines[0], second, lines[2], late])).created, 4);
  });

  test("keeps the id that is given when it is free, and when the key was made and revoked", async () => {
    const id = await project();
    const key = "key_0123456789abcdefABCD";
    const line = { id: key, secret: raw(), created_at: "2020-02-03T04:05:06Z", status: "revoked", revoked: { at: "2021-01-01T00:00:00Z", reason: "superseded", note: "moved" } };
    const report = await imported(id, [line]);
    assert.deepEqual(report.keys, [{ line: 1, id: key, outcome: "created" }], JSON.stringify(report));
    const shown = (await api.get(`/projects/${id}/keys/${key}`)).body;
    const times = [shown.created_at, shown.revoked.at].map((time) => Date.parse(time));
    assert.deepEqual([shown.status, ...times, shown.revoked.reason], ["revoked", Date.parse(line.created_at), Date.parse(line.revoked.at), "superseded"]);
    const [exported] = await api.exported(id);
    assert.equal(Date.parse(exported.revoked.at), Date.parse(line.revoked.at));
    assert.deepEqual((await imported(id, [{ id: key, secret: raw() }])).errors.map(({ code }) => code), ["secret_exists"]);
  });

  test("counts no key as there that is deleted, or revoked against what the line says", async () => {
    const id = await project();
    const line = () => ({ secret: raw() });
    const [deleted, revoked, turned] = [line(), line(), { ...line(), status: "revoked" }];
    const { keys } = await imported(id, [deleted, revoked, turned]);
    const path = (index) => `/projects/${id}/keys/${keys[index].id}`;
    await api.must("DELETE", path(0));
    await api.must("POST", `${path(1)}/revoke`, { reason: "keyCompromise" });
    const lines = [deleted, revoked, turned, { ...revoked, status: "revoked" }, { ...deleted, status: "revoked" }];
    const again = await imported(id, lines);
    assert.deepEqual(totals(again), { lines: 5, created: 0, existing: 2, refused: 3 });
    assert.deepEqual(again.errors.map(({ line: number, code }) => [number, code]), [1, 2, 5].map((number) => [number, "key_state_conflict"]));
    assert.equal(again.errors[0].errors[0].detail, `undelete ${keys[0].id}`);
    await api.must("POST", `${path(0)}/undelete`, {});
    assert.equal((await imported(id, [deleted])).existing, 1);
  });

  test("a line that is too long, or has too many wrong fields, refuses itself only", async () => {
    const id = await project();
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1]));
    const report = await imported(id, [{ secret: raw(), ...many }, { secret: raw(), metadata: { note: "x".repeat(65_536) } }, { secret: raw() }]);
    assert.deepEqual(totals(report), { lines: 3, created: 1, existing: 0, refused: 2 });
    assert.deepEqual(report.errors.map(({ code, errors }) => [code, errors.length]), [["key_spec_invalid", 21], ["body_too_large", 1]]);
    assert.equal(report.errors[0].errors.at(-1).field, "more");
  });

  test("dry, reports the same and changes nothing", async () => {
    const id = await project();
    const lines = [{ name: "one", secret: raw() }, { name: "bad" }, { name: "two", secret: raw() }];
    const before = await api.audit(id);
    const dry = await imported(id, lines, { query: "?dry_run=true" });
    assert.deepEqual([await api.keys(id), await api.audit(id)], [[], before]);
    const held = raw();
    await imported(await project(), [{ secret: held }]);
    const taken = await imported(id, [{ secret: held }, lines[0]], { query: "?dry_run=true" });
    assert.deepEqual([totals(taken), taken.errors[0].code], [{ lines: 2, created: 1, existing: 0, refused: 1 }, "secret_exists"]);
    const other = await project();
    assert.equal((await imported(other, [lines[0]])).created, 1, "nothing was reserved");
    const wet = await imported(id, lines.slice(1), {});
    assert.deepEqual([totals(dry), totals(wet)], [{ lines: 3, created: 2, existing: 0, refused: 1 }, { lines: 2, created: 1, existing: 0, refused: 1 }]);
  });

  test("takes NDJSON only, up to a thousand lines and a mebibyte", async () => {
    const id = await project();
    const path = `/projects/${id}/keys:import`;
    const send = (text, headers = NDJSON) => api.call("POST", path, { raw: text, headers });
    assertRefused(await send("{}", { "content-type": "application/json" }), 415, "media_type_unsupported");
    assertRefused(await send(Buffer.from([0xff, 0x0a])), 400, "body_invalid");
    const line = () => JSON.stringify({ secret: raw() });
    assert.equal((await send("\n\n")).body?.lines, 0);
    const spaced = await send(`${line()}\r\n\n${line()}`);
    assert.deepEqual(spaced.body.keys.map(({ line: number }) => number), [1, 3], "empty lines count for the number, not as keys");
    const full = Array.from({ length: 1000 }, line);
    const report = await imported(id, full);
    assert.equal(report.created, 1000);
    const many = await send([...full, line()].join("\n"));
    assert.ok([400, 413].includes(many.status), many.text);
    assertRefused(await send(`${JSON.stringify({ secret: raw(), name: "x" })}${" ".repeat(1 << 20)}`), 413, "body_too_large");
    assert.equal((await api.all("/keys", "limit=100&q=nothing")).length, 0);
  });
});

describe("export", () => {
  test("gives what was imported, oldest first, page by page", async () => {
    const id = await project();
    const lines = Array.from({ length: 7 }, (_, index) => ({ name: `key ${index}`, owner: "ann", metadata: { index }, sha256: digest(raw()) }));
    await imported(id, lines);
    for (const query of ["limit=3", "limit=1000"]) {
      const out = await api.exported(id, query);
      assert.deepEqual(out.map(({ name, owner, metadata, secrets }) => ({ name, owner, metadata, sha256: secrets[0].sha256 })), lines);
    }
    for (const limit of [0, 1001]) assertRefused(await api.get(`/projects/${id}/keys:export?limit=${limit}`), 400, "query_invalid", ["limit"]);
  });

  test("gives a suspended key as disabled, so that it does not come to life elsewhere", async () => {
    const id = await project();
    const made = {};
    for (const [name, fields] of Object.entries({ owned: { owner: "ann" }, staged: { environment: "test" }, stopped: { owner: "ann", status: "disabled" }, free: {} })) made[name] = await api.key(id, { name, ...fields });
    const { key: gone } = await api.key(id, { name: "gone", owner: "ann" });
    await api.must("POST", `/projects/${id}/keys/${gone.id}/revoke`, {});
    await api.must("POST", `/projects/${id}/owners:suspend`, { owner: "ann" });
    await api.must("POST", `/projects/${id}/environments/test/archive`, {});
    const states = async () => Object.fromEntries((await api.exported(id)).map(({ name, status, suspended_by }) => [name, [status, suspended_by].join(" ").trim()]));
    assert.deepEqual(await states(), { owned: "disabled owner", staged: "disabled environment", stopped: "disabled owner", free: "active", gone: "revoked" });
    const lines = (await api.exported(id)).filter(({ environment }) => environment === "live").map(({ id: _, secrets: __, ...line }) => ({ ...line, secret: raw() }));
    const to = await project();
    assert.equal((await imported(to, lines)).created, 4);
    assert.deepEqual((await api.keys(to)).map(({ name, status }) => [name, status]).sort(), [["free", "active"], ["gone", "revoked"], ["owned", "disabled"], ["stopped", "disabled"]]);
    await api.must("POST", `/projects/${id}/suspend`, {});
    assert.equal((await states()).free, "disabled project");
  });

  test("moves a project into an empty deployment, where its keys work", async (t) => {
    const id = await project();
    const made = {};
    const fields = { plain: { scopes: ["a:b"], metadata: { a: [1, null] } }, web: { referrers: ["app.example"] }, staging: { environment: "test", owner: "ann" }, stopped: { status: "disabled" }, gone: {}, turned: {}, kept: { delete_protection: true } };
    for (const [name, own] of Object.entries(fields)) made[name] = await api.key(id, { name, ...own });
    const path = (name) => `/projects/${id}/keys/${made[name].key.id}`;
    await api.must("POST", `${path("gone")}/revoke`, { reason: "keyCompromise" });
    const { secret: newer } = await api.must("POST", `${path("turned")}/rotate`, { overlap: 3600 });
    const legacy = raw();
    await imported(id, [{ name: "legacy", secret: legacy }]);
    const lines = await api.exported(id);
    assert.equal(lines.length, 8);

    const origin = await startOrigin(t);
    const vars = { ORIGIN: origin.url, KEYWARD_SECRET: `n1:${Buffer.from("another-deployment-another-secret").toString("base64url")}` };
    const there = await startKeyward(t, { gateway: GATEWAY, vars });
    const other = new ManagementClient(there);
    await other.project("moved");
    const report = (await other.import("moved", lines)).body;
    assert.deepEqual({ ...totals(report), errors: report.errors }, { lines: 8, created: 8, existing: 0, refused: 0, errors: [] });
    assert.deepEqual(await other.exported("moved"), lines, "what is exported there is what was imported");
    await eventually(() => report.keys.every((key) => recordsOf(there.kv, key.id).length > 0), 5000);
    const status = async (secret, headers = {}) => (await fetch(`${there.url}/legacy/x`, { headers: { "x-api-key": secret, ...headers } })).status;
    for (const secret of [made.plain.secret, made.staging.secret, made.turned.secret, newer, made.kept.secret, legacy]) assert.equal(await status(secret), 200);
    assert.deepEqual([await status(made.web.secret, { origin: "https://app.example" }), await status(made.web.secret)], [200, 403]);
    for (const secret of [made.stopped.secret, made.gone.secret]) assert.equal(await status(secret), 401);
    const native = await other.key("moved");
    assert.equal((await fetch(`${there.url}/x`, { headers: { "x-api-key": native.secret } })).status, 200);
    assert.equal((await fetch(`${there.url}/x`, { headers: { "x-api-key": made.plain.secret } })).status, 401, "their tags are the other deployment's");
    assert.equal((await other.import("moved", lines)).body.existing, 8);
  });
});
