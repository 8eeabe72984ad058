// Credentials of projects: set by the management API, sealed in KV, and sent to their own origin alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fault } from "./harness/kv.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { eventually, ManagementClient } from "./harness/registry.mjs";
import { createKeys } from "./harness/management.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
credential = { project_secret = "OPENAI", header = "authorization", template = "Bearer {secret}" }

[[route]]
path = "/elsewhere/**"
origin = "\${ELSEWHERE}"
credential = { project_secret = "OPENAI", header = "authorization" }

[[route]]
path = "/query"
origin = "\${ORIGIN}"
credential = { project_secret = "OPENAI", query = "key" }

[[route]]
path = "/guarded/**"
origin = "\${ORIGIN}"
guard_body = true
credential = { project_secret = "OPENAI", header = "authorization" }
`;
const FRESH_MS = 30_000;
const HARD_MS = 60_000;
const GONE_MS = 120_000;
const STALE_MS = 300_000;
const ABSENT_MS = 10_000;
const MARK_MS = 2000;
const FIRST = "sk-first-0123456789";
const SECOND = "sk-second-0123456789";

async function start(t, options = {}) {
  const stage = await startStage(t, { gateway: GATEWAY, clock: true, keys: { server: { kind: "private" } }, vars: { ELSEWHERE: "http://127.0.0.1:1" }, ...options });
  const api = new ManagementClient(stage.gateway);
  const path = (project = "acme", name = "OPENAI") => `/projects/${project}/credentials/${name}`;
  const set = (value, { project, name, origin = stage.origin.url } = {}) => api.must("PUT", path(project, name), { value, origin });
  const sent = async (key = "server") => (await stage.passes("/x", { key })).seen.values("authorization");
  const stored = () => stage.kv.store.names().filter((name) => name.startsWith("c/"));
  /** The outbox writes once more what KV has acknowledged: until that is done. */
  const settled = async () => {
    await stage.gateway.clock.advance(2 * HARD_MS);
    const puts = (name) => stage.kv.recorded("put").filter((put) => put.name === name).length;
    await eventually(() => assert.deepEqual(stored().filter((name) => puts(name) < 2), []), 10_000);
  };
  stage.secrets.push(FIRST, SECOND);
  return { stage, api, path, set, sent, stored, settled, clock: stage.gateway.clock, refused: (target = "/x") => stage.refuses("credential_unavailable", target, { key: "server" }) };
}

test("one route carries the credential of whose key calls", async (t) => {
  const { stage, set, sent, api } = await start(t);
  const [other] = Object.values(await createKeys(stage.gateway, "other", { one: { kind: "private" } }));
  const { credential, publication } = await set(FIRST);
  assert.deepEqual([credential.name, credential.origin, credential.version, publication], ["OPENAI", stage.origin.url, 1, "published"]);
  await set(SECOND, { project: "other" });
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  assert.deepEqual(await sent(other.secret), [`Bearer ${SECOND}`]);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  const { seen } = await stage.passes("/query?key=mine&a=b", { key: "server" });
  assert.equal(seen.target, `/query?a=b&key=${FIRST}`);

  await t.test("and nobody sees it", async () => {
    const list = await api.must("GET", "/projects/acme/credentials");
    assert.deepEqual(list.items.map(({ name, version }) => [name, version]), [["OPENAI", 1]]);
    const audit = await api.audit("acme");
    assert.equal(audit.at(-1).action, "credential.set");
    for (const text of [JSON.stringify(list), JSON.stringify(audit), stage.gateway.log, ...stage.kv.operations.map(({ text }) => text ?? "")]) stage.assertNoSecret(text);
    assert.ok(!stage.kv.store.names().join().includes("OPENAI"));
  });
});

test("a warm call reads nothing, and a value that changes is taken over without a failed call", async (t) => {
  const { stage, set, sent, clock, stored } = await start(t);
  await set(FIRST);
  await sent();
  const reads = () => stage.kv.recorded("get").filter(({ name }) => name === stored()[0]).length;
  for (let call = 0; call < 5; call += 1) await sent();
  assert.equal(reads(), 1);
  await set(SECOND);
  const seen = [];
  for (let second = 0; second <= 66; second += 6) {
    seen.push((await sent())[0]);
    await clock.advance(6000);
  }
  assert.deepEqual([seen[0], seen.at(-1)], [`Bearer ${FIRST}`, `Bearer ${SECOND}`]);
  const changed = seen.indexOf(`Bearer ${SECOND}`);
  assert.ok(seen.slice(changed).every((value) => value === `Bearer ${SECOND}`), seen.join());
  assert.ok(reads() <= 4, `${reads()} reads`);

  await t.test("and after a pause none that is older than the bound", async () => {
    await set(FIRST);
    await clock.advance(HARD_MS + 1000);
    assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  });
});

test("a body is searched for the value that its call was sent with, also where that has changed meanwhile", async (t) => {
  const waiting = [];
  const repeat = (request, response) => response.end(request.headers.authorization);
  const { stage, set, clock } = await start(t, { answers: {
    "/guarded/now": repeat,
    "/guarded/late": (request, response) => waiting.push(() => repeat(request, response)),
  } });
  const now = async () => (await stage.passes("/guarded/now", { key: "server" })).text;
  const masked = (value) => "*".repeat(value.length);
  await set(FIRST);
  assert.equal(await now(), masked(FIRST));
  const late = stage.passes("/guarded/late", { key: "server" });
  await eventually(() => assert.equal(waiting.length, 1), 5000);
  await set(SECOND);
  await clock.advance(HARD_MS + 1000);
  assert.equal(await now(), masked(SECOND));
  waiting[0]();
  assert.equal((await late).text, masked(FIRST));
  assert.equal(await now(), masked(SECOND));
});

test("where there is no value, nothing is sent", async (t) => {
  const { stage, set, api, path, sent, clock, refused, stored } = await start(t);
  await refused();
  await set(FIRST);
  await clock.advance(ABSENT_MS + 1000);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  await api.must("DELETE", path());
  await eventually(() => assert.deepEqual(stored(), []), 5000);
  await clock.advance(HARD_MS + 1000);
  await refused();
  assert.equal((await api.call("DELETE", path())).body.code, "credential_unknown");
  assert.match(stage.gateway.log, /credential\.project_secret/);
  await t.test("and what is set again goes on above what was", async () => {
    assert.equal((await set(SECOND)).credential.version, 2);
    await clock.advance(ABSENT_MS + 1000);
    assert.deepEqual(await sent(), [`Bearer ${SECOND}`]);
  });
});

test("a value that KV has lost is sent again soon after it is published again", async (t) => {
  const { stage, set, sent, api, clock, refused, stored, settled } = await start(t);
  await set(FIRST);
  const [name] = stored();
  const before = stage.kv.text(name);
  await settled();
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  stage.kv.delete(name);
  await clock.advance(HARD_MS + 1000);
  await refused();
  await api.must("POST", "/projects/acme/republish", {});
  await eventually(() => assert.equal(stage.kv.text(name), before), 10_000);
  await clock.advance(GONE_MS + 1000);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
});

test("a value goes to its own origin alone", async (t) => {
  const { stage, set, refused, sent, clock } = await start(t);
  await set(FIRST);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  await refused("/elsewhere/x");
  await set(FIRST, { origin: "http://127.0.0.1:1" });
  await clock.advance(HARD_MS + 1000);
  await refused();
  stage.assertNoSecret(stage.gateway.log);
});

test("what somebody writes to KV is opened only where it was sealed for", async (t) => {
  const { stage, set, refused, clock, stored, settled } = await start(t);
  await set(FIRST);
  const [own] = stored();
  await createKeys(stage.gateway, "other", { one: { kind: "private" } });
  await set(SECOND, { project: "other" });
  await set(SECOND, { name: "OTHER_NAME" });
  await settled();
  const [other, named] = stored().filter((name) => name !== own);
  const text = stage.kv.text(own);
  const [schema, version, sealed] = text.split(".");
  const flipped = sealed.slice(0, 30) + (sealed[30] === "A" ? "B" : "A") + sealed.slice(31);
  const moved = [stage.kv.text(other), stage.kv.text(named)];
  for (const value of [...moved, "", "x", text.slice(0, -1), text.slice(0, 40), `2.${version}.${sealed}`, `${schema}.2.${sealed}`, `${schema}.${version}.${flipped}`, `${text}.`, "1.1.AAAA"]) {
    stage.kv.put(own, value);
    await refused();
    await clock.advance(ABSENT_MS + 1000);
  }
  stage.assertNoSecret(stage.gateway.log);
});

test("an older value that is put back does not displace the newer one", async (t) => {
  const { stage, set, sent, clock, stored } = await start(t);
  await set(FIRST);
  const old = stage.kv.text(stored()[0]);
  await set(SECOND);
  assert.deepEqual(await sent(), [`Bearer ${SECOND}`]);
  await eventually(() => stage.kv.text(stored()[0]) !== old, 5000);
  stage.kv.put(stored()[0], old);
  for (let step = 0; step < 4; step += 1) {
    await clock.advance(FRESH_MS + 1000);
    assert.deepEqual(await sent(), [`Bearer ${SECOND}`]);
  }
});

test("KV that fails: the value that is held serves for five minutes, then nothing is sent", async (t) => {
  const { stage, set, sent, clock, refused } = await start(t);
  await set(FIRST);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  stage.kv.break("get", fault.fail(), { only: (name) => name.startsWith("c/") });
  await clock.advance(STALE_MS - 5000);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  await clock.advance(10_000);
  await refused();
  stage.kv.repair();
  await clock.advance(MARK_MS);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
});

test("KV that fails wholly: a call that waits for a record and a credential waits for each once", async (t) => {
  const { stage, set, sent, clock } = await start(t, { project: { revocation: "eventual" }, keys: { server: { any_referrer: true } }, without: () => ["METERS"] });
  await set(FIRST);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  const gets = () => stage.kv.recorded("get").length;
  for (const [since, behaviour] of [[HARD_MS + 5000, fault.fail()], [5000, fault.slow(new Promise(() => {}))]]) {
    stage.kv.repair();
    stage.kv.break("get", behaviour);
    await clock.advance(since);
    const before = gets();
    assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
    assert.ok(gets() > before && gets() - before <= 3, `${gets() - before} reads`);
  }
  await clock.advance(STALE_MS);
  const before = gets();
  const answer = await stage.call("/x", { key: "server" });
  assert.equal(answer.status, 503);
  assert.ok(gets() - before <= 3, `${gets() - before} reads`);
});

test("after a rotation of the deployment's secret the older entry can go", async (t) => {
  const { stage, set, sent, api, stored, clock } = await start(t);
  const old = SECRETS.KEYWARD_SECRET;
  const next = `b2:${Buffer.from("the-next-entry-of-the-secret-0123").toString("base64url")}`;
  const restart = (secret) => stage.gateway.restart({ vars: { KEYWARD_SECRET: secret } });
  const entries = async () => Object.fromEntries((await api.must("GET", "/projects/acme/publication")).entries.map((entry) => [entry.id, entry]));
  await set(FIRST);
  assert.equal((await entries()).a1.records, 2);
  await restart(`${next},${old}`);
  await eventually(async () => assert.ok((await entries()).a1.droppable_at), 30_000);
  assert.deepEqual(stored().map((name) => name.split("/")[1]).sort(), ["a1", "b2"]);
  assert.equal((await entries()).b2.published, 2);
  await restart(`${next},-${old}`);
  assert.deepEqual(await sent(), [`Bearer ${FIRST}`]);
  await set(SECOND);
  await clock.advance(HARD_MS + 1000);
  assert.deepEqual(await sent(), [`Bearer ${SECOND}`]);
});

test("of two entries' values the newest is sent, and one that was deleted does not come back", async (t) => {
  const { stage, set, sent, api, stored, path, refused } = await start(t);
  const old = SECRETS.KEYWARD_SECRET;
  const next = `b2:${Buffer.from("the-next-entry-of-the-secret-0123").toString("base64url")}`;
  const restart = (secret) => stage.gateway.restart({ vars: { ORIGIN: stage.origin.url, ELSEWHERE: "http://127.0.0.1:1", KEYWARD_SECRET: secret } });
  const under = (entry) => stored().find((name) => name.startsWith(`c/${entry}/`));
  await set(FIRST);
  await restart(`${next},${old}`);
  await api.must("GET", "/projects/acme/publication");
  await eventually(() => assert.ok(under("a1") && under("b2")), 30_000);
  for (const entry of ["b2", "a1"]) {
    const before = stage.kv.text(under(entry));
    await set(SECOND);
    await eventually(() => assert.notEqual(stage.kv.text(under(entry)), before), 5000);
    stage.kv.put(under(entry), before);
    await restart(`${next},${old}`);
    assert.deepEqual(await sent(), [`Bearer ${SECOND}`], entry);
    await set(FIRST);
    await eventually(() => assert.notEqual(stage.kv.text(under(entry)), before), 5000);
  }

  await restart(old);
  await api.must("DELETE", path());
  await eventually(() => assert.deepEqual([under("a1"), Boolean(under("b2"))], [undefined, true]), 5000);
  await restart(`${next},${old}`);
  await api.must("GET", "/projects/acme/publication");
  await eventually(() => assert.deepEqual(stored(), []), 10_000);
  await refused();
  assert.deepEqual((await api.must("GET", "/projects/acme/credentials")).items, []);
});
