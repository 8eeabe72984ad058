// The way of a request, row by row: each step refuses with its own code, the origin sees nothing of
// it, and who reads the answer knows why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { STATUS } from "./harness/problem.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/open/**"
origin = "\${ORIGIN}"

[[route]]
path = "/globex/**"
origin = "\${ORIGIN}"
projects = ["globex"]

[[route]]
path = "/live/**"
origin = "\${ORIGIN}"
environments = ["live"]

[[route]]
path = "/servers/**"
origin = "\${ORIGIN}"
accepts = ["private"]

[[route]]
path = "/pages/**"
origin = "\${ORIGIN}"
accepts = ["public"]

[[route]]
path = "/reports/**"
origin = "\${ORIGIN}"
scopes = ["reports:read"]
[[route.require]]
rule = "POST /reports/**"
scopes = ["reports:write", "audit:write"]

[[route]]
path = "/injected/**"
origin = "\${ORIGIN}"
credential = { secret = "CREDENTIAL", header = "authorization", template = "Bearer {secret}" }

[[route]]
path = "/locked/**"
origin = "\${ORIGIN}"
credential = { secret = "NEVER_SET", header = "authorization" }

[[route]]
path = "/down/**"
origin = "http://127.0.0.1:1"

[[route]]
path = "/hang"
origin = "\${ORIGIN}"
timeout_ms = 150
`;

const PAGE = "https://app.example";
const OTHER = "https://evil.example";
const PAST = "2020-01-01T00:00:00Z";
const FUTURE = "2099-01-01T00:00:00Z";

const KEYS = {
  private: { kind: "private" },
  public: { referrers: [PAGE] },
  test: { kind: "private", environment: "test" },
  expired: { kind: "private", expires_at: PAST },
  early: { kind: "private", not_before: FUTURE },
  revoked: { kind: "private" },
  disabled: { kind: "private" },
  deleted: { kind: "private" },
  office: { kind: "private", ips: ["192.0.2.0/24"] },
  app: { apps: { ios: ["com.example.app"] } },
  reader: { kind: "private", paths: ["GET /open/docs/**"] },
  reports: { kind: "private", scopes: ["reports:read"] },
  revokedAndExpired: { kind: "private", expires_at: PAST, environment: "test" },
};

const forged = (key) => key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");

/** Each is [what is wrong, the code, the target, the call]; `keys` are the stage's by name. */
const ROWS = [
  ["no route has this path", "route_unknown", "/nowhere", { key: "private" }],
  ["the path can be read in two ways", "path_ambiguous", "/open/a/../b", { key: "private" }],
  ["the method is never proxied", "method_not_allowed", "/open/x", { key: "private", method: "TRACE" }],
  ["the head is larger than is read", "head_too_large", "/open/x", { key: "private", headers: { "x-big": "x".repeat(140_000) } }],
  ["a page's head is larger than is read", "head_too_large", "/open/x", { key: "public", headers: { origin: PAGE, "x-big": "x".repeat(140_000) }, page: PAGE }],
  ["the request has been here already", "loop_detected", "/open/x", { key: "private", looped: true }],
  ["there is no key", "key_missing", "/open/x", {}],
  ["there are two keys", "key_ambiguous", "/open/x", { key: "private", bearer: "test" }],
  ["the key has no shape", "key_invalid", "/open/x", { key: "hunter2" }],
  ["the key is forged", "key_invalid", "/open/x", { key: "forged" }],
  ["the key has been deleted", "key_invalid", "/open/x", { key: "deleted" }],
  ["the key is another project's", "key_invalid", "/globex/x", { key: "private" }],
  ["the key has been revoked", "key_revoked", "/open/x", { key: "revoked" }],
  ["the key has expired", "key_expired", "/open/x", { key: "expired" }],
  ["the key is disabled", "key_disabled", "/open/x", { key: "disabled" }],
  ["the key is not valid yet", "key_not_yet_valid", "/open/x", { key: "early" }],
  ["the key is of another environment", "environment_denied", "/live/x", { key: "test" }],
  ["the route is for servers", "kind_not_accepted", "/servers/x", { key: "public", headers: { origin: PAGE }, page: PAGE }],
  ["the route is for pages", "kind_not_accepted", "/pages/x", { key: "private" }],
  ["a page sends a private key", "private_key_in_browser", "/open/x", { key: "private", headers: { origin: PAGE }, page: PAGE }],
  ["a page's navigation sends a private key", "private_key_in_browser", "/open/x", { key: "private", headers: { "sec-fetch-site": "cross-site" } }],
  ["another website uses the key", "referrer_denied", "/open/x", { key: "public", headers: { origin: OTHER }, page: OTHER }],
  ["a sandboxed page uses the key", "referrer_denied", "/open/x", { key: "public", headers: { origin: "null" } }],
  ["nothing names a website", "referrer_denied", "/open/x", { key: "public" }],
  ["the address is another", "ip_denied", "/open/x", { key: "office", headers: { "cf-connecting-ip": "198.51.100.1" } }],
  ["the address is unknown", "ip_denied", "/open/x", { key: "office" }],
  ["another app uses the key", "app_denied", "/open/x", { key: "app", headers: { "x-ios-bundle-identifier": "com.evil.app" } }],
  ["the key is for other paths", "path_denied", "/open/other", { key: "reader" }],
  ["the key is for other methods", "path_denied", "/open/docs/a", { key: "reader", method: "POST" }],
  ["the route requires a scope", "scope_missing", "/reports/1", { key: "private", scope: "reports:read" }],
  ["a path of the route requires more", "scope_missing", "/reports/1", { key: "reports", method: "POST", scope: "reports:write audit:write" }],
  ["the origin's credential is not there", "credential_unavailable", "/locked/x", { key: "private" }],
  ["the origin is down", "origin_unreachable", "/down/x", { key: "private" }],
  ["the origin is down and a body was sent", "origin_unreachable", "/down/x", { key: "private", method: "POST", body: "x".repeat(100_000) }],
  ["no own path is of this name", "endpoint_unknown", "/_keyward/nothing", { key: "private" }],
  ["an own page is only read", "method_not_allowed", "/_keyward/healthz", { key: "private", method: "DELETE" }],
];

/** Of two things that are wrong, the earlier step answers. */
const ORDER = [
  ["path_ambiguous", "/nowhere//x", {}],
  ["route_unknown", "/nowhere", {}],
  ["loop_detected", "/open/a/../b", { looped: true }],
  ["key_missing", "/locked/x", {}],
  ["key_ambiguous", "/open/x", { key: "hunter2", bearer: "revoked" }],
  ["environment_denied", "/live/x", { key: "revokedAndExpired" }],
  ["key_revoked", "/open/x", { key: "revokedAndExpired" }],
  ["key_expired", "/pages/x", { key: "expired" }],
  ["kind_not_accepted", "/pages/x", { key: "private", headers: { origin: OTHER }, page: OTHER }],
  ["private_key_in_browser", "/open/x", { key: "office", headers: { origin: PAGE }, page: PAGE }],
  ["path_denied", "/reports/1", { key: "reader", scope: "reports:read" }],
  ["scope_missing", "/reports/1", { key: "private", scope: "reports:read" }],
];

const CREDENTIAL = "the-origins-own-credential";

test("the way of a request", async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS, credentials: { CREDENTIAL } });
  stage.keys.forged = forged(stage.keys.private);
  for (const [name, action] of [["revoked", "revoke"], ["revokedAndExpired", "revoke"], ["disabled", "disable"]]) {
    await stage.api.changeKey("acme", stage.created[name].key.id, action);
  }
  await stage.api.deleteKey("acme", stage.created.deleted.key.id);
  const { seen } = await stage.passes("/open/x", { key: "private" });
  const [own] = seen.values("cdn-loop");
  const spell = ({ headers = {}, bearer, looped, ...call }) => ({
    ...call,
    headers: { ...headers, ...(bearer && { authorization: `Bearer ${stage.keys[bearer]}` }), ...(looped && { "cdn-loop": own }) },
  });

  for (const [name, code, target, call] of ROWS) {
    await t.test(`${STATUS[code]} ${code}: ${name}`, async () => {
      const asked = spell(call);
      const answer = await stage.refuses(code, target, asked);
      if (asked.method !== undefined) return;
      const head = await stage.refuses(code, target, { ...asked, method: "HEAD" });
      const lines = ({ lines }) => lines.filter(([name]) => name.toLowerCase() !== "content-length").sort();
      assert.deepEqual(lines(head), lines(answer), "HEAD has the same headers");
    });
  }

  for (const [code, target, call] of ORDER) {
    await t.test(`${code} comes first for ${JSON.stringify(call).slice(0, 80)} at ${target}`, () => stage.refuses(code, target, spell(call)));
  }

  await t.test("504 origin_timeout: the origin takes longer than the route allows", async () => {
    for (const method of ["GET", "POST"]) {
      const begun = Date.now();
      const answer = await stage.passes("/hang", { key: "private", method, ...(method === "POST" && { body: "x" }) });
      assert.equal(answer.status, 504, answer.text);
      assert.equal(answer.json().code, "origin_timeout");
      assert.ok(Date.now() - begun < 2000);
    }
  });

  await t.test("every key that is not valid here gets the same answer", async () => {
    const answers = [];
    for (const [target, key] of [["/open/x", "hunter2"], ["/open/x", "forged"], ["/open/x", "deleted"], ["/globex/x", "private"]]) {
      const answer = await stage.refuses("key_invalid", target, { key });
      const { request_id, ...problem } = answer.json();
      answers.push(JSON.stringify([problem, answer.lines]));
    }
    assert.equal(new Set(answers).size, 1);
  });

  await t.test("each refusal has an id of its own", async () => {
    const ids = new Set();
    for (let n = 0; n < 3; n += 1) ids.add((await stage.refuses("key_missing", "/open/x")).json().request_id);
    assert.equal(ids.size, 3);
  });

  await t.test("a forged key costs no read of KV", async () => {
    const before = stage.reads;
    for (const key of ["forged", "hunter2", forged(stage.keys.public)]) await stage.refuses("key_invalid", "/open/x", { key });
    assert.equal(stage.reads, before);
  });

  await t.test("each refusal's page explains it", async () => {
    for (const [code, status] of Object.entries(STATUS)) {
      const page = await stage.call(`/_keyward/errors/${code}`);
      assert.equal(page.status, 200, code);
      assert.match(page.text, new RegExp(`^${code}: .+ \\(HTTP ${status}\\)\\n\\n.+`));
    }
    await stage.refuses("endpoint_unknown", "/_keyward/errors/nothing");
  });

  await t.test("a valid call reaches the origin with the caller's identity and the origin's credential", async () => {
    const { status, seen } = await stage.passes("/injected/x?a=1", { key: "reports", method: "PUT", body: "hello" });
    assert.deepEqual([status, seen.method, seen.target, seen.text], [200, "PUT", "/injected/x?a=1", "hello"]);
    const identity = { "keyward-project": "acme", "keyward-environment": "live", "keyward-kind": "private", "keyward-scopes": "reports:read" };
    for (const [name, value] of Object.entries({ ...identity, authorization: `Bearer ${CREDENTIAL}`, "keyward-key-id": stage.created.reports.key.id })) {
      assert.deepEqual(seen.values(name), [value], name);
    }
    assert.ok(!JSON.stringify(seen.lines).includes(stage.keys.reports));
  });

  await t.test("no secret is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
