// Every call of the management API with every credential that must not make it: each is refused,
// nothing is changed, and no answer tells what exists.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ASKING } from "./harness/asking.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { callOf, filled, isOfManagementKey, isOfProject, OPERATIONS } from "./harness/operations.mjs";
import { assertIndistinct, assertRefused } from "./harness/refused.mjs";
import { ManagementClient, startRegistries } from "./harness/registry.mjs";

const SCOPES = ["keys:read", "keys:write", "usage:read", "audit:read", "projects:write", "credentials:read", "credentials:write"];
const NO_KEY = "key_00000000000000000000";
const NO_SECRET = "sec_000000000000";
const NO_WEBHOOK = "whk_0000000000000000";
const PAST = "2020-01-01T00:00:00Z";

/** What takes a management key: all but the call of a holder, and what is signed. */
const MANAGED = OPERATIONS.filter(({ holder, signed }) => !holder && !signed);

const keyward = await startRegistries({ after });
const api = new ManagementClient(keyward);
const forged = (secret) => secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
/** The registries of both projects and of the account, as their keys and audit logs say. */
const state = async () => ({
  keys: await Promise.all(["acme", "globex"].map((id) => api.keys(id))),
  managementKeys: (await api.all("/management-keys")).map(({ last_used_at: _, ...key }) => key),
  projects: await api.all("/projects"),
  audit: await Promise.all(["acme", "globex", undefined].map((id) => api.audit(id))),
});

/** What exists by project, and what does not exist: names for the paths. */
const there = {};
const nowhere = { project: "nowhere", environment: "nowhere", key: NO_KEY, secret: NO_SECRET, webhook: NO_WEBHOOK, credential: "NOWHERE" };
const secrets = {};
let began;

before(async () => {
  for (const id of ["acme", "globex"]) {
    await api.project(id);
    const { key, secret } = await api.key(id, { name: `of ${id}`, owner: "ann" });
    const manager = await api.managementKey({ name: `of ${id}`, project: id });
    const { webhook } = await api.must("POST", `/projects/${id}/webhooks`, { url: "https://hooks.example.com/", events: ["webhook.test"] });
    await api.must("PUT", `/projects/${id}/credentials/OPENAI`, { value: "sk-0123456789", origin: "https://api.example.com" });
    there[id] = { project: id, environment: "live", key: key.id, secret: key.secrets[0].id, webhook: webhook.id, credential: "OPENAI", manager: manager.key };
    secrets[id] = { private: secret, public: (await api.key(id, { any_referrer: true })).secret, manager: manager.secret };
  }
  began = await state();
});

/** Calls an operation with a secret on what the names say; HEAD stands beside each GET. */
async function called(operation, secret, names, methods = operation.method === "GET" ? ["GET", "HEAD"] : [operation.method]) {
  const path = filled(operation, names);
  const client = api.as(secret);
  return Promise.all(methods.map(async (method) => [`${operation.id}: ${method} ${path}`, await client.call(method, path, callOf(operation))]));
}

/** All of them refuse in one way; what HEAD answers is compared with what HEAD answers. */
function assertOneRefusal(answers, status, code) {
  const [heads, others] = [true, false].map((head) => answers.filter(([call]) => call.includes(": HEAD ") === head));
  for (const [call, { text }] of heads) assert.equal(text, "", `${call} has a body`);
  for (const group of [heads, others]) if (group.length > 0) assertIndistinct(group, status, code);
}

/** The names for an operation's path in a project; of a management key where the path is one's. */
const namesIn = (operation, id) => {
  const { manager, ...names } = there[id];
  return isOfManagementKey(operation) ? { key: manager.id, secret: manager.secrets[0].id } : names;
};

/** Every operation on what exists and on what does not, all with one secret. */
async function onEverything(operations, secret, ids = ["acme", "globex"]) {
  const answers = [];
  for (const operation of operations) {
    for (const id of ids) answers.push(...(await called(operation, secret, namesIn(operation, id))));
    answers.push(...(await called(operation, secret, nowhere)));
  }
  return answers;
}

test("the operations of these tests are those of the API", async () => {
  const document = await (await fetch(`${keyward.url}/_keyward/openapi.json`)).json();
  const base = document.servers?.[0]?.url ?? "";
  const served = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ["get", "put", "post", "patch", "delete"].includes(method))
      .map(([method, { operationId }]) => `${operationId}: ${method.toUpperCase()} ${`${base}${path}`.replace(/^.*\/_keyward\/v1/, "")}`),
  );
  assert.deepEqual(served.sort(), [...OPERATIONS, ...ASKING].map(({ id, method, path }) => `${id}: ${method} ${path}`).sort());
});

describe("a call that no management key stands behind", () => {
  test("without a key: one answer, whatever is called", async () => {
    assertOneRefusal(await onEverything(OPERATIONS.filter(({ signed }) => !signed), null), 401, "key_missing");
  });

  test("with anything that is no valid management key: one answer, whatever is called", async () => {
    const made = async (name, fields) => ({ ...(await api.managementKey({ name, ...fields })), name });
    const [revoked, disabled, deleted] = [await made("revoked"), await made("disabled"), await made("deleted")];
    for (const { key } of [revoked, deleted]) await api.must("POST", `/management-keys/${key.id}/revoke`);
    await api.must("POST", `/management-keys/${disabled.key.id}/disable`);
    await api.must("DELETE", `/management-keys/${deleted.key.id}`);
    const expired = await made("expired", { expires_at: PAST });
    const early = await made("early", { not_before: "2099-01-01T00:00:00Z" });
    const ofAnotherDeployment = await foreign();
    const wrong = {
      text: "hunter2",
      forged: forged(secrets.acme.manager),
      ofAnotherDeployment,
      public: secrets.acme.public,
      private: secrets.acme.private,
      ...Object.fromEntries([revoked, disabled, deleted, expired, early].map(({ name, secret }) => [name, secret])),
    };
    const answers = [];
    for (const [name, secret] of Object.entries(wrong)) {
      for (const [call, answer] of await onEverything(MANAGED, secret, ["acme"])) answers.push([`${name} key, ${call}`, answer]);
    }
    assertOneRefusal(answers, 401, "key_invalid");
    began = await state();
  });

  test("with the bootstrap secret, once there is a key of the account: one answer, whatever is called", async () => {
    assertOneRefusal(await onEverything(MANAGED, SECRETS.KEYWARD_BOOTSTRAP_KEY), 403, "bootstrap_denied");
  });

  /** A management key of a deployment with another secret. */
  async function foreign() {
    const KEYWARD_SECRET = `a1:${Buffer.from("another-secret-another-secret-00").toString("base64url")}`;
    const hooks = [];
    const other = await startRegistries({ after: (hook) => hooks.push(hook) }, { vars: { KEYWARD_SECRET }, kv: "memory" });
    const secret = await other.managementKey();
    for (const hook of hooks.reverse()) await hook();
    return secret;
  }
});

describe("a management key of another project", () => {
  test("learns of no project but its own", async () => {
    const ofProjects = MANAGED.filter((operation) => isOfProject(operation) && !operation.account);
    const answers = [];
    for (const operation of ofProjects) {
      const { manager: _, ...foreign } = there.globex;
      for (const names of [foreign, { ...foreign, key: NO_KEY }, { ...foreign, environment: "nowhere" }, nowhere, { ...nowhere, key: foreign.key }, { ...nowhere, project: "Not a project" }]) {
        answers.push(...(await called(operation, secrets.acme.manager, names)));
      }
      const broken = { ...operation, body: undefined, raw: "{", headers: { "content-type": "text/plain", "if-match": "nonsense", "idempotency-key": " " } };
      if (operation.method !== "GET") answers.push(...(await called(broken, secrets.acme.manager, foreign)));
    }
    assertOneRefusal(answers, 404, "project_unknown");
  });

  test("learns of no key but its own project's", async () => {
    const ofKeys = MANAGED.filter(({ path }) => path.includes("/keys/{key}"));
    const answers = [];
    for (const operation of ofKeys) {
      for (const foreign of [there.globex.key, NO_KEY]) {
        answers.push(...(await called(operation, secrets.acme.manager, { ...there.acme, key: foreign, secret: there.globex.secret })));
      }
    }
    assertOneRefusal(answers, 404, "key_unknown");
  });

  test("learns of no management key but its own project's", async () => {
    const ofManagementKeys = MANAGED.filter(isOfManagementKey);
    const account = (await api.get("/whoami")).body.id;
    const answers = [];
    for (const operation of ofManagementKeys) {
      for (const names of [namesIn(operation, "globex"), { ...nowhere, key: account }, nowhere, { ...nowhere, key: there.acme.key }]) {
        answers.push(...(await called(operation, secrets.acme.manager, names)));
      }
    }
    assertOneRefusal(answers, 404, "management_key_unknown");
  });

  test("lists nothing but its own", async () => {
    const own = api.as(secrets.acme.manager);
    assert.deepEqual((await own.all("/projects")).map(({ id }) => id), ["acme"]);
    assert.deepEqual(new Set((await own.all("/keys")).map(({ project }) => project)), new Set(["acme"]));
    assert.deepEqual(new Set((await own.all("/management-keys")).map(({ project }) => project)), new Set(["acme"]));
    for (const id of ["globex", "nowhere"]) {
      const { items } = await own.must("GET", `/management-keys?project=${id}`);
      assert.deepEqual(items, [], `management keys of ${id}`);
    }
  });

  test("makes no calls on the account: one answer, whatever they are about", async () => {
    const answers = await onEverything(MANAGED.filter(({ account }) => account), secrets.acme.manager);
    assertOneRefusal(answers, 403, "account_key_required");
  });
});

describe("a management key that lacks the scope", () => {
  for (const scope of SCOPES.filter((one) => MANAGED.some((operation) => operation.scope === one))) {
    test(`${scope}: one answer, whether the target exists or not`, async () => {
      const scopes = SCOPES.filter((other) => other !== scope);
      const needing = MANAGED.filter((operation) => operation.scope === scope);
      const master = await api.managementKey({ name: `all but ${scope}`, scopes });
      const project = await api.managementKey({ name: `all but ${scope} of acme`, scopes, project: "acme" });
      began = await state();
      const answers = await onEverything(needing, master.secret);
      answers.push(...(await onEverything(needing.filter(({ account }) => !account), project.secret)));
      assertOneRefusal(answers, 403, "scope_missing");
      assert.match(answers[0][1].headers.get("www-authenticate"), new RegExp(`error="insufficient_scope".*scope="${scope}"`));
    });
  }

  test("may still do what needs none", async () => {
    const { secret } = await api.managementKey({ name: "usage", scopes: ["usage:read"], project: "acme" });
    began = await state();
    for (const operation of MANAGED.filter(({ scope }) => scope === undefined)) {
      for (const [call, answer] of await called(operation, secret, there.acme)) assert.equal(answer.status, 200, call);
    }
  });
});

test("a public key cannot revoke itself, and neither can what is no key", async () => {
  const path = "/keys:selfRevoke";
  assertRefused(await api.as(null).post(path), 401, "key_missing");
  for (const secret of ["hunter2", forged(secrets.acme.private), forged(secrets.acme.manager)]) {
    assertRefused(await api.as(secret).post(path), 401, "key_invalid");
  }
  assertRefused(await api.as(secrets.acme.public).post(path), 403, "kind_not_accepted");
});

test("an unknown endpoint answers as a known one to who may not call it", async () => {
  const answers = await Promise.all(["/nothing", "/projects", "/projects/acme/keys", "/keys:nothing"].map(async (path) => [path, await api.as(null).get(path)]));
  assertOneRefusal(answers, 401, "key_missing");
});

test("none of this has changed anything", async () => {
  assert.deepEqual(await state(), began);
});
