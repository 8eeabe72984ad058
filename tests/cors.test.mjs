// What pages of other websites may learn (DESIGN.md, section 8; the Fetch standard, section 3.2), as it
// stands on the wire.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertSingleHeaders } from "./harness/problem.mjs";
import { startStage } from "./harness/stage.mjs";
import { startWireOrigin } from "./harness/wire-origin.mjs";

const PAGE = "https://app.example";
const OTHER = "https://other.example:8443";

const GATEWAY = `
[[route]]
path = "/open/**"
origin = "\${ORIGIN}"

[[route]]
path = "/listed/**"
origin = "\${ORIGIN}"
[route.cors]
origins = ["${PAGE}"]
expose_headers = ["x-total", "ETag"]
max_age_s = 600

[[route]]
path = "/named/**"
origin = "\${ORIGIN}"
[route.cors]
allow_headers = ["Content-Type"]
`;

const KEYS = { page: { referrers: [PAGE] }, anywhere: { any_referrer: true }, app: { apps: { ios: ["com.example.app"] } }, private: { kind: "private" } };

/** What a header `Origin` may hold and no page has; it is never given back. */
const NO_PAGES = [
  "null", "*", "app.example", "//app.example", "https://", "https://app.example/", "https://app.example/x", "https://user@app.example",
  "https://app.example, https://app.example", "https://app.example https://evil.example", "https://*.example", "https://app.example.", "javascript:alert(1)",
  "https://app\t.example", "https://app.example\"><script>", "https://app.example\\", "https://\xe4pp.example", "https://app.example:99999", "https://app.example:x",
];

const ALLOWING = /^access-control-allow-/i;
const allowing = ({ lines }) => lines.filter(([name]) => ALLOWING.test(name)).map(([name]) => name.toLowerCase()).sort();
const words = (text = "") => text.split(",").map((word) => word.trim().toLowerCase()).filter(Boolean).sort();

test("CORS", async (t) => {
  const answers = {};
  const origin = await startWireOrigin(t, answers);
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS, origin });

  /** A preflight's answer; the origin and KV see nothing of it. */
  const preflight = async (target, { page = PAGE, method = "PUT", asks, headers = [], ...call } = {}) => {
    origin.forget();
    const reads = stage.reads;
    const lines = [["origin", page], ["access-control-request-method", method], ...(asks === undefined ? [] : [["access-control-request-headers", asks]])];
    const answer = await stage.call(target, { method: "OPTIONS", headers: [...lines, ...headers], ...call });
    assert.deepEqual([origin.requests, stage.reads], [[], reads]);
    assertSingleHeaders(answer);
    return answer;
  };
  /** A call of a page whose answer by the origin is this text. */
  const called = async (target, { page, headers = {}, ...call } = {}, ...theirs) => {
    answers[target] = ["HTTP/1.1 200 OK", ...theirs, "content-length: 2", "", "ok"].join("\r\n");
    const answer = await stage.passes(target, { headers: { ...(page !== undefined && { origin: page }), ...headers }, ...call });
    assertSingleHeaders(answer);
    return answer;
  };

  for (const page of [PAGE, OTHER, "http://localhost:3000", "https://xn--pp-fka.example", "https://[2001:db8::1]", "capacitor://localhost", `chrome-extension://${"a".repeat(32)}`, "moz-extension://3c6bf0de-1d3b-4c66-a7e4-0d9f5d6e0f3b"]) {
    await t.test(`a preflight of ${page} is answered before authentication, without credentials`, async () => {
      for (const target of ["/open/x", "/listed/x", "/open/x?y"]) {
        const answer = await preflight(target, { page, asks: "authorization,x-custom" });
        assert.deepEqual([answer.status, answer.text], [204, ""]);
        assert.equal(answer.header("access-control-allow-origin"), page);
        assert.equal(answer.header("access-control-allow-methods"), "PUT");
        assert.deepEqual(words(answer.header("access-control-allow-headers")), ["authorization", "x-custom"]);
        assert.equal(answer.header("access-control-allow-credentials"), target.startsWith("/listed") && page === PAGE ? "true" : undefined);
        assert.equal(answer.header("access-control-max-age"), target.startsWith("/listed") ? "600" : "7200");
        for (const name of ["origin", "access-control-request-method", "access-control-request-headers"]) assert.ok(words(answer.header("vary")).includes(name));
      }
    });
  }
  for (const page of NO_PAGES) {
    await t.test(`the Origin ${JSON.stringify(page)} is never given back`, async () => {
      for (const target of ["/open/x", "/listed/x"]) {
        assert.deepEqual(allowing(await preflight(target, { page })), []);
        const refused = await stage.refuses("key_missing", target, { headers: { origin: page } });
        assert.deepEqual(allowing(refused), []);
        assert.ok(words(refused.header("vary")).includes("origin"));
        assert.deepEqual(allowing(await called(target, { key: "anywhere", page })), []);
      }
    });
  }
  await t.test("a preflight answers with what the route accepts", async () => {
    const named = await preflight("/named/x", { asks: "x-custom, content-type" });
    const accepted = words(named.header("access-control-allow-headers"));
    assert.ok(accepted.includes("content-type") && !accepted.includes("x-custom"));
    assert.ok(["authorization", "x-api-key"].every((name) => accepted.includes(name)), "the key itself can be sent");
    for (const method of ["GET", "DELETE", "PATCH", "M-SEARCH", "patch"]) {
      assert.equal((await preflight("/open/x", { method })).header("access-control-allow-methods"), method);
    }
    assert.equal((await preflight("/open/x", {})).header("access-control-allow-headers"), undefined, "nothing was asked for");
  });
  await t.test("a preflight gives back names only", async () => {
    const answer = await preflight("/open/x", { method: "G E T", asks: "x-a, b c,, <x>, x-d, a:b, \xe9" });
    assert.equal(answer.header("access-control-allow-methods"), undefined);
    assert.deepEqual(words(answer.header("access-control-allow-headers")), ["x-a", "x-d"]);
  });
  await t.test("a preflight is answered the same whatever key it carries", async () => {
    for (const key of ["private", "page", "rubbish"]) {
      const answer = await preflight("/open/x", { key });
      assert.deepEqual([answer.status, answer.header("access-control-allow-origin")], [204, PAGE]);
    }
  });
  await t.test("a preflight to a private network is answered", async () => {
    const answer = await preflight("/open/x", { headers: [["access-control-request-private-network", "true"]] });
    assert.equal(answer.header("access-control-allow-private-network"), "true");
  });
  await t.test("a page learns of its mistake: where no route takes the path, the preflight lets it read why", async () => {
    for (const [code, target] of [["route_unknown", "/nowhere"], ["path_ambiguous", "/open/a/../b"], ["method_not_allowed", "/_keyward/healthz"]]) {
      const answer = await preflight(target, { asks: "authorization" });
      assert.deepEqual([answer.status, answer.header("access-control-allow-origin"), answer.header("access-control-max-age")], [204, PAGE, "0"]);
      await stage.refuses(code, target, { method: "PUT", headers: { origin: PAGE, authorization: "Bearer x" }, page: PAGE });
    }
  });
  await t.test("OPTIONS that is no preflight needs a key and reaches the origin", async () => {
    for (const headers of [{}, { origin: PAGE }, { "access-control-request-method": "PUT" }, { origin: PAGE, "access-control-request-method": "" }]) {
      await stage.refuses("key_missing", "/open/x", { method: "OPTIONS", headers, page: headers.origin });
      const key = headers.origin ? "page" : "private";
      assert.equal((await stage.passes("/open/x", { key, method: "OPTIONS", headers })).seen.method, "OPTIONS");
    }
  });

  await t.test("an allowed page reads the answer; credentials are for listed origins only", async () => {
    for (const [target, key, page, expected] of [
      ["/open/a", "page", PAGE, ["access-control-allow-origin"]],
      ["/listed/a", "page", PAGE, ["access-control-allow-credentials", "access-control-allow-origin"]],
      ["/listed/b", "anywhere", OTHER, ["access-control-allow-origin"]],
    ]) {
      const answer = await called(target, { key, page });
      assert.deepEqual(allowing(answer), expected);
      assert.equal(answer.header("access-control-allow-origin"), page);
      assert.deepEqual(words(answer.header("access-control-expose-headers")), target.startsWith("/listed") ? ["etag", "x-total"] : []);
      assert.equal(answer.header("vary"), "Origin");
    }
  });
  await t.test("what the origin says about CORS is replaced, and nothing is doubled", async () => {
    const theirs = ["allow-origin: *", "allow-credentials: true", "allow-methods: *", "allow-headers: *", "expose-headers: *", "max-age: 1", "allow-private-network: true"];
    const lines = theirs.flatMap((line) => [`Access-Control-${line}`, `access-control-${line}`]);
    for (const [call, expected] of [[{ key: "page", page: PAGE }, ["access-control-allow-origin"]], [{ key: "private" }, []], [{ key: "anywhere" }, []]]) {
      const answer = await called("/open/b", call, ...lines);
      assert.deepEqual(allowing(answer), expected);
      assert.deepEqual([answer.header("access-control-expose-headers"), answer.header("access-control-max-age")], [undefined, undefined]);
    }
  });
  for (const [theirs, expected] of [
    [[], "Origin"],
    [["vary: Accept-Encoding"], "Accept-Encoding, Origin"],
    [["vary: accept, ORIGIN"], "accept, ORIGIN"],
    [["vary: *"], "*"],
    [["vary: Accept", "vary: Cookie"], "Accept, Cookie, Origin"],
    [["vary: X-Origin"], "X-Origin, Origin"],
  ]) {
    await t.test(`Vary with ${theirs.join(" and ") || "nothing"} becomes ${expected}`, async () => {
      for (const call of [{ key: "page", page: PAGE }, { key: "page", headers: { referer: `${PAGE}/` } }]) {
        assert.equal((await called("/open/c", call, ...theirs)).header("vary"), expected);
      }
    });
  }
  await t.test("a call without Origin gets no CORS, but a cache still tells the two apart", async () => {
    const answer = await called("/open/d", { key: "page", headers: { referer: `${PAGE}/x` } });
    assert.deepEqual([allowing(answer), answer.header("vary")], [[], "Origin"]);
  });
  await t.test("a refusal is readable without credentials, also where the origin is listed", async () => {
    const call = { headers: { origin: PAGE }, page: PAGE };
    await stage.refuses("key_missing", "/listed/x", call);
    await stage.refuses("private_key_in_browser", "/listed/x", { ...call, key: "private" });
    await stage.refuses("referrer_denied", "/listed/x", { key: "page", headers: { origin: OTHER }, page: OTHER });
    await stage.refuses("key_missing", "/listed/x", { ...call, method: "HEAD" });
  });
  await t.test("an Origin that no browser writes so is given back as it came, and gets no credentials", async () => {
    for (const page of ["HTTPS://APP.EXAMPLE", "https://app.example:443"]) {
      const answer = await called("/listed/c", { key: "page", page });
      assert.deepEqual([allowing(answer), answer.header("access-control-allow-origin")], [["access-control-allow-origin"], page]);
    }
  });
  await t.test("a key for apps lets no website read its answers, and refusals all", async () => {
    const headers = { "x-ios-bundle-identifier": "com.example.app" };
    const answer = await called("/open/f", { key: "app", page: PAGE, headers });
    assert.deepEqual([allowing(answer), answer.header("vary")], [[], "Origin"]);
    await stage.refuses("app_denied", "/open/f", { key: "app", headers: { origin: PAGE }, page: PAGE });
  });
  await t.test("the management API says nothing to other origins", async () => {
    const manage = { authorization: `Bearer ${await stage.gateway.managementKey()}` };
    for (const method of ["GET", "POST", "OPTIONS"]) {
      for (const headers of [{ origin: PAGE }, { origin: "null" }, { origin: PAGE, "access-control-request-method": "POST" }, { "sec-fetch-site": "cross-site" }]) {
        const answer = await stage.call("/_keyward/v1/projects", { method, headers: { ...manage, ...headers } });
        assert.deepEqual([answer.status, answer.json().code, allowing(answer)], [403, "cross_origin_denied", []]);
      }
    }
  });
  await t.test("no secret is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
