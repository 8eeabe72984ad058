// Refusals in Chromium: the page's script can always read why, and the origin never hears of it.
import assert from "node:assert/strict";
import test from "node:test";
import { withoutChromium } from "./harness/chromium.mjs";
import { assertRefused, call, startScene } from "./harness/scene.mjs";

const JSON_TYPE = { "content-type": "application/json" };

test("a page of another website", { skip: withoutChromium }, async (t) => {
  const scene = await startScene(t);
  const { pages, gateway } = scene;
  const elsewhere = pages.at("127.0.0.1");
  const url = `${gateway.url}/api/echo`;

  const calls = {
    "asks with GET": { headers: scene.bearer() },
    "sends JSON after a preflight": { method: "POST", headers: { ...JSON_TYPE, ...scene.bearer() }, body: "{}" },
    "deletes": { method: "DELETE", headers: { "x-api-key": scene.keys.public } },
    "asks for an event stream": { headers: { accept: "text/event-stream", ...scene.bearer() } },
    "uploads a megabyte": { method: "PUT", headers: scene.bearer(), body: "x".repeat(1_000_000) },
  };
  for (const [name, init] of Object.entries(calls)) {
    await t.test(`${name}, is refused, and reads why`, async (t) => {
      const page = await scene.open(t, elsewhere);
      const answer = await call(page, url, init);
      const problem = assertRefused(answer, 403, "referrer_denied");
      assert.equal(problem.detail, "The key does not allow calls from this website.");
      scene.assertOriginSaw();
    });
  }

  const others = {
    "on a name below the allowed one": pages.at("app.localhost"),
    "on a name that ends like the allowed one": pages.at("notlocalhost.localhost"),
    "on another port of the allowed host": gateway.url.replace("127.0.0.1", "localhost") + "/_keyward/healthz",
  };
  for (const [name, address] of Object.entries(others)) {
    await t.test(`${name} is another website`, async (t) => {
      const page = await scene.open(t, address);
      assertRefused(await call(page, url, { headers: scene.bearer() }), 403, "referrer_denied");
      scene.assertOriginSaw();
    });
  }

  await t.test("cannot read an answer to a key that is its own, but lacks its origin, by asking without CORS", async (t) => {
    const page = await scene.open(t, elsewhere);
    const answer = await call(page, scene.tag("/echo"), { mode: "no-cors" });
    assert.deepEqual({ type: answer.type, text: answer.text }, { type: "opaque", text: "" });
    scene.assertOriginSaw();
  });

  await t.test("cannot call the management API, whatever key it has", async (t) => {
    const page = await scene.open(t);
    const url = `${gateway.url}/_keyward/v1/projects`;
    assert.equal((await call(page, url, { headers: scene.bearer("private") })).error, "TypeError");
    assert.equal((await call(page, url)).error, "TypeError");
  });

  scene.assertLogIsClean();
});

test("a page of an allowed website that is refused", { skip: withoutChromium }, async (t) => {
  const scene = await startScene(t);
  const { home, gateway } = scene;
  const page = { kind: "public", referrers: [home] };
  const created = await scene.createKeys({
    revoked: page,
    disabled: page,
    expired: { ...page, expires_at: new Date(Date.now() - 60_000).toISOString() },
    later: { ...page, not_before: new Date(Date.now() + 3_600_000).toISOString() },
    reader: { ...page, paths: ["GET /api/public/**"] },
    unread: page,
  });
  await scene.changeKey(created.revoked, "revoke");
  await scene.changeKey(created.disabled, "disable");
  const forged = scene.keys.public.slice(0, -1) + (scene.keys.public.endsWith("A") ? "B" : "A");

  const cases = [
    ["a forged key", 401, "key_invalid", "/api/echo", { authorization: `Bearer ${forged}` }],
    ["no key", 401, "key_missing", "/api/echo", {}],
    ["no key, after a preflight", 401, "key_missing", "/api/echo", JSON_TYPE],
    ["two different keys", 400, "key_ambiguous", "/api/echo", { ...scene.bearer(), "x-api-key": scene.keys.reader }],
    ["a revoked key", 401, "key_revoked", "/api/echo", scene.bearer("revoked")],
    ["a disabled key", 401, "key_disabled", "/api/echo", scene.bearer("disabled")],
    ["an expired key", 401, "key_expired", "/api/echo", scene.bearer("expired")],
    ["a key that is not valid yet", 401, "key_not_yet_valid", "/api/echo", scene.bearer("later")],
    ["a key for other paths", 403, "path_denied", "/api/private/x", scene.bearer("reader")],
    ["a key without the route's scope", 403, "scope_missing", "/scoped/x", scene.bearer()],
    ["a public key on a route for servers", 403, "kind_not_accepted", "/servers/x", scene.bearer()],
    ["an unknown route", 404, "route_unknown", "/nowhere", {}],
    ["an unknown route, after a preflight", 404, "route_unknown", "/nowhere", scene.bearer()],
    ["an ambiguous path", 400, "path_ambiguous", "/api//echo", {}],
    ["an ambiguous path, after a preflight", 400, "path_ambiguous", "/api/a%2Fb", scene.bearer()],
    ["a route whose credential is not set", 500, "credential_unavailable", "/locked/x", scene.bearer()],
    ["an origin that is down", 502, "origin_unreachable", "/down/x", scene.bearer()],
  ];
  for (const [name, status, code, path, headers] of cases) {
    await t.test(`for ${name} reads ${code}`, async (t) => {
      const page = await scene.open(t);
      assertRefused(await call(page, gateway.url + path, { headers }), status, code);
      scene.assertOriginSaw();
    });
  }

  await t.test("for an origin that is late reads origin_timeout", async (t) => {
    const page = await scene.open(t);
    assertRefused(await call(page, `${gateway.url}/late/hang`, { headers: scene.bearer() }), 504, "origin_timeout");
    scene.assertOriginSaw("GET /hang");
  });

  await t.test("while the store fails reads store_unavailable, and when to try again", async (t) => {
    const page = await scene.open(t);
    const repaired = gateway.kv.break("get", { status: 500 });
    const answer = await call(page, `${gateway.url}/api/echo`, { headers: scene.bearer("unread") });
    repaired();
    assertRefused(answer, 503, "store_unavailable");
    assert.equal(answer.headers["retry-after"], "5");
    scene.assertOriginSaw();
  });

  await t.test("reads in WWW-Authenticate which scope is missing", async (t) => {
    const page = await scene.open(t);
    const { headers } = await call(page, `${gateway.url}/scoped/x`, { headers: scene.bearer() });
    assert.match(headers["www-authenticate"], /error="insufficient_scope".*scope="reports:read"/);
  });

  scene.assertLogIsClean();
});

test("a private key in a page", { skip: withoutChromium }, async (t) => {
  const scene = await startScene(t);
  const { gateway, pages, home } = scene;
  const cases = {
    "of any website": [home, { headers: scene.bearer("private") }],
    "of any other website": [pages.at("127.0.0.1"), { method: "POST", headers: { ...JSON_TYPE, ...scene.bearer("private") }, body: "{}" }],
    "of the gateway's own origin, where GET carries no Origin": [`${gateway.url}/_keyward/healthz`, { headers: scene.bearer("private") }],
    "that hides where it comes from": [`${home}/?policy=no-referrer`, { headers: scene.bearer("private") }],
  };
  for (const [name, [address, init]] of Object.entries(cases)) {
    await t.test(`${name} is refused, and the page reads that it has leaked`, async (t) => {
      const page = await scene.open(t, address);
      const problem = assertRefused(await call(page, `${gateway.url}/api/echo`, init), 403, "private_key_in_browser");
      assert.match(problem.fix, /Revoke this key/);
      scene.assertOriginSaw();
    });
  }

  await t.test("is refused in the query too", async (t) => {
    const page = await scene.open(t);
    assertRefused(await call(page, scene.tag("/echo", "private")), 403, "private_key_in_browser");
    scene.assertOriginSaw();
  });

  scene.assertLogIsClean();
});
