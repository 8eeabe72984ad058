// Session keys: what a public key is exchanged for, where it works, and what ends it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { startStage } from "./harness/stage.mjs";

const PAGE = "https://app.example";
const OTHER = "https://other.example";
const SESSION = "/_keyward/v1/session";
const ROUTES = `
[[route]]
path = "/v1/**"
origin = "\${ORIGIN}"
accepts = ["session", "private"]

[[route]]
path = "/open/**"
origin = "\${ORIGIN}"
accepts = ["public", "session"]
key_in = ["bearer", "header:x-api-key", "query:key"]

[[route]]
path = "/plain/**"
origin = "\${ORIGIN}"
`;
const KEYS = {
  page: { referrers: [PAGE, OTHER], owner: "shop" },
  narrow: { referrers: [PAGE], paths: ["GET /v1/open/**"] },
  limited: { referrers: [PAGE], limits: { rate: [{ name: "burst", limit: 2, window_s: 60 }] } },
  app: { apps: { ios: ["com.example.app"] } },
  server: { kind: "private" },
  ending: { referrers: [PAGE] },
  busy: { referrers: [PAGE] },
};
const bearer = (key, origin = PAGE) => ({ authorization: `Bearer ${key}`, ...(origin && { origin }) });

/** What a stage's page does. */
const of = (stage) => ({
  exchange: (key, { origin = PAGE, headers = {}, ...options } = {}) => stage.call(SESSION, { method: "POST", headers: { ...bearer(stage.keys[key] ?? key, origin), ...headers }, ...options }),
  async session(key, origin) {
    const answer = await this.exchange(key, { origin });
    assert.equal(answer.status, 200, answer.text);
    return answer.json().session_key;
  },
});

test("session keys", { timeout: 120_000 }, async (t) => {
  const stage = await startStage(t, { gateway: ROUTES, keys: KEYS });
  const page = of(stage);

  await t.test("a page gets one, and the origin sees whose public key it stands for", async () => {
    const began = Date.now();
    const answer = await page.exchange("page");
    assert.equal(answer.status, 200, answer.text);
    const { session_key, expires_at, expires_in } = answer.json();
    assert.match(session_key, /^kws1_[\w.-]{60,200}$/);
    assert.equal(expires_in, 300);
    assert.ok(Math.abs(Date.parse(expires_at) - began - 300_000) < 5000);
    assert.deepEqual([answer.header("access-control-allow-origin"), answer.header("vary"), answer.header("cache-control")], [PAGE, "Origin", "no-store"]);
    stage.assertNoSecret(answer.text);
    const { seen } = await stage.passes("/v1/x", { headers: bearer(session_key) });
    assert.deepEqual([seen.values("keyward-key-id"), seen.values("keyward-kind"), seen.values("keyward-owner")], [[stage.created.page.key.id], ["public"], ["shop"]]);
    assert.ok(!JSON.stringify(seen.lines).includes(session_key), "the origin was told the session key");
    await stage.passes("/v1/x", { headers: { "x-api-key": session_key, referer: `${PAGE}/x` } });
    const query = await stage.passes(`/open/x?key=${session_key}&y`, { headers: { origin: PAGE } });
    assert.equal(query.seen.target, "/open/x?y");
  });

  await t.test("a public key as it is counts only where the route does not demand one", async () => {
    await stage.refuses("session_required", "/v1/x", { headers: bearer(stage.keys.page), page: PAGE });
    await stage.passes("/open/x", { headers: bearer(stage.keys.page) });
    await stage.passes("/v1/x", { headers: bearer(stage.keys.server, null) });
  });

  await t.test("a route that does not list session keys takes none, and reads nothing of them", async () => {
    await stage.refuses("kind_not_accepted", "/plain/x", { headers: bearer(await page.session("page")), page: PAGE });
    await stage.refuses("kind_not_accepted", "/plain/x", { headers: bearer("kws1_rubbish"), page: PAGE });
    await stage.passes("/plain/x", { headers: bearer(stage.keys.page) });
  });

  await t.test("it works on its own website alone", async () => {
    const key = await page.session("page");
    await stage.refuses("referrer_denied", "/v1/x", { headers: bearer(key, OTHER), page: OTHER });
    await stage.refuses("referrer_denied", "/v1/x", { headers: bearer(key, null) });
    await stage.refuses("referrer_denied", "/v1/x", { headers: { ...bearer(key, null), referer: `${PAGE}.evil.example/` } });
    await stage.refuses("referrer_denied", "/v1/x", { headers: { ...bearer(key, OTHER), referer: `${PAGE}/` }, page: OTHER });
    await stage.passes("/v1/x", { headers: bearer(await page.session("page", OTHER), OTHER) });
  });

  await t.test("altered it is none", async () => {
    const key = await page.session("page");
    const reads = stage.reads;
    for (const altered of [key.slice(0, -1), `${key}A`, key.replace("kws1", "kws2"), key.replace(/.$/, (c) => (c === "A" ? "B" : "A")), key.replace(/^kws1_./, "kws1_B"), "kws1_", "kws1__", "kws1_A_A", `kws1_${"A".repeat(400)}`]) {
      await stage.refuses("key_invalid", "/v1/x", { headers: bearer(altered), page: PAGE });
    }
    assert.equal(stage.reads, reads, "what is forged has cost a read of KV");
  });

  await t.test("its public key's rules hold on each use", async () => {
    const key = await page.session("narrow");
    await stage.passes("/v1/open/x", { headers: bearer(key) });
    await stage.refuses("path_denied", "/v1/x", { headers: bearer(key), page: PAGE });
    const limited = await page.session("limited");
    for (let n = 0; n < 2; n += 1) await stage.passes("/v1/x", { headers: bearer(limited) });
    assert.equal((await stage.call("/v1/x", { headers: bearer(limited) })).json().code, "rate_limited");
    assert.equal((await stage.call("/open/x", { headers: bearer(stage.keys.limited) })).json().code, "rate_limited", "they are the public key's own limits");
    const ending = await page.session("ending");
    await stage.passes("/v1/x", { headers: bearer(ending) });
    await stage.api.changeKey("acme", stage.created.ending.key.id, "revoke");
    for (const limit = Date.now() + 30_000; ; ) {
      const answer = await stage.call("/v1/x", { headers: bearer(ending) });
      if (answer.status === 401) {
        assert.equal(answer.json().code, "key_revoked");
        break;
      }
      assert.ok(Date.now() < limit, "a session key outlives its public key");
      await new Promise((done) => setTimeout(done, 500));
    }
    assert.equal((await page.exchange("ending")).json().code, "key_revoked");
  });

  await t.test("nothing else is exchanged", async () => {
    const refuses = async (code, ...exchange) => assert.equal((await page.exchange(...exchange)).json().code, code, String(exchange));
    await refuses("kind_not_accepted", await page.session("page"));
    await refuses("private_key_in_browser", "server");
    await refuses("kind_not_accepted", "server", { origin: null });
    await refuses("key_invalid", "rubbish");
    await refuses("referrer_denied", "page", { origin: "https://evil.example" });
    await refuses("referrer_denied", "page", { origin: null });
    await refuses("referrer_denied", "page", { origin: "null" });
    await refuses("app_denied", "app");
    await refuses("referrer_denied", "app", { origin: null, headers: { "x-ios-bundle-identifier": "com.example.app" } });
    await refuses("method_not_allowed", "page", { method: "GET" });
    assert.equal((await stage.call(SESSION, { method: "POST", headers: { origin: PAGE } })).json().code, "key_missing");
    const preflight = await stage.call(SESSION, { method: "OPTIONS", headers: { origin: PAGE, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" } });
    assert.deepEqual([preflight.status, preflight.header("access-control-allow-origin"), preflight.header("access-control-allow-headers")], [204, PAGE, "authorization, content-type"]);
  });

  await t.test("an address gets so many of a key", async () => {
    const from = (address) => page.exchange("busy", { headers: { "cf-connecting-ip": address } });
    for (let n = 0; n < 60; n += 1) assert.equal((await from("192.0.2.1")).status, 200);
    const over = await from("192.0.2.1");
    assert.deepEqual([over.status, over.json().code], [429, "rate_limited"]);
    assert.match(over.header("ratelimit-policy"), /^"session";q=60;w=60$/);
    assert.ok(Number(over.header("retry-after")) > 0);
    assert.equal((await from("192.0.2.2")).status, 200);
    assert.equal((await page.exchange("page", { headers: { "cf-connecting-ip": "192.0.2.1" } })).status, 200);
  });

  stage.assertNoSecret(stage.gateway.log);
});

test("a session key ends after five minutes", { timeout: 60_000 }, async (t) => {
  const stage = await startStage(t, { gateway: ROUTES, keys: { page: KEYS.page }, clock: true });
  const key = await of(stage).session("page");
  await stage.passes("/v1/x", { headers: bearer(key) });
  await stage.gateway.clock.advance(299_000);
  await stage.passes("/v1/x", { headers: bearer(key) });
  await stage.gateway.clock.advance(2000);
  await stage.refuses("key_expired", "/v1/x", { headers: bearer(key), page: PAGE });
});

test("a challenge", { timeout: 60_000 }, async (t) => {
  const asked = [];
  let verdict = () => [200, { success: true, hostname: "app.example", action: "keyward" }];
  const service = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push({ method: request.method, url: request.url, form: new URLSearchParams(body) });
    const [status, said] = verdict();
    if (status === 0) return void request.socket.destroy();
    response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end(typeof said === "string" ? said : JSON.stringify(said));
  });
  t.after(() => service.close());
  await once(service.listen(0, "127.0.0.1"), "listening");
  const gateway = `[gateway]\nsession_ip_limit = 20\n[gateway.turnstile]\nsecret = "TURNSTILE_SECRET"\nurl = "http://127.0.0.1:${service.address().port}/siteverify"\n${ROUTES}`;
  const stage = await startStage(t, { gateway, keys: { page: KEYS.page }, credentials: { TURNSTILE_SECRET: "the-secret-of-the-challenge & more" } });
  const page = of(stage);
  const exchange = async (body, client = "192.0.2.1") => {
    const answer = await page.exchange("page", { headers: { "content-type": "application/json", "cf-connecting-ip": client }, body: typeof body === "string" ? body : JSON.stringify(body) });
    stage.assertNoSecret(answer.text + JSON.stringify(answer.lines));
    return answer;
  };
  const code = async (...call) => (await exchange(...call)).json().code;

  await t.test("that is met gives a session key", async () => {
    const answer = await exchange({ turnstile: "token &=\u00e9" });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(asked.length, 1);
    const [{ method, url, form }] = asked;
    assert.deepEqual([method, url, Object.fromEntries(form)], ["POST", "/siteverify", { secret: "the-secret-of-the-challenge & more", response: "token &=\u00e9", remoteip: "192.0.2.1" }]);
    await stage.passes("/v1/x", { headers: bearer(answer.json().session_key) });
  });

  await t.test("that is not met gives none", async () => {
    const right = { success: true, hostname: "app.example", action: "keyward" };
    for (const [status, said] of [
      [200, { ...right, success: false }], [200, { ...right, hostname: "evil.example" }], [200, { ...right, action: "login" }], [200, { ...right, action: undefined }], [200, { ...right, hostname: "" }],
      [200, ""], [200, "no JSON"], [200, "x".repeat(100_000)], [500, right], [302, right], [0],
    ]) {
      verdict = () => [status, said];
      assert.equal(await code({ turnstile: "t" }, "192.0.2.2"), "challenge_failed", JSON.stringify([status, said]).slice(0, 100));
    }
  });

  await t.test("nobody is asked for a token that is none, or for a key that may not be exchanged", async () => {
    const before = asked.length;
    for (const body of ["", "{", "[]", {}, { turnstile: "" }, { turnstile: 7 }, { turnstile: "x".repeat(3000) }]) assert.equal(await code(body, "192.0.2.3"), "body_invalid");
    assert.equal(await code("x".repeat(20_000), "192.0.2.3"), "body_too_large");
    const denied = await page.exchange("page", { origin: "https://evil.example", body: JSON.stringify({ turnstile: "t" }) });
    assert.equal(denied.json().code, "referrer_denied");
    assert.equal((await page.exchange("rubbish", { body: JSON.stringify({ turnstile: "t" }) })).json().code, "key_invalid");
    assert.equal(asked.length, before);
  });

  await t.test("each attempt counts", async () => {
    verdict = () => [200, { success: false }];
    for (let n = 0; n < 20; n += 1) assert.equal(await code({ turnstile: "t" }, "192.0.2.9"), "challenge_failed");
    const before = asked.length;
    assert.equal(await code({ turnstile: "t" }, "192.0.2.9"), "rate_limited");
    assert.equal(asked.length, before);
  });

  await t.test("whose secret is missing gives none", async () => {
    await stage.gateway.restart({ vars: { TURNSTILE_SECRET: null } });
    assert.equal(await code({ turnstile: "t" }), "credential_unavailable");
  });

  stage.assertNoSecret(stage.gateway.log);
});
