// POST /_keyward/v1/verify: a back end asks whether a key would be let through, and who may not ask
// learns nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACME, ALL, OTHER, VERIFY, VERIFY_KEYS, verify } from "./harness/asking.mjs";
import { fault } from "./harness/kv.mjs";
import { assertRefusal } from "./harness/problem.mjs";
import { eventually } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/v1/**"
origin = "http://127.0.0.1:1"
[[route.require]]
rule = "POST /v1/reports"
scopes = ["reports:write"]

[[route]]
host = "dear.example"
path = "/**"
origin = "http://127.0.0.1:1"
cost = 3

[[route]]
path = "/servers/**"
origin = "http://127.0.0.1:1"
accepts = ["private"]
environments = ["test"]
credential = { secret = "NEVER_SET", header = "authorization" }
`;
const PAGE = "https://app.example";
const BURST = { rate: [{ name: "burst", limit: 4, window_s: 60 }] };
const KEYS = {
  plain: { kind: "private", owner: "customer 17", scopes: ["reports:read", "chat:*"] },
  page: { referrers: [PAGE] },
  inside: { kind: "private", ips: ["192.0.2.0/24"] },
  narrow: { kind: "private", paths: ["GET /v1/open/**"] },
  app: { apps: { ios: ["com.example.app"] } },
  limited: { kind: "private", limits: BURST },
  paid: { kind: "private", limits: { credits: 2 } },
  monthly: { kind: "private", limits: { quota: { limit: 1, period: "month" } } },
  near: { kind: "private", limits: { rate: [{ limit: 1, window_s: 60, per: "ip" }] } },
  old: { kind: "private", expires_at: "2099-01-01T00:00:00Z" },
  later: { kind: "private", not_before: "2099-01-01T00:00:00Z" },
  disabled: { kind: "private" },
  revoked: { kind: "private" },
  deleted: { kind: "private" },
};
const URL_OF = (path, host = "gate.example") => `https://${host}${path}`;

test("verify", { timeout: 120_000 }, async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS, vars: VERIFY_KEYS });
  const change = (name, action) => stage.api.changeKey("acme", stage.created[name].key.id, action);
  await change("disabled", "disable");
  await change("revoked", "revoke");
  await stage.api.call("DELETE", `/projects/acme/keys/${stage.created.deleted.key.id}`, undefined, { "if-match": "*" });

  const says = async (expected, key, fields) => {
    const answer = await verify(stage, key, fields);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.header("content-type"), "application/json");
    assert.equal(answer.header("cache-control"), "no-store");
    stage.assertNoSecret(JSON.stringify(answer.lines) + answer.text);
    const said = answer.json();
    assert.deepEqual([said.code, said.valid], [expected, expected === "ok"], answer.text);
    if (expected !== "ok") assert.ok(said.status >= 400 && said.detail.length > 10);
    return said;
  };

  await t.test("says whose a valid key is", async () => {
    const { key, status, ratelimit } = await says("ok", "plain", { url: URL_OF("/v1/x") });
    assert.deepEqual(key, {
      id: stage.created.plain.key.id, project: "acme", environment: "live", kind: "private", owner: "customer 17", scopes: ["reports:read", "chat:*"],
    });
    assert.deepEqual([status, ratelimit], [200, []]);
  });

  await t.test("needs to know no more than the key", () => says("ok", "plain"));

  await t.test("decides as the gateway would, with a stable code", async () => {
    const url = URL_OF("/v1/x");
    await says("ok", "page", { url, headers: { origin: PAGE } });
    await says("referrer_denied", "page", { url, headers: { origin: "https://evil.example" } });
    await says("referrer_denied", "page", { url });
    await says("ok", "inside", { url, ip: "192.0.2.7" });
    await says("ip_denied", "inside", { url, ip: "198.51.100.1" });
    await says("ip_denied", "inside", { url });
    await says("ok", "narrow", { url: URL_OF("/v1/open/a%7Eb?x=/v1/y") });
    await says("path_denied", "narrow", { url });
    await says("path_denied", "narrow", { url: URL_OF("/v1/open/x"), method: "POST" });
    await says("path_denied", "narrow");
    await says("path_ambiguous", "narrow", { url: URL_OF("/v1/open/../x") });
    await says("ok", "app", { url, headers: { "x-ios-bundle-identifier": "com.example.app" } });
    await says("app_denied", "app", { url });
    await says("private_key_in_browser", "plain", { url, headers: { origin: PAGE } });
    await says("ok", "plain", { url, headers: { origin: PAGE, upgrade: "websocket" } });
    await says("scope_missing", "plain", { url: URL_OF("/v1/reports"), method: "POST" });
    await says("scope_missing", "plain", { scopes: ["reports:write"] });
    await says("ok", "plain", { scopes: ["reports:read", "chat:write"] });
    await says("route_unknown", "plain", { url: URL_OF("/elsewhere") });
    await says("route_unknown", "plain", { url: URL_OF("/_keyward/v1/verify") });
    await says("method_not_allowed", "plain", { url, method: "TRACE" });
    await says("environment_denied", "plain", { url: URL_OF("/servers/x") });
    await says("key_disabled", "disabled", { url });
    await says("key_revoked", "revoked", { url });
    await says("key_not_yet_valid", "later", { url });
  });

  await t.test("says whose a key is that is refused, and nothing of one that is not there", async () => {
    assert.equal((await says("key_disabled", "disabled")).key.id, stage.created.disabled.key.id);
    const forged = stage.keys.plain.slice(0, -1) + (stage.keys.plain.endsWith("0") ? "1" : "0");
    const answers = [];
    for (const key of [forged, "rubbish", "k".repeat(4000), "kéy", `${stage.keys.plain}\n`, `${stage.keys.plain}, x`, "deleted"]) answers.push(await says("key_invalid", key));
    answers.push(await says("key_invalid", "plain", { asker: OTHER }), await says("key_invalid", "disabled", { asker: OTHER }), await says("key_invalid", "limited", { asker: OTHER }));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.deepEqual([answers[0].key, answers[0].ratelimit], [null, []]);
    await says("ok", "plain", { asker: ALL });
  });

  await t.test("spends what the call costs, and nothing at a cost of 0", async () => {
    const left = async (fields) => (await says("ok", "limited", fields)).ratelimit;
    for (let n = 0; n < 6; n += 1) assert.equal((await left({ cost: 0 }))[0].left, 4);
    const [first] = await left({ url: URL_OF("/v1/x") });
    assert.deepEqual([first.name, first.limit, first.window_s, first.left], ["burst", 4, 60, 3]);
    assert.equal((await left({ url: URL_OF("/x", "dear.example") }))[0].left, 0);
    for (const cost of [undefined, 0]) {
      const over = await says("rate_limited", "limited", { cost });
      assert.ok(over.retry_after_s > 0 && over.retry_after_s <= 65, JSON.stringify(over));
      assert.equal(over.ratelimit[0].left, 0);
    }
    assert.equal((await stage.call("/v1/x", { key: "limited" })).json().code, "rate_limited", "the proxy spends the same");
    await says("ok", "paid", { cost: 2 });
    await says("credits_exhausted", "paid", { cost: 1 });
    await says("ok", "monthly");
    await says("quota_exceeded", "monthly");
    for (let n = 0; n < 3; n += 1) await says("ok", "near", { ip: "192.0.2.1", cost: 0 });
    await says("ok", "near", { ip: "192.0.2.1" });
    await says("rate_limited", "near", { ip: "192.0.2.1" });
    await says("ok", "near", { ip: "192.0.2.2" });
  });

  await t.test("counts what is spent as usage, and nothing else", async () => {
    await says("ok", "old", { cost: 0 });
    await says("ok", "old");
    await says("ok", "old", { url: URL_OF("/v1/x") });
    await eventually(async () => {
      const usage = await stage.api.call("GET", `/projects/acme/keys/${stage.created.old.key.id}/usage`);
      assert.deepEqual([usage.total?.calls], [2], JSON.stringify(usage));
    });
  });

  await t.test("tells a stranger nothing, whatever it asks", async () => {
    const bodies = [JSON.stringify({ key: stage.keys.plain }), JSON.stringify({ key: "rubbish" }), "{", "x".repeat(1_000_000)];
    const seen = new Set();
    for (const [n, asker] of [undefined, "", "x", ACME.slice(0, -1), `${ACME}0`, `${ACME}, ${ACME}`, `acme:${ACME}`].entries()) {
      for (const method of ["POST", "GET", "PUT", "DELETE", "OPTIONS"]) {
        const own = asker === undefined ? [] : [["keyward-verify-key", asker]];
        const body = ["GET", "OPTIONS"].includes(method) ? undefined : bodies[n % bodies.length];
        const answer = await stage.call(VERIFY, { method, body, headers: [["content-type", "application/json"], ...own] });
        assertRefusal(answer, "verify_key_invalid");
        seen.add(JSON.stringify({ ...answer.json(), request_id: "" }));
      }
    }
    assert.equal(seen.size, 1);
    for (const place of ["authorization", "x-api-key"]) {
      const answer = await stage.call(VERIFY, { method: "POST", body: bodies[0], headers: { [place]: place === "authorization" ? `Bearer ${ACME}` : ACME } });
      assertRefusal(answer, "verify_key_invalid");
    }
  });

  await t.test("refuses what is no question, and repeats nothing of it", async () => {
    const ask = (body, headers = { "content-type": "application/json" }, method = "POST") =>
      stage.call(VERIFY, { method, body, headers: { "keyward-verify-key": ACME, ...headers } });
    const key = stage.keys.plain;
    const wrong = [
      "", " ", "{", "[]", "null", `"${key}"`, "{}", `{"key":""}`, `{"key":7}`, JSON.stringify({ key, other: 1 }), JSON.stringify({ key, [`${key}`]: 1 }),
      JSON.stringify({ key, url: "/v1/x" }), JSON.stringify({ key, url: "https://gate.example" }), JSON.stringify({ key, url: "https://gate.example/\nx" }),
      JSON.stringify({ key, url: "ftp://gate.example/" }), JSON.stringify({ key, method: "GET\n" }), JSON.stringify({ key, method: "" }),
      JSON.stringify({ key, headers: { origin: `${PAGE}\norigin` } }), JSON.stringify({ key, headers: { Origin: PAGE } }), JSON.stringify({ key, headers: [] }),
      JSON.stringify({ key, headers: { origin: [PAGE] } }), JSON.stringify({ key, ip: "010.0.0.1" }), JSON.stringify({ key, ip: "1.2.3.4, 5.6.7.8" }),
      JSON.stringify({ key, scopes: "a:b" }), JSON.stringify({ key, scopes: ["a"] }), JSON.stringify({ key, cost: -1 }), JSON.stringify({ key, cost: 1001 }), JSON.stringify({ key, cost: 0.5 }),
      Buffer.from([0x7b, 0xff, 0x7d]), "[".repeat(10_000), '{"headers":'.repeat(1000), `{"key":"${key}","key":"${key}"}`, `{"key":"${key}","\\u006bey":"x"}`, `{"key":"${key}"}{}`, `{"key":"${key}"}\0`,
      `{"key":"${key}","cost":1e2}`, `{"key":"${key}","cost":18446744073709551616}`, `{"key":"${key}","cost":null}`, `{"key":"${key}","url":null}`, `{"key":"\\ud800"}`, JSON.stringify({ key, ip: "192.0.2.1\n" }), JSON.stringify({ key, ip: "fe80::1%eth0" }),
      JSON.stringify({ key, url: "https://gate.example/\u2028" }), JSON.stringify({ key, headers: { "x-other": "a\r\nkeyward-verify-key: b" } }), JSON.stringify({ key, headers: { ":body": "{}" } }), JSON.stringify({ key, headers: { "a\nb": "c" } }),
    ];
    for (const body of wrong) {
      const answer = await ask(body);
      assert.deepEqual([answer.status, answer.json().code], [400, "body_invalid"], `${body}: ${answer.text}`);
      assert.equal(answer.json().errors.length, 1);
      stage.assertNoSecret(answer.text);
    }
    for (const many of [20_000, 1_000_000]) assert.equal((await ask(JSON.stringify({ key, pad: "x".repeat(many) }))).json().code, "body_too_large");
    for (const cost of ["0.0", "1.000"]) assert.equal((await ask(`{"key":"${key}","cost":${cost}}`)).json().code, "ok");
    assert.equal((await ask(JSON.stringify({ key }), {})).json().code, "media_type_unsupported");
    assert.equal((await ask(JSON.stringify({ key }), { "content-type": "text/plain" })).json().code, "media_type_unsupported");
    const got = await ask(undefined, {}, "GET");
    assert.deepEqual([got.status, got.header("allow")], [405, "POST"]);
    for (const method of ["OPTIONS", "PUT", "HEAD"]) assert.equal((await ask(undefined, { origin: PAGE, "access-control-request-method": "POST" }, method)).status, 405, method);
    assert.equal((await ask(`{\r\n "key":\n "${key}"\n}`)).json().code, "ok", "line breaks are blanks");
  });

  assert.equal(stage.gateway.log, stage.gateway.log.replaceAll(ACME, ""), "who asks is in the log");
  stage.assertNoSecret(stage.gateway.log);
});

test("without the Worker secret nobody may ask, and a broken one stops the gateway", { timeout: 60_000 }, async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, keys: { plain: { kind: "private" } } });
  for (const asker of ["", ACME]) {
    const answer = await verify(stage, "plain", { asker });
    assertRefusal(answer, "verify_key_invalid");
  }
  await stage.gateway.restart({ vars: { KEYWARD_VERIFY_KEY: "too-short" } });
  const answer = await verify(stage, "plain");
  assert.equal(answer.json().code, "config_invalid");
  assert.ok(stage.gateway.log.includes("KEYWARD_VERIFY_KEY") && !stage.gateway.log.includes("too-short"));
});

test("a store that does not answer makes no key valid", { timeout: 60_000 }, async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, keys: { plain: { kind: "private" } }, vars: VERIFY_KEYS });
  stage.kv.break("get", fault.fail());
  const said = (await verify(stage, "plain")).json();
  assert.deepEqual([said.valid, said.code, said.key], [false, "store_unavailable", null]);
});
