// The OpenAPI document is valid, complete, and true: schemathesis calls every operation with data
// made from it, right and wrong, and finds no answer outside of it.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ASKING, VERIFY_KEYS } from "./harness/asking.mjs";
import { populate } from "./harness/deployment.mjs";
import { OPERATIONS } from "./harness/operations.mjs";
import { startPython } from "./harness/python.mjs";
import { assertRefused } from "./harness/refused.mjs";
import { ManagementClient, startRegistries } from "./harness/registry.mjs";
import { runSchemathesis } from "./harness/schemathesis.mjs";

const python = await startPython();
const keyward = await startRegistries({ after });
const api = new ManagementClient(keyward);
const document = await (await fetch(`${keyward.url}/_keyward/openapi.json`)).json();

test("the document is valid OpenAPI 3.1", { skip: python.skip }, async () => {
  const [problem] = await python.run("openapi_document.py", document);
  assert.equal(problem, undefined);
  assert.match(document.openapi, /^3\.1\./);
});

test("the document has every operation, by its path, method and name", () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId}: ${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(described.toSorted(), [...OPERATIONS, ...ASKING].map(({ id, method, path }) => `${id}: ${method} ${path}`).toSorted());
});

test("what the document says of numbers, times, cursors and headers is what is read", async () => {
  await api.project("exact");
  const patch = (raw) => api.call("PATCH", "/projects/exact", { raw, headers: { "content-type": "application/json", "if-match": "*" } });
  const whole = await patch('{"max_age_s":3600.0}');
  assert.deepEqual([whole.status, whole.body.project.max_age_s], [200, 3600]);
  assertRefused(await patch('{"max_age_s":3600.5}'), 422, "project_spec_invalid", ["max_age_s"]);
  // No date and time of RFC 3339 in UTC: it is in the year 10000.
  const late = await api.post("/projects/exact/keys", { expires_at: "9999-12-31T23:59:59-00:01" });
  assertRefused(late, 422, "key_spec_invalid", ["expires_at"]);
  assertRefused(await api.get("/projects/exact/keys?cursor=p07"), 400, "query_invalid", ["cursor"]);
  assertRefused(await api.post("/projects/exact/keys", {}, { "idempotency-key": "" }), 400, "header_invalid", ["idempotency-key"]);
});

describe("schemathesis finds no server error and no answer outside the document", { skip: python.skip }, () => {
  /** Runs it with a key of these fields, on projects of its own. */
  async function run(t, fields, parameters) {
    const own = await startRegistries(t, { vars: { ...VERIFY_KEYS, KEYWARD_WEBHOOK_HOSTS: "any", KEYWARD_GITHUB_KEYS: "http://127.0.0.1:1/" } });
    const account = new ManagementClient(own);
    const deployment = await populate(account);
    const { key, secret } = await account.managementKey({ name: "schemathesis", ...fields });
    const { failed, output, operations, cases } = await runSchemathesis(t, python, { ...deployment, own: key.id, secret }, parameters);
    t.diagnostic(`${operations} operations, ${cases} cases`);
    assert.ok(!failed, output);
    assert.equal(operations, OPERATIONS.length + ASKING.length);
  }

  test("with a key of the account", (t) => run(t, {}, []));

  // Whether it may or not is the business of management-keys.test.mjs.
  test("with a key of one project that may only read keys", (t) =>
    run(t, { project: "acme", scopes: ["keys:read"] }, ["--phases", "examples,fuzzing"]));
});
