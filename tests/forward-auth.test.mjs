// /_keyward/v1/forward-auth: a proxy asks about a call that it has received. What it says of the call is
// read only after it has proven itself, and nothing is guessed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACME, ALL, FORWARD_AUTH, OTHER, VERIFY_KEYS, forwarded } from "./harness/asking.mjs";
import { fault } from "./harness/kv.mjs";
import { assertRefusal } from "./harness/problem.mjs";
import { startStage } from "./harness/stage.mjs";

const HOST = "api.example";
const GATEWAY = `
[[route]]
host = "${HOST}"
path = "/**"
origin = "http://127.0.0.1:1"
credential = { secret = "CREDENTIAL", header = "authorization", template = "Bearer {secret}" }
[[route.require]]
rule = "POST /reports"
scopes = ["reports:write"]

[[route]]
host = "${HOST}"
path = "/locked/**"
origin = "http://127.0.0.1:1"
credential = { secret = "NEVER_SET", header = "authorization" }

[[route]]
host = "${HOST}"
path = "/tags/**"
origin = "http://127.0.0.1:1"
key_in = ["query:key"]
`;
const PAGE = "https://app.example";
const KEYS = {
  plain: { kind: "private", owner: "Zoë, 100%", scopes: ["reports:read"] },
  bare: { kind: "private" },
  page: { referrers: [PAGE] },
  inside: { kind: "private", ips: ["203.0.113.0/24"] },
  narrow: { kind: "private", paths: ["GET /open/*", "POST /open/~b"] },
  burst: { kind: "private", limits: { rate: [{ name: "burst", limit: 2, window_s: 60 }] } },
  paid: { kind: "private", limits: { credits: 1 } },
  monthly: { kind: "private", limits: { quota: { limit: 1, period: "month" } } },
};

test("forward-auth", { timeout: 120_000 }, async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS, vars: VERIFY_KEYS, credentials: { CREDENTIAL: "the-origins-own-credential-4711" } });

  /** A proxy asks about a call. `headers` is the client's, `say` what the proxy says otherwise. */
  const asks = (target, { key, headers = [], say = {}, path = FORWARD_AUTH, via = "GET" } = {}) =>
    stage.call(path, { key, method: via, headers: forwarded(target, { host: HOST, ...say, headers: Object.entries(headers) }) });
  const passes = async (target, options) => {
    const answer = await asks(target, options);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.bytes.length, 0);
    stage.assertNoSecret(JSON.stringify(answer.lines));
    return answer;
  };
  const refuses = async (code, target, options) => {
    const answer = await asks(target, options);
    assert.equal(answer.header("content-type"), "application/problem+json", answer.text);
    const problem = answer.json();
    assert.equal(problem.code, code, answer.text);
    assert.equal(answer.status, problem.status);
    if (answer.header("keyward-status")) {
      assert.equal(answer.header("keyward-status"), String(problem.status));
      assert.equal(answer.header("keyward-problem"), answer.text);
    }
    stage.assertNoSecret(JSON.stringify(answer.lines) + answer.text);
    return answer;
  };

  await t.test("tells whose key it is, and nothing more", async () => {
    const answer = await passes("/x", { key: "plain" });
    const said = Object.fromEntries(answer.lines.filter(([name]) => name.toLowerCase().startsWith("keyward-")).map(([name, value]) => [name.toLowerCase(), value]));
    assert.deepEqual(said, {
      "keyward-key-id": stage.created.plain.key.id, "keyward-project": "acme", "keyward-environment": "live", "keyward-kind": "private",
      "keyward-owner": "Zo%C3%AB, 100%25", "keyward-scopes": "reports:read", "keyward-user": "", "keyward-assertion": "",
    });
    assert.equal(answer.header("cache-control"), "no-store");
    assert.equal(answer.header("authorization"), undefined);
    const bare = await passes("/x", { key: "bare" });
    for (const field of ["owner", "scopes", "user", "assertion"]) assert.deepEqual(bare.values(`keyward-${field}`), [""]);
  });

  await t.test("needs no origin, and no credential of it", () => passes("/locked/x", { key: "plain" }));

  await t.test("is asked with any method", async () => {
    for (const via of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) await passes("/x", { key: "plain", via });
  });

  await t.test("decides about the method and the path as the client sent them", async () => {
    await passes("/open/a", { key: "narrow" });
    await passes("/open/a", { key: "narrow", say: { method: "HEAD" } });
    await passes("/open/%7Eb?x=%2F..", { key: "narrow", say: { method: "POST" } });
    await passes("/open/a%20b", { key: "narrow" });
    await refuses("path_denied", "/open/a", { key: "narrow", say: { method: "POST" }, via: "POST" });
    await refuses("path_denied", "/open/a/b", { key: "narrow" });
    await refuses("path_denied", "/x?y=/open/a", { key: "narrow" });
    for (const target of ["/open/../x", "/open/%2e%2e/x", "/open/a%2Fb", "/open//a", "/open/a;b", "/open/%252e", "/open/a%00", "/open/%ff", "//open/a", "/open\\a", "/open/a#b"]) {
      await refuses("path_ambiguous", target, { key: "narrow" });
    }
    await refuses("scope_missing", "/reports", { key: "plain", say: { method: "POST" } });
    await refuses("method_not_allowed", "/x", { key: "plain", say: { method: "TRACE" } });
    await refuses("route_unknown", "/x", { key: "plain", say: { host: "elsewhere.example" } });
    await refuses("route_unknown", "/_keyward/v1/projects", { key: "plain" });
    await refuses("route_unknown", "/%5Fkeyward/v1/forward-auth", { key: "plain" });
  });

  await t.test("reads the key where the route says", async () => {
    const { page } = stage.keys;
    const headers = { origin: PAGE };
    await passes(`/tags/x?key=${page}`, { headers });
    await refuses("key_missing", "/tags/x", { key: "plain" });
    await refuses("key_missing", "/x");
    await refuses("key_ambiguous", "/x", { key: "plain", headers: { authorization: "Bearer other" } });
    await refuses("kind_not_accepted", `/tags/x?key=${stage.keys.plain}`);
    await refuses("key_invalid", "/x", { key: "plain", say: { asker: OTHER } });
    await passes("/x", { key: "plain", say: { asker: ALL } });
  });

  await t.test("takes the client's address from the proxy alone", async () => {
    await passes("/x", { key: "inside" });
    await passes("/x", { key: "inside", headers: { "cf-connecting-ip": "198.51.100.1" } });
    await refuses("ip_denied", "/x", { key: "inside", say: { client: "198.51.100.1" } });
    await refuses("ip_denied", "/x", { key: "inside", say: { client: "198.51.100.1" }, headers: { "cf-connecting-ip": "203.0.113.9" } });
    // The platform has added where the proxy came from.
    await passes("/x", { key: "inside", say: { client: "203.0.113.9, 192.0.2.1" }, headers: { "cf-connecting-ip": "192.0.2.1" } });
    for (const client of [null, "", "unknown", "203.0.113.9:80", "203.0.113.9, 192.0.2.1", "203.0.113.9, 203.0.113.9", "010.0.0.1"]) await refuses("forwarded_invalid", "/x", { key: "inside", say: { client } });
    await refuses("forwarded_invalid", "/x", { key: "inside", say: { client: "203.0.113.9" }, headers: { "cf-connecting-ip": "203.0.113.9" } });
  });

  await t.test("refuses what is missing, contradictory or not in its form", async () => {
    const key = "plain";
    for (const say of [
      { method: null }, { method: "" }, { method: "GET, POST" }, { method: "GET /x" }, { host: null }, { host: "" }, { host: `${HOST}, ${HOST}` }, { host: `${HOST}/x` }, { host: "a@b" },
      { proto: null }, { proto: "ftp" }, { proto: "https, http" }, { proto: "HTTPS" },
    ]) {
      const answer = await refuses("forwarded_invalid", "/x", { key, say });
      assertRefusal(answer, "forwarded_invalid");
    }
    for (const target of [undefined, "", "x", "*", "/x, /y", "/x y", "http://api.example/x", "//api.example/x, /x", "HTTPS://api.example/x", "/x\ty", "?x", "#x", "\\x", "/\xe9"]) await refuses("forwarded_invalid", target, { key });
    for (const [name, value] of [
      ["x-original-uri", "/y"], ["x-original-url", "/y"], ["x-original-method", "POST"], ["x-original-url", `http://${HOST}/x`], ["x-original-url", "https://elsewhere.example/x"],
      ["x-original-url", `https://${HOST}`], ["x-forwarded-uri", "/x"], ["x-forwarded-method", "GET"], ["x-forwarded-host", HOST], ["x-forwarded-proto", "https"],
    ]) await refuses("forwarded_invalid", "/x", { key, headers: { [name]: value } });
    // Said several times alike.
    await passes("/x", { key, headers: { "x-original-uri": "/x", "x-original-url": `https://${HOST}/x`, "x-original-method": "GET" } });
    const none = { method: null, host: null, proto: null };
    await passes(undefined, { key, say: none, headers: { "x-original-url": `https://${HOST}/x`, "x-original-method": "GET" } });
    await passes("/x", { key, say: { proto: "wss" } });
  });

  await t.test("takes a call under the endpoint's own path, as Envoy asks", async () => {
    const asked = (below, { key = "narrow", method = "GET", headers = {} } = {}) =>
      stage.call(`${FORWARD_AUTH}${below}`, { method, key, host: HOST, headers: { "keyward-verify-key": ACME, "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", ...headers } });
    const code = async (...call) => (await asked(...call)).json().code;
    assert.equal((await asked("/open/%7Eb?x=1", { method: "POST" })).status, 200);
    assert.equal((await asked("/open/a")).status, 200);
    assert.equal(await code("/x"), "path_denied");
    assert.equal(await code("/open/a%2Fb"), "path_ambiguous");
    assert.equal(await code("/open//a"), "path_ambiguous");
    assert.equal(await code("/"), "path_denied");
    for (const name of ["x-forwarded-uri", "x-original-url", "x-original-uri", "x-forwarded-host", "x-forwarded-method", "x-original-method"]) {
      assert.equal(await code("/open/a", { headers: { [name]: "GET" } }), "forwarded_invalid", name);
    }
    assert.equal(await code("x/open/a"), "key_missing", "another endpoint of the management API");
  });

  await t.test("knows pages, and answers no preflight for another", async () => {
    const origin = { origin: PAGE };
    await passes("/x", { key: "page", headers: origin });
    const denied = await refuses("referrer_denied", "/x", { key: "page", headers: { origin: "https://evil.example" } });
    assert.equal(denied.header("access-control-allow-origin"), "https://evil.example");
    await refuses("private_key_in_browser", "/x", { key: "plain", headers: origin });
    await passes("/x", { key: "plain", headers: { ...origin, upgrade: "websocket", connection: "Upgrade" } });
    await refuses("key_missing", "/x", { say: { method: "OPTIONS" }, headers: { ...origin, "access-control-request-method": "GET" } });
    await refuses("key_missing", "/x", { say: { method: "OPTIONS" }, via: "OPTIONS", headers: { ...origin, "access-control-request-method": "GET" } });
  });

  await t.test("spends the key's limits, and says how they stand", async () => {
    for (const left of [1, 0]) assert.match((await passes("/x", { key: "burst" })).header("ratelimit"), new RegExp(`^"burst";r=${left};`));
    const over = await refuses("rate_limited", "/x", { key: "burst" });
    assert.ok(Number(over.header("retry-after")) > 0);
    assert.match(over.header("ratelimit-policy"), /^"burst";q=2;w=60$/);
    await passes("/x", { key: "paid" });
    assert.equal((await refuses("credits_exhausted", "/x", { key: "paid" })).status, 402);
    await passes("/x", { key: "monthly" });
    assert.equal((await refuses("quota_exceeded", "/x", { key: "monthly" })).status, 429);
  });

  await t.test("reads nothing of what a stranger says", async () => {
    const seen = new Set();
    for (const asker of [null, "", "x", ACME.slice(1), `${ACME}, ${ACME}`]) {
      for (const [target, key, say] of [["/x", "plain", {}], ["/x", undefined, {}], ["/open/../x", "plain", {}], [undefined, "plain", { host: null }], ["/x", "burst", {}]]) {
        for (const path of [FORWARD_AUTH, `${FORWARD_AUTH}/x`]) {
          const answer = await asks(target, { key, path, say: { ...say, asker } });
          assertRefusal(answer, "verify_key_invalid");
          seen.add(JSON.stringify({ ...answer.json(), request_id: "" }));
        }
      }
    }
    assert.equal(seen.size, 1);
  });

  await t.test("no forwarded header changes a call that is proxied", async () => {
    const headers = forwarded("/open/a", { host: HOST });
    for (const [host, code] of [["elsewhere.example", "route_unknown"], [HOST, "path_denied"]]) {
      const answer = await stage.call("/x", { key: "narrow", host, headers });
      assert.equal(answer.json().code, code);
    }
  });

  await t.test("holds back the answers to who tries many keys", async () => {
    const began = Date.now();
    for (let n = 0; n < 24; n += 1) await refuses("key_invalid", "/x", { key: `kw_sk_live_1${"x".repeat(32)}`, say: { client: "203.0.113.77" } });
    assert.ok(Date.now() - began > 1000, "a client's failures are not held back");
    const stranger = Date.now();
    const call = () => stage.call(FORWARD_AUTH, { headers: { "keyward-verify-key": "x", "cf-connecting-ip": "203.0.113.78" } });
    for (let n = 0; n < 24; n += 1) assertRefusal(await call(), "verify_key_invalid");
    assert.ok(Date.now() - stranger > 1000, "a stranger's failures are not held back");
  });

  await t.test("a store that does not answer lets nobody through", async () => {
    const fresh = await stage.api.createKey("acme", { name: "fresh", kind: "private" });
    stage.kv.break("get", fault.fail());
    const answer = await refuses("store_unavailable", "/x", { key: fresh.secret });
    assert.equal(answer.header("retry-after"), "5");
    stage.kv.repair();
  });

  for (const asker of [ACME, ALL, OTHER]) assert.ok(!stage.gateway.log.includes(asker), "who asks is in the log");
  stage.assertNoSecret(stage.gateway.log);
});
