// Calls that meet: two writers on one key, one request that arrives twenty times, and a request
// that is repeated after its answer was lost.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { assertRefused } from "./harness/refused.mjs";
import { eventually, ManagementClient, recordsOf, startRegistries } from "./harness/registry.mjs";

const MINUTE = 60_000;
const ROUNDS = 10;

const keyward = await startRegistries({ after }, { clock: true });
const { clock } = keyward;
await clock.stop();
const api = new ManagementClient(keyward);
let serial = 0;

async function project() {
  const id = `p${(serial += 1)}`;
  await api.project(id);
  return id;
}

async function made(fields) {
  const id = await project();
  const { key, secret } = await api.key(id, fields);
  return { project: id, key, secret, path: `/projects/${id}/keys/${key.id}` };
}

const shown = async (path) => (await api.get(path)).body;
const once = (count, call) => Promise.all(Array.from({ length: count }, (_, index) => call(index)));
const statuses = (answers) => answers.map(({ status }) => status).sort();
const idempotent = (key) => ({ "idempotency-key": key });

/** How often a text stands in the files of the databases. */
async function readable(texts) {
  const files = await readdir(keyward.objects, { recursive: true, withFileTypes: true });
  const contents = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath ?? file.path, file.name))));
  assert.ok(contents.some((content) => content.subarray(0, 15).toString() === "SQLite format 3"), "the databases are not where they are looked for");
  return texts.filter((text) => contents.some((content) => content.includes(text)));
}

describe("two writers on one key", () => {
  test("of the same version: one wins, the other is told so, and nothing is lost", async () => {
    const { path } = await made({ metadata: {} });
    for (let round = 1; round <= ROUNDS; round += 1) {
      const answers = await once(2, (writer) => api.patch(path, { metadata: { [`writer${writer}`]: round } }, round));
      const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
      assert.equal(won.status, 200, won.text);
      assertRefused(lost, 412, "version_conflict");
      const key = await shown(path);
      assert.deepEqual(key, won.body.key);
      assert.equal(key.version, round + 1);
      assert.equal(key.metadata[`writer${answers.indexOf(won)}`], round);
    }
  });

  test("with a patch and a withdrawal: the withdrawal holds, and the patch stands or was refused", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { path } = await made();
      const [patched, revoked] = await Promise.all([api.patch(path, { name: "late" }, 1), api.post(`${path}/revoke`)]);
      assert.equal(revoked.status, 200, revoked.text);
      if (patched.status !== 200) assert.ok([409, 412].includes(patched.status), patched.text);
      const { status, name, version } = await shown(path);
      assert.deepEqual([status, name, version], ["revoked", patched.status === 200 ? "late" : undefined, patched.status === 200 ? 3 : 2]);
    }
  });

  test("that rotate: one does, the other is told that a rotation is under way", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { path } = await made();
      const answers = await once(3, () => api.post(`${path}/rotate`, { overlap: 60 }));
      const [won, ...lost] = answers.toSorted((a, b) => a.status - b.status);
      assert.equal(won.status, 201, won.text);
      for (const other of lost) assertRefused(other, 409, "rotation_in_progress");
      assert.deepEqual(await shown(path), won.body.key);
    }
  });

  test("that rotate without overlap: the last one's secret is the only one", async () => {
    const { path } = await made();
    const answers = await once(5, () => api.post(`${path}/rotate`, { overlap: 0 }));
    assert.deepEqual(statuses(answers), [201, 201, 201, 201, 201]);
    const key = await shown(path);
    const last = answers.find(({ body }) => body.key.version === key.version);
    assert.deepEqual(key.secrets.map(({ id, status }) => [id, status]).slice(0, 1), [[last.body.key.secrets[0].id, "live"]]);
    assert.equal(key.secrets.filter(({ status }) => status === "live").length, 1);
  });

  test("on a project, a management key, an environment and an import: none is lost", async () => {
    const id = await project();
    const projects = await once(2, (writer) => api.patch(`/projects/${id}`, { name: `writer ${writer}` }, 1));
    assert.deepEqual(statuses(projects), [200, 412]);
    const { key } = await api.managementKey();
    assert.deepEqual(statuses(await once(2, (writer) => api.patch(`/management-keys/${key.id}`, { name: `writer ${writer}` }, 1))), [200, 412]);
    assert.deepEqual(statuses(await once(4, () => api.post(`/projects/${id}/environments`, { id: "staging" }))), [201, 409, 409, 409]);
    const reports = await once(4, () => api.import(id, [{ secret: `imported-at-once-${id}-0123456789` }]));
    assert.deepEqual(reports.map(({ body }) => [body.created, body.existing]).sort(), [[0, 1], [0, 1], [0, 1], [1, 0]]);
    assert.equal((await api.keys(id)).length, 1);
  });

  test("of two projects with the same secret: one has it", async () => {
    const ids = [await project(), await project()];
    const line = { secret: `wanted-by-two-projects-${ids}` };
    const reports = await Promise.all(ids.map((id) => api.import(id, [line])));
    assert.deepEqual(reports.map(({ body }) => body.created).sort(), [0, 1]);
    const refused = reports.find(({ body }) => body.refused === 1);
    assert.deepEqual(refused.body.errors.map(({ code }) => code), ["secret_exists"]);
  });
});

describe("a repeated request", () => {
  test("that arrives twenty times at once makes one key, and everyone reads its secret", async () => {
    const id = await project();
    const answers = await once(20, () => api.post(`/projects/${id}/keys`, { name: "once" }, idempotent("twenty")));
    assert.deepEqual(new Set(statuses(answers)), new Set([201]), answers.find(({ status }) => status !== 201)?.text);
    assert.equal(new Set(answers.map(({ body }) => `${body.key.id} ${body.secret}`)).size, 1);
    assert.equal(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true").length, 19);
    assert.equal((await api.keys(id)).length, 1);
    assert.equal((await api.audit(id)).filter(({ action }) => action === "key.create").length, 1);
    const [{ body: { key } }] = answers;
    await eventually(() => recordsOf(keyward.kv, key.id).length === 1, 5000);
  });

  test("is answered as it was the first time, whatever has happened since", async () => {
    const id = await project();
    const create = () => api.post(`/projects/${id}/keys`, { name: "kept" }, idempotent("kept"));
    const first = await create();
    const path = `/projects/${id}/keys/${first.body.key.id}`;
    await api.must("POST", `${path}/revoke`);
    const again = await create();
    assert.deepEqual([again.status, again.body.key, again.body.secret], [first.status, first.body.key, first.body.secret]);
    assert.deepEqual(["location", "etag"].map((name) => again.headers.get(name)), ["location", "etag"].map((name) => first.headers.get(name)));
    assert.deepEqual([first, again].map(({ headers }) => headers.get("idempotency-replayed")), [null, "true"]);
    const [name, headers] = [`${id}-twin`, idempotent("project")];
    const made_ = await api.post("/projects", { id: name }, headers);
    await api.patch(`/projects/${name}`, { name: "Renamed" });
    assert.deepEqual((await api.post("/projects", { id: name }, headers)).body, made_.body);
    await keyward.restart();
    assert.equal((await create()).body.secret, first.body.secret, "it outlives a crash");
  });

  test("is done once, for every kind of change", async () => {
    const { project: id, path } = await made();
    const calls = [
      [`${path}/rotate`, { overlap: 60 }],
      [`${path}/disable`, {}],
      [`${path}/enable`, undefined],
      [`/projects/${id}/environments`, { id: "staging" }],
      [`/projects/${id}/owners:suspend`, { owner: "ann" }],
      ["/management-keys", { name: `of ${id}`, project: id }],
      ["/projects", { id: `${id}-twin` }],
      [`${path}/revoke`, { reason: "superseded" }],
    ];
    for (const [index, [target, body]] of calls.entries()) {
      const call = () => api.post(target, body, idempotent(`call-${index}`));
      const [first, again] = [await call(), await call()];
      assert.ok(first.status < 300, `${target}: ${first.text}`);
      const { publication: _, ...answer } = first.body;
      const { publication: __, ...repeated } = again.body;
      assert.deepEqual([again.status, repeated], [first.status, answer], target);
      assert.equal(again.headers.get("idempotency-replayed"), "true", target);
    }
    const lines = [{ name: "imported", secret: `imported-twice-${id}-0123456789` }];
    const imports = await once(2, () => api.import(id, lines, { headers: idempotent("import") }));
    assert.deepEqual(imports.map(({ body }) => body.created), [1, 1], "the same answer, not another import");
    assert.equal((await api.keys(id)).length, 2);
  });

  test("with another body, path or query is refused; another caller is another matter", async () => {
    const id = await project();
    const headers = idempotent("mismatch");
    const first = await api.post(`/projects/${id}/keys`, { name: "one" }, headers);
    assert.equal(first.status, 201);
    assertRefused(await api.post(`/projects/${id}/keys`, { name: "two" }, headers), 422, "idempotency_mismatch");
    assertRefused(await api.post(`/projects/${id}/keys/${first.body.key.id}/revoke`, {}, headers), 422, "idempotency_mismatch");
    const { secret } = await api.managementKey({ project: id });
    const theirs = await api.as(secret).post(`/projects/${id}/keys`, { name: "one" }, headers);
    assert.equal(theirs.status, 201);
    assert.notEqual(theirs.body.secret, first.body.secret);
    assert.deepEqual((await api.keys(id)).map(({ name }) => name), ["one", "one"]);
  });

  test("that was refused is tried again", async () => {
    const id = await project();
    const headers = idempotent("refused");
    assertRefused(await api.post(`/projects/${id}/keys`, { name: "" }, headers), 422, "key_spec_invalid");
    assert.equal((await api.post(`/projects/${id}/keys`, { name: "good" }, headers)).status, 201);
  });

  test("needs a key that is one", async () => {
    const id = await project();
    for (const key of ["with blank", "x".repeat(256), "ünicode"]) {
      assertRefused(await api.post(`/projects/${id}/keys`, {}, idempotent(key)), 400, "header_invalid");
    }
    for (const key of ["x".repeat(255), '"quoted"', "!"]) assert.equal((await api.post(`/projects/${id}/keys`, {}, idempotent(key))).status, 201);
  });

  test("is forgotten after ten minutes, to the second, and its secret erased", async () => {
    const id = await project();
    const create = () => api.post(`/projects/${id}/keys`, { name: "minutes" }, idempotent("minutes"));
    const first = await create();
    await clock.advance(10 * MINUTE - 1);
    assert.equal((await create()).body.secret, first.body.secret);
    await clock.advance(1);
    const later = await create();
    assert.deepEqual([later.status, later.headers.get("idempotency-replayed")], [201, null]);
    assert.notEqual(later.body.key.id, first.body.key.id);
  });

  test("leaves nothing that can be read in the databases", async () => {
    const id = await project();
    const { secret } = (await api.post(`/projects/${id}/keys`, { name: "written-in-the-clear" }, idempotent("the-header-itself"))).body;
    const raw = `raw-secret-of-an-import-${id}-0123`;
    const imported = await api.import(id, [{ name: "imported", secret: raw }], { headers: idempotent("the-import's-header") });
    assert.equal(imported.body.created, 1, imported.text);
    const { secret: management } = (await api.post("/management-keys", { name: "sealed" }, idempotent("a-management-key"))).body;
    const random = [secret, management].map((text) => text.slice(-32));
    assert.deepEqual(await readable([...random, raw, "the-header-itself", "the-import's-header"]), []);
    assert.deepEqual(await readable(["written-in-the-clear"]), ["written-in-the-clear"], "the search finds what is there");
  });
});
