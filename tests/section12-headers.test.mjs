// What peers got wrong with headers (DESIGN.md, section 12): a client's header switches nothing off,
// names nothing, forges nothing, and takes nothing of ours away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startStage } from "./harness/stage.mjs";
import { startWireOrigin } from "./harness/wire-origin.mjs";

const CREDENTIAL = "the-origins-own-credential";
const GATEWAY = `
[[route]]
path = "/docs/**"
origin = "\${ORIGIN}"
credential = { secret = "CREDENTIAL", header = "x-origin-key" }

[[route]]
path = "/admin/**"
origin = "\${ORIGIN}"
scopes = ["admin:write"]

[[route]]
host = "admin.example"
path = "/**"
origin = "\${ORIGIN}"
`;

const KEYS = {
  plain: { kind: "private" },
  owned: { kind: "private", owner: "Zoë", scopes: ["docs:read"] },
  page: { referrers: ["https://app.example"] },
  office: { kind: "private", ips: ["192.0.2.0/24"] },
  reader: { kind: "private", paths: ["GET /docs/**"] },
};

/** Headers by which other gateways let a client choose. Each names what would be allowed. */
const SWITCHES = {
  "x-forwarded-host": "admin.example",
  "x-forwarded-server": "admin.example",
  "x-original-host": "admin.example",
  "x-host": "admin.example",
  "x-forwarded-proto": "https",
  "x-forwarded-scheme": "https",
  "x-forwarded-port": "443",
  "x-forwarded-prefix": "/docs",
  "x-forwarded-uri": "/docs/a",
  "x-forwarded-path": "/docs/a",
  "x-forwarded-method": "GET",
  "x-forwarded-for": "192.0.2.1",
  "x-real-ip": "192.0.2.1",
  "x-client-ip": "192.0.2.1",
  "true-client-ip": "192.0.2.1",
  "cf-connecting-ipv6": "192.0.2.1",
  "x-cluster-client-ip": "192.0.2.1",
  forwarded: 'for=192.0.2.1;host="admin.example";proto=https',
  "x-original-url": "/docs/a",
  "x-original-uri": "/docs/a",
  "x-rewrite-url": "/docs/a",
  "x-envoy-original-path": "/docs/a",
  "x-auth-request-redirect": "/docs/a",
  "x-http-method-override": "GET",
  "x-http-method": "GET",
  "x-method-override": "GET",
  "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware",
  "x-forwarded-origin": "https://app.example",
  "x-referer": "https://app.example/",
  "keyward-project": "globex",
  "keyward-kind": "public",
  "keyward-scopes": "admin:write",
  "keyward-verify-key": "anything",
};

/** What is refused, whatever else a client sends. */
const REFUSED = [
  ["route_unknown", "/nowhere", { key: "plain" }],
  ["key_missing", "/docs/a", {}],
  ["scope_missing", "/admin/a", { key: "plain", scope: "admin:write" }],
  ["referrer_denied", "/docs/a", { key: "page" }],
  ["ip_denied", "/docs/a", { key: "office" }],
  ["ip_denied", "/docs/a", { key: "office", headers: { "cf-connecting-ip": "198.51.100.1" } }],
  ["path_denied", "/docs/a", { key: "reader", method: "POST" }],
  ["path_denied", "/admin/a", { key: "reader" }],
];

test("section 12: headers", async (t) => {
  const origin = await startWireOrigin(t);
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS, credentials: { CREDENTIAL }, origin });
  const { plain, page } = stage.keys;

  for (const [name, value] of Object.entries(SWITCHES)) {
    await t.test(`CVE-2025-29927, CVE-2026-40575, CVE-2026-49468: ${name} switches nothing and names nothing`, async () => {
      for (const [code, target, call] of REFUSED) await stage.refuses(code, target, { ...call, headers: { ...call.headers, [name]: value } });
      const { seen } = await stage.passes("/docs/b?c", { key: "plain", method: "PUT", body: "x", headers: { [name]: value } });
      assert.deepEqual([seen.method, seen.target], ["PUT", "/docs/b?c"]);
      assert.deepEqual(seen.values("keyward-project"), ["acme"]);
    });
  }

  const identity = { "keyward-key-id": stage.created.plain.key.id, "keyward-project": "acme", "keyward-environment": "live", "keyward-kind": "private" };
  const ours = { ...identity, "x-origin-key": CREDENTIAL };
  const assertOnlyOurs = (seen) => {
    const twin = (name) => name.toLowerCase().replaceAll("_", "-");
    const claimed = seen.lines.map(([name, value]) => [twin(name), value]).filter(([name]) => /^(keyward-|x-origin-key$|x-api-key$)/.test(name));
    assert.deepEqual(claimed.sort(), Object.entries(ours).sort());
  };

  await t.test("CVE-2025-64484, CVE-2026-52845: every copy and spelling of an identity, key or credential header goes", async () => {
    const names = [
      ["Keyward-Key-Id", "keyward_key_id", "KEYWARD_KEY_ID", "Keyward_Key-Id", "keyward-key_id", "Keyward-Key-Id"],
      ["Keyward-Project", "keyward_project", "Keyward_Anything", "keyward-assertion", "keyward_", "keyward-"],
      ["X_Api_Key", "x_api-key", "X-Api_Key", "x_API_key"],
      ["X-Origin-Key", "x_origin_key", "X_Origin-Key", "X-ORIGIN-KEY"],
    ].flat();
    const { seen } = await stage.passes("/docs/a", { key: "plain", headers: names.map((name) => [name, "forged"]) });
    assertOnlyOurs(seen);
    assert.ok(!seen.head.includes("forged"), seen.head);
  });

  await t.test("CVE-2026-30851: an absent identity value leaves no header", async () => {
    const forged = { "keyward-owner": "boss", "keyward-scopes": "admin:write", "keyward-assertion": "e30.e30." };
    const { seen } = await stage.passes("/docs/a", { key: "plain", headers: forged });
    assertOnlyOurs(seen);
    const owned = await stage.passes("/docs/a", { key: "owned", headers: forged });
    assert.deepEqual(owned.seen.values("keyward-owner"), ["Zo%C3%AB"]);
    assert.deepEqual(owned.seen.values("keyward-scopes"), ["docs:read"]);
  });

  await t.test("CVE-2024-45410, CVE-2025-48865: Connection takes away nothing of ours, and all that is of the connection", async () => {
    const named = [...Object.keys(ours), "x-api-key", "cdn-loop", "X-Hop"];
    const hops = { "x-hop": "1", "keep-alive": "1", te: "trailers", trailer: "x", "proxy-authorization": "x", "proxy-connection": "x", upgrade: "h2c" };
    for (const connections of [[named.join(", ")], named, [named.join(",").toUpperCase(), "close"]]) {
      const headers = [...connections.map((value) => ["connection", value]), ...Object.entries(hops)];
      const { seen } = await stage.passes("/docs/a", { key: "plain", headers });
      assertOnlyOurs(seen);
      assert.equal(seen.values("cdn-loop").length, 1);
      for (const name of Object.keys(hops)) assert.deepEqual(seen.values(name), [], name);
      assert.ok(!seen.values("connection").join().includes("keyward"), "the origin's own server would take them away");
    }
  });

  for (const [name, referer, expected] of [
    ["in the query", (key) => `https://app.example/page?key=${key}&x=1`, ["https://app.example/"]],
    ["in the path", (key) => `https://app.example:8443/${key}/x`, ["https://app.example:8443/"]],
    ["in the fragment", (key) => `https://app.example#${key}`, ["https://app.example/"]],
    ["as a password", (key) => `https://user:${key}@app.example/x`, []],
    ["as the host", (key) => `https://${key}.app.example/x`, []],
    ["in no address at all", (key) => key, []],
    ["nowhere", () => "https://app.example/page?x=1", ["https://app.example/page?x=1"]],
  ]) {
    await t.test(`a Referer with the key ${name} arrives as ${expected[0] ?? "nothing"}`, async () => {
      const { seen } = await stage.passes("/docs/a", { key: "plain", headers: { referer: referer(plain) } });
      assert.deepEqual(seen.values("referer"), expected);
    });
  }

  await t.test("the key goes from every other place where it stands", async () => {
    const headers = [["authorization", `Bearer ${plain}`], ["cookie", `a=1; key=${plain}`], ["x-debug", `<${plain}>`], ["x-kept", "kept"]];
    const { seen } = await stage.passes(`/docs/a?x=1&key=${plain}&k=%22${plain.replaceAll("_", "%5F")}%22&y`, { key: "plain", headers });
    assert.equal(seen.target, "/docs/a?x=1&y");
    assert.ok(!seen.head.includes(plain), seen.head);
    assert.deepEqual(seen.values("x-kept"), ["kept"]);
  });

  await t.test("a key is never read from a cookie or a body", async () => {
    for (const name of ["x-api-key", "key", "authorization", "X-API-Key"]) {
      await stage.refuses("key_missing", "/docs/a", { headers: { cookie: `${name}=${plain}` } });
      const json = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ [name]: plain }) };
      const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: `${name}=${plain}` };
      for (const call of [json, form]) await stage.refuses("key_missing", "/docs/a", call);
    }
  });

  await t.test("duplicate lines arrive joined: a key with a comma is refused and never split", async () => {
    for (const [first, second] of [[plain, plain], [plain, page], ["", plain], [plain, ""], ["x", plain]]) {
      await stage.refuses("key_ambiguous", "/docs/a", { headers: [["x-api-key", first], ["X-Api-Key", second]] });
    }
  });

  await t.test("a wrong key in one place is not helped by a right one in another", async () => {
    await stage.refuses("key_ambiguous", "/docs/a", { key: "plain", headers: { authorization: "Bearer wrong" } });
    await stage.refuses("key_ambiguous", "/docs/a", { key: "wrong", headers: { authorization: `Bearer ${plain}` } });
    await stage.passes("/docs/a", { key: "plain", headers: { authorization: "Bearer " } });
  });

  await t.test("no secret is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
