// Credentials of projects in the management API: what is taken, what is refused, and what is never shown.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fault } from "./harness/kv.mjs";
import { assertRefused } from "./harness/refused.mjs";
import { eventually, ManagementClient, startRegistries } from "./harness/registry.mjs";

const VALUE = "sk-never-shown-0123456789";
const ORIGIN = "https://api.example.com";
const MOST = 100;

const keyward = await startRegistries({ after });
const api = new ManagementClient(keyward);
const path = (project, name = "OPENAI") => `/projects/${project}/credentials/${name}`;
const put = (project, body = { value: VALUE, origin: ORIGIN }, name) => api.call("PUT", path(project, name), { body });

test("a credential is set, replaced, listed and deleted, and its value is nowhere", async () => {
  await api.project("life");
  const first = await put("life", { value: VALUE, origin: "HTTPS://API.example.com:443/" });
  assert.equal(first.status, 200, first.text);
  const { credential } = first.body;
  assert.deepEqual(Object.keys(credential).sort(), ["created_at", "name", "origin", "updated_at", "version"]);
  assert.deepEqual([credential.name, credential.origin, credential.version, first.body.publication], ["OPENAI", ORIGIN, 1, "published"]);
  const second = await put("life", { value: `${VALUE}-2`, origin: "https://other.example" });
  assert.deepEqual([second.body.credential.version, second.body.credential.created_at], [2, credential.created_at]);
  await put("life", undefined, "ANOTHER");
  const list = await api.get("/projects/life/credentials");
  assert.deepEqual(list.body.items.map(({ name, origin }) => [name, origin]), [["ANOTHER", ORIGIN], ["OPENAI", "https://other.example"]]);
  const deleted = await api.call("DELETE", path("life"));
  assert.deepEqual([deleted.status, deleted.body.credential.version], [200, 2]);
  assertRefused(await api.call("DELETE", path("life")), 404, "credential_unknown");
  const again = await put("life");
  assert.equal(again.body.credential.version, 4, "a version is given out once");

  const audit = (await api.audit("life")).filter(({ action }) => action.startsWith("credential."));
  assert.deepEqual(audit.map(({ action, target }) => `${action} ${target}`), ["credential.set OPENAI", "credential.set OPENAI", "credential.set ANOTHER", "credential.delete OPENAI", "credential.set OPENAI"]);
  assert.deepEqual(audit[1].changes, [{ field: "origin", before: ORIGIN, after: "https://other.example" }, { field: "version", before: 1, after: 2 }]);
  const files = readdirSync(join(keyward.objects, "ProjectRegistry")).map((file) => readFileSync(join(keyward.objects, "ProjectRegistry", file), "latin1"));
  const kept = [first, second, list, deleted, again].map(({ text }) => text);
  for (const text of [...kept, JSON.stringify(audit), keyward.log, ...files, ...keyward.kv.operations.map(({ text }) => text ?? "")]) assert.ok(!text.includes("never-shown"));
});

test("what cannot be set is refused, and each wrong field is named", async () => {
  await api.project("wrong");
  for (const [body, fields] of [
    [{}, ["value", "origin"]],
    [{ value: "", origin: ORIGIN }, ["value"]],
    [{ value: "a b", origin: ORIGIN }, ["value"]],
    [{ value: "é", origin: ORIGIN }, ["value"]],
    [{ value: "x".repeat(4097), origin: ORIGIN }, ["value"]],
    [{ value: "x", origin: `${ORIGIN}/v1` }, ["origin"]],
    [{ value: "x", origin: "ftp://api.example.com" }, ["origin"]],
    [{ value: "x", origin: ORIGIN, note: "" }, ["note"]],
  ]) {
    const answer = await put("wrong", body);
    assertRefused(answer, 422, "request_invalid", fields);
  }
  for (const name of ["openai", "1X", "A-B", "A".repeat(65), "A%20B"]) assertRefused(await put("wrong", undefined, name), 422, "request_invalid", ["credential"]);
  assertRefused(await put("nowhere"), 404, "project_unknown");
  assert.deepEqual((await api.get("/projects/wrong/credentials")).body.items, []);
  assert.equal((await put("wrong", { value: "x".repeat(4096), origin: ORIGIN }, "A".repeat(64))).status, 200);
});

test("a project has so many and no more, and an archived one takes none", async () => {
  await api.project("full");
  for (let number = 0; number < MOST; number += 1) assert.equal((await put("full", undefined, `N${number}`)).status, 200);
  assertRefused(await put("full", undefined, "MORE"), 422, "request_invalid", ["credential"]);
  assert.equal((await put("full", undefined, "N7")).status, 200, "one that is there can be replaced");
  await api.must("POST", "/projects/full/archive", {});
  assertRefused(await put("full", undefined, "N7"), 409, "project_state_conflict");
  assert.equal((await api.call("DELETE", path("full", "N7"))).status, 200);
});

test("a key needs the scope, and keys:write is not it", async () => {
  await api.project("scoped");
  const key = async (...scopes) => api.as((await api.managementKey({ project: "scoped", scopes })).secret);
  const body = { value: VALUE, origin: ORIGIN };
  const [writer, reader, other] = [await key("credentials:write"), await key("credentials:read"), await key("keys:read", "keys:write", "projects:write")];
  assert.equal((await writer.call("PUT", path("scoped"), { body })).status, 200);
  assert.equal((await reader.get("/projects/scoped/credentials")).status, 200);
  for (const [client, method, at] of [[other, "PUT", path("scoped")], [other, "DELETE", path("scoped")], [other, "GET", "/projects/scoped/credentials"], [reader, "PUT", path("scoped")], [writer, "GET", "/projects/scoped/credentials"]]) {
    assertRefused(await client.call(method, at, method === "PUT" ? { body } : {}), 403, "scope_missing");
  }
});

test("of values that are set at once one stands, and KV has that one", async () => {
  await api.project("races");
  const answers = await Promise.all(Array.from({ length: 12 }, (_, number) => put("races", { value: `${VALUE}-${number}`, origin: ORIGIN })));
  for (const answer of answers) if (answer.status !== 200) assertRefused(answer, 412, "version_conflict");
  const [{ version }] = (await api.get("/projects/races/credentials")).body.items;
  assert.equal(version, Math.max(...answers.filter(({ status }) => status === 200).map(({ body }) => body.credential.version)));
  const stands = () => keyward.kv.store.names().filter((name) => keyward.kv.text(name).startsWith(`1.${version}.`) && name.startsWith("c/"));
  await eventually(() => assert.ok(stands().length > 0), 5000);
});

test("KV that fails gets it later", async () => {
  await api.project("later");
  const repaired = keyward.kv.break("put", fault.fail(), { only: (name) => name.startsWith("c/") });
  const before = keyward.kv.store.names().length;
  const answer = await put("later");
  assert.deepEqual([answer.status, answer.body.publication], [200, "pending"]);
  repaired();
  await eventually(() => assert.equal(keyward.kv.store.names().length, before + 1), 20_000);
});
