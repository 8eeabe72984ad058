// nginx and Caddy ask Keyward, as docs/beside-nginx-or-caddy.md configures them: what is refused never
// reaches the origin, and what a client says of itself never does either.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import WebSocket from "ws";
import { blocks } from "./docs/markdown.mjs";
import { ACME, FORWARD_AUTH, VERIFY_KEYS } from "./harness/asking.mjs";
import { connect, request } from "./harness/client.mjs";
import { fault } from "./harness/kv.mjs";
import { without } from "./harness/programs.mjs";
import { startCaddy, startNginx } from "./harness/proxies.mjs";
import { derive } from "../clients/derive.mjs";
import { decoded, ISSUER } from "./harness/signing.mjs";
import { startStage } from "./harness/stage.mjs";

const HOST = "api.example.com";
/** Another host, whose route asks for less. */
const LAX = "lax.example.net";
const PAGE = "https://app.example";
const page = blocks(await readFile(new URL("../docs/beside-nginx-or-caddy.md", import.meta.url), "utf8"));
const written = (info) => page.find((block) => block.info === info).code;
const ROUTES = `[gateway]
issuer = "${ISSUER}"

${written("toml")}
[[route]]
host = "${HOST}"
path = "/signed/**"
origin = "http://127.0.0.1:1"
accepts = ["private", "derived"]
assertion = true

[[route]]
host = "${HOST}"
path = "/chat/**"
origin = "http://127.0.0.1:1"
scopes = ["chat:write"]

[[route]]
host = "${LAX}"
path = "/**"
origin = "http://127.0.0.1:1"
`;
const KEYS = {
  plain: { kind: "private", owner: "customer 17", scopes: ["reports:read"] },
  bare: { kind: "private" },
  page: { referrers: [PAGE] },
  near: { kind: "private", ips: ["127.0.0.0/8"] },
  far: { kind: "private", ips: ["203.0.113.0/24"] },
  narrow: { kind: "private", paths: ["GET,POST /v1/open/*"] },
  burst: { kind: "private", limits: { rate: [{ name: "burst", limit: 1, window_s: 60 }] } },
  paid: { kind: "private", limits: { credits: 1 } },
  monthly: { kind: "private", limits: { quota: { limit: 1, period: "month" } } },
  disabled: { kind: "private" },
};
const ASKED = "Access-Control-Request-Method";
/** Headers of an OPTIONS that is no preflight: it is asked about, as every other call. */
const NO_PREFLIGHTS = [
  [["Origin", "a b"]],
  [["Origin", `${PAGE} PUT`]],
  [[ASKED, "PUT"]],
  [["Origin", PAGE], [ASKED, ""]],
  [["Origin", ""], [ASKED, "PUT"]],
  [["Origin", PAGE], [ASKED, ""], [ASKED, ""]],
  [["Origin", ""], ["Origin", ""], [ASKED, ""], [ASKED, ""]],
];
const DEBIAN = { nginx: "nginx-light", Caddy: "caddy" };
const PROXIES = { nginx: [startNginx, "nginx"], Caddy: [startCaddy, "caddy"] };

for (const [name, [start, info]] of Object.entries(PROXIES)) {
  test(`beside ${name}`, { timeout: 120_000, skip: without(name.toLowerCase(), DEBIAN[name]) }, async (t) => {
    const stage = await startStage(t, { gateway: ROUTES, keys: KEYS, vars: VERIFY_KEYS });
    await stage.api.changeKey("acme", stage.created.disabled.key.id, "disable");
    const parts = { gateway: new URL(stage.gateway.url).host, origin: new URL(stage.origin.url).host, verifyKey: ACME };
    const port = await start(t, written(info), parts);

    const call = (target, { key, headers = {}, ...options } = {}) => {
      const own = key === undefined ? [] : [["x-api-key", stage.keys[key] ?? key]];
      const lines = Array.isArray(headers) ? headers : Object.entries(headers);
      return request(port, target, { host: HOST, headers: [...own, ...lines], ...options });
    };
    const passes = async (target, options) => {
      stage.origin.forget();
      const answer = await call(target, options);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(stage.origin.requests.length, 1);
      const seen = stage.origin.last;
      stage.assertNoSecret(JSON.stringify(seen.lines));
      assert.ok(!JSON.stringify(seen.lines).includes(ACME), "the origin was told the proxy's own key");
      return Object.assign(answer, { seen });
    };
    const refuses = async (code, target, options) => {
      stage.origin.forget();
      const answer = await call(target, options);
      if (options?.method !== "HEAD") {
        assert.equal(answer.header("content-type"), "application/problem+json", answer.text);
        assert.equal(answer.json().code, code, answer.text);
        assert.equal(answer.status, answer.json().status);
      }
      assert.deepEqual(stage.origin.requests, [], "the origin saw a refused call");
      assert.equal(answer.values("www-authenticate").length, [401].includes(answer.status) || code === "scope_missing" || code === "key_ambiguous" ? 1 : 0, code);
      assert.ok(answer.values("retry-after").length <= 1);
      return answer;
    };

    await t.test("a valid call passes, with whose key it carries", async () => {
      const { seen } = await passes("/v1/x", { key: "plain" });
      const identity = ["key-id", "project", "environment", "kind", "owner", "scopes"].map((field) => seen.values(`keyward-${field}`));
      assert.deepEqual(identity, [[stage.created.plain.key.id], ["acme"], ["live"], ["private"], ["customer 17"], ["reports:read"]]);
      assert.deepEqual(seen.values("x-api-key"), []);
      const bearer = await passes("/v1/x", { headers: { authorization: `Bearer ${stage.keys.plain}` } });
      assert.deepEqual(bearer.seen.values("authorization"), []);
    });

    await t.test("nobody says who they are by themselves", async () => {
      const names = ["key-id", "project", "environment", "kind", "owner", "scopes", "user", "assertion", "verify-key", "anything"];
      const forged = names.flatMap((field) => [[`Keyward-${field}`, "forged"], [`keyward-${field}`, "forged"], [`Keyward_${field.replace("-", "_")}`, "forged"]]);
      const { seen } = await passes("/v1/x", { key: "bare", headers: forged.filter(([field]) => !/anything/i.test(field) || name === "Caddy") });
      assert.ok(!JSON.stringify(seen.lines).includes("forged"), JSON.stringify(seen.lines));
      assert.deepEqual(seen.values("keyward-key-id"), [stage.created.bare.key.id]);
      for (const field of ["owner", "scopes", "user", "assertion"]) assert.deepEqual(seen.values(`keyward-${field}`).filter(Boolean), []);
    });

    await t.test("the assertion and the user of a derived key are passed on", async () => {
      const headers = [["Keyward-User", "admin"], ["Keyward-Assertion", "forged"]];
      const key = await derive(stage.keys.bare, { user: "user 17" });
      const { seen } = await passes("/signed/x", { key, headers });
      assert.deepEqual([seen.values("keyward-user"), seen.values("keyward-kind")], [["user 17"], ["derived"]]);
      const [token, ...more] = seen.values("keyward-assertion");
      assert.deepEqual(more, []);
      const { payload } = decoded(token);
      assert.deepEqual([payload.iss, payload.sub, payload.user], [ISSUER, stage.created.bare.key.id, "user 17"]);
    });

    await t.test("no client takes away what Keyward has said", async () => {
      const fields = ["key-id", "project", "environment", "kind", "owner", "scopes", "user", "assertion"];
      const named = fields.map((field) => `Keyward-${field}`).join(", ");
      const key = await derive(stage.keys.plain, { user: "user 17" });
      const values = [[named], [`close, ${named}`], ["keep-alive", named.toLowerCase()], [`Upgrade, ${named}`], named.split(", ")];
      for (const connection of values.map((list) => list.map((value) => ["Connection", value]))) {
        for (const upgrade of [[], [["Upgrade", "h2c"]], [["Upgrade", "websocket, h2c"]]]) {
          const { seen } = await passes("/signed/x", { key, headers: [...connection, ...upgrade] });
          for (const field of fields) assert.equal(seen.values(`keyward-${field}`).filter(Boolean).length, 1, `${field} behind ${JSON.stringify([connection, upgrade])}`);
          assert.deepEqual(seen.values("upgrade"), []);
        }
      }
      stage.origin.forget();
      await call("/signed/x", { key, headers: [["Connection", "Upgrade"], ["Upgrade", "h2c"], ["Upgrade", "websocket"]] });
      assert.ok(!stage.origin.requests.flatMap((seen) => seen.values("upgrade")).includes("h2c"));
      // What decides about the call is not taken away from Keyward either.
      await refuses("private_key_in_browser", "/v1/x", { key: "plain", headers: [["Connection", "Origin"], ["Origin", PAGE]] });
      await refuses("ip_denied", "/v1/x", { key: "far", headers: [["Connection", "X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Uri, X-Forwarded-Method, Keyward-Verify-Key"]] });

      for (const value of [`Upgrade, ${named}`, `${named}, upgrade`]) {
        stage.origin.forget();
        const socket = await connect(port);
        const lines = { Host: HOST, "X-API-Key": key, Connection: value, Upgrade: "WebSocket", "Sec-WebSocket-Version": 13, "Sec-WebSocket-Key": randomBytes(16).toString("base64") };
        socket.write(["GET /signed/x HTTP/1.1", ...Object.entries(lines).map((line) => line.join(": ")), "", ""].join("\r\n"));
        assert.equal((await socket.head()).status, 101);
        socket.close();
        for (const field of fields) assert.equal(stage.origin.last.values(`keyward-${field}`).filter(Boolean).length, 1, field);
      }
    });

    await t.test("the host that the client calls does not choose the route", async () => {
      await refuses("scope_missing", "/chat/x", { key: "plain" });
      const hosts = [LAX, `${LAX}:80`, LAX.toUpperCase(), `${HOST}.${LAX}`, "127.0.0.1", "_"];
      for (const host of hosts) {
        for (const headers of [[], [["X-Forwarded-Host", HOST]]]) {
          stage.origin.forget();
          const answer = await call("/chat/x", { key: "plain", host, headers });
          assert.equal(answer.status, 421, host);
          const preflight = await call("/chat/x", { method: "OPTIONS", host, headers: [...headers, ["Origin", PAGE], ["Access-Control-Request-Method", "PUT"]] });
          assert.equal(preflight.status, 421, host);
          assert.deepEqual(stage.origin.requests, [], host);
        }
      }
      stage.origin.forget();
      for (const [target, host] of [[`http://${LAX}/chat/x`, HOST], [`http://${HOST}/chat/x`, LAX], ["/chat/x", ""]]) {
        const answer = await call(target, { key: "plain", host });
        assert.ok([400, 403, 421].includes(answer.status), `${target}: ${answer.status}`);
      }
      for (const hosts of [[HOST, LAX], [LAX, HOST]]) {
        const answer = await call("/chat/x", { key: "plain", headers: hosts.map((host) => ["Host", host]) });
        assert.equal(answer.status, 400);
      }
      assert.deepEqual(stage.origin.requests, []);
      if (name !== "nginx") return;

      // Also where nobody has written the server that refuses other hosts.
      const alone = written(info).replace(/^server \{\n {4}listen 8080 default_server;[^}]*\}\n/m, "");
      assert.ok(!alone.includes("default_server"));
      const other = await startNginx(t, alone, parts);
      const answer = await request(other, "/chat/x", { host: LAX, headers: [["X-API-Key", stage.keys.plain]] });
      assert.deepEqual([answer.status, answer.json().code], [403, "scope_missing"]);
      assert.deepEqual(stage.origin.requests, []);
      const passed = await request(other, "/v1/x", { host: LAX, headers: [["X-API-Key", stage.keys.plain]] });
      assert.equal(passed.status, 200);
      assert.deepEqual(stage.origin.last.values("host"), [HOST]);
      // The origin stands in Keyward's place, to show whose preflight it is.
      const recording = await startNginx(t, alone, { ...parts, gateway: parts.origin });
      await request(recording, "/v1/x", { method: "OPTIONS", host: LAX, headers: [["Origin", PAGE], [ASKED, "PUT"]] });
      assert.deepEqual([stage.origin.last.target, stage.origin.last.values("host")], ["/v1/x", [HOST]]);
    });

    await t.test("what is checked is what goes on, as the client sent it", async () => {
      for (const target of ["/v1/open/a%20b?x=%2F..&y", "/v1/open/%C3%A9", "/v1/open/a,b?c,d", "/v1/open/~b"]) {
        assert.equal((await passes(target, { key: "narrow" })).seen.target, target);
      }
      await refuses("path_denied", "/v1/other", { key: "narrow" });
      await refuses("path_denied", "/v1/other?/v1/open/a", { key: "narrow" });
      for (const target of ["/v1/open/a%2Fb", "/v1/open/%2e%2e/x", "/v1/open/..%2fx", "/v1/open//a", "/v1/open/a;b", "/v1/open/%252e"]) await refuses("path_ambiguous", target, { key: "narrow" });
      await refuses("route_unknown", "/elsewhere", { key: "plain" });
      await refuses("path_denied", "/v1/open/a", { key: "narrow", method: "DELETE" });
    });

    await t.test("no forwarded header of a client is believed", async () => {
      const spoofed = {
        "x-forwarded-uri": "/v1/open/a", "x-forwarded-method": "GET", "x-forwarded-host": "elsewhere.example", "x-forwarded-proto": "ftp", "x-forwarded-for": "203.0.113.9",
        "x-original-uri": "/v1/open/a", "x-original-url": "/v1/open/a", "x-original-method": "GET", "x-real-ip": "203.0.113.9", "cf-connecting-ip": "203.0.113.9", forwarded: "for=203.0.113.9", "keyward-verify-key": "forged",
      };
      for (const [header, value] of Object.entries(spoofed)) {
        await refuses("path_denied", "/v1/other", { key: "narrow", headers: { [header]: value } });
        await refuses("ip_denied", "/v1/x", { key: "far", headers: { [header]: value } });
        await passes("/v1/x", { key: "near", headers: { [header]: value } });
      }
      await refuses("ip_denied", "/v1/x", { key: "far", headers: Object.entries(spoofed).flatMap(([header, value]) => [[header, value], [header, value]]) });
    });

    await t.test("HEAD, uploads and web sockets", async () => {
      const head = await passes("/v1/open/a", { key: "narrow", method: "HEAD" });
      assert.equal(head.seen.method, "HEAD");
      assert.equal((await refuses("path_denied", "/v1/other", { key: "narrow", method: "HEAD" })).status, 403);
      const body = randomBytes(3_000_000);
      const { seen } = await passes("/v1/open/a", { key: "narrow", method: "POST", body });
      assert.deepEqual([seen.method, seen.length], ["POST", body.length]);
      const small = await passes("/v1/open/a", { key: "narrow", method: "POST", headers: { "transfer-encoding": "chunked" }, body: "5\r\nhello\r\n0\r\n\r\n" });
      assert.equal(small.seen.text, "hello");
      await refuses("path_denied", "/v1/other", { key: "narrow", method: "POST", body: "hello" });

      stage.origin.forget();
      const headers = { host: HOST, "x-api-key": stage.keys.plain, origin: PAGE };
      const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, { headers });
      await once(socket, "open");
      socket.send("hello");
      assert.equal(String((await once(socket, "message"))[0]), "hello");
      socket.terminate();
      assert.deepEqual(stage.origin.last.values("keyward-key-id"), [stage.created.plain.key.id]);
      const refused = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, { headers: { host: HOST } });
      const [, response] = await once(refused, "unexpected-response");
      assert.equal(response.statusCode, 401);
      response.resume();
      await refuses("private_key_in_browser", "/v1/x", { key: "plain", headers: { origin: PAGE } });
    });

    await t.test("a refusal of each sort reaches the client as Keyward has given it", async () => {
      assert.match((await refuses("key_missing", "/v1/x")).header("www-authenticate"), /^Bearer realm="keyward"$/);
      assert.match((await refuses("key_invalid", "/v1/x", { key: "rubbish" })).header("www-authenticate"), /error="invalid_token"/);
      await refuses("key_ambiguous", "/v1/x", { key: "plain", headers: { authorization: "Bearer other" } });
      await refuses("key_disabled", "/v1/x", { key: "disabled" });
      await refuses("referrer_denied", "/v1/x", { key: "page", headers: { origin: "https://evil.example" } });
      assert.match((await refuses("scope_missing", "/chat/x", { key: "plain" })).header("www-authenticate"), /scope="chat:write"/);
      const passed = await passes("/v1/x", { key: "burst" });
      if (name === "nginx") assert.match(passed.header("ratelimit"), /^"burst";r=0;t=\d+$/);
      const over = await refuses("rate_limited", "/v1/x", { key: "burst" });
      assert.ok(Number(over.header("retry-after")) > 0);
      assert.match(over.header("ratelimit"), /^"burst";r=0;t=\d+$/);
      await passes("/v1/x", { key: "paid" });
      assert.equal((await refuses("credits_exhausted", "/v1/x", { key: "paid" })).status, 402);
      await passes("/v1/x", { key: "monthly" });
      assert.equal((await refuses("quota_exceeded", "/v1/x", { key: "monthly" })).status, 429);
      const fresh = await stage.api.createKey("acme", { name: "fresh", kind: "private" });
      stage.kv.break("get", fault.fail());
      const unknown = await refuses("store_unavailable", "/v1/x", { key: fresh.secret });
      assert.deepEqual([unknown.status, unknown.header("retry-after")], [503, "5"]);
      stage.kv.repair();
    });

    await t.test("preflights are answered without the origin", async () => {
      stage.origin.forget();
      const headers = { origin: PAGE, "access-control-request-method": "PUT", "access-control-request-headers": "x-api-key" };
      const answer = await call("/v1/x", { method: "OPTIONS", headers });
      assert.deepEqual([answer.status, answer.header("access-control-allow-origin"), answer.header("access-control-allow-methods")], [204, PAGE, "PUT"]);
      assert.deepEqual(stage.origin.requests, []);
      await refuses("key_missing", "/v1/x", { method: "OPTIONS" });
      for (const lines of NO_PREFLIGHTS) await refuses("key_missing", "/v1/x", { method: "OPTIONS", headers: lines });
      for (const method of ["GET", "POST", "OPTIONSX"]) await refuses("key_missing", "/v1/x", { method, headers });
      await passes("/v1/x", { key: "page", method: "OPTIONS", headers: [["Origin", PAGE], [ASKED, ""]] });
      await refuses("ip_denied", "/v1/x", { key: "far", method: "OPTIONS", headers: { "cf-connecting-ip": "203.0.113.9" } });
    });

    await t.test("only preflights are handed on, and nothing that makes a call of one", async () => {
      // The origin stands in Keyward's place, to show what would come there.
      const recording = await start(t, written(info), { ...parts, gateway: parts.origin });
      const arrives = async (options) => {
        stage.origin.forget();
        await request(recording, "/v1/x", { host: HOST, ...options });
        return stage.origin.requests[0];
      };
      const forged = ["Keyward-Verify-Key", "CF-Connecting-IP", "X-API-Key"].map((field) => [field, "forged"]);
      const carried = [...forged, ["Authorization", "Bearer forged"], ["Connection", `Origin, ${ASKED}`]];
      const preflight = [["Origin", PAGE], [ASKED, "PUT"], ["Content-Length", "6"], ...carried];
      const seen = await arrives({ method: "OPTIONS", headers: preflight, body: "forged" });
      assert.deepEqual([seen.method, seen.target, seen.values("host")], ["OPTIONS", "/v1/x", [HOST]]);
      assert.deepEqual([seen.values("origin"), seen.values(ASKED.toLowerCase())], [[PAGE], ["PUT"]]);
      assert.ok(!JSON.stringify(seen.lines).includes("forged"), JSON.stringify(seen.lines));
      if (name === "nginx") assert.equal(seen.text, "");

      const others = NO_PREFLIGHTS.map((headers) => ({ method: "OPTIONS", headers }));
      for (const method of ["GET", "POST", "OPTIONSX"]) others.push({ method, headers: [["Origin", PAGE], [ASKED, "PUT"]] });
      for (const { method, headers } of others) {
        const asked = await arrives({ method, headers: [...headers, ...carried] });
        assert.equal(asked.target, FORWARD_AUTH, `${method} ${JSON.stringify(headers)}`);
        assert.deepEqual([asked.values("x-forwarded-method"), asked.values("x-forwarded-host")], [[method], [HOST]]);
        assert.deepEqual([asked.values("keyward-verify-key"), asked.values("cf-connecting-ip"), asked.values(ASKED.toLowerCase())], [[ACME], [], []]);
      }
    });

    await t.test("Keyward's own paths are no way in", async () => {
      for (const target of ["/_keyward/v1/projects", "/_keyward/v1/forward-auth", "/_ask_keyward", "/_keyward/healthz"]) {
        stage.origin.forget();
        const answer = await call(target, { key: "plain" });
        assert.ok([404, 405].includes(answer.status), `${target}: ${answer.status}`);
        assert.deepEqual(stage.origin.requests, []);
      }
    });

    await t.test("when Keyward does not answer nobody is let through", async () => {
      await stage.gateway.kill();
      stage.origin.forget();
      const answer = await call("/v1/x", { key: "plain" });
      assert.ok([502, 503].includes(answer.status), String(answer.status));
      assert.deepEqual(stage.origin.requests, []);
    });
  });
}
