// What peers got wrong with decisions (DESIGN.md, section 12): each call is decided by itself, a key
// never grows, and an address is an address.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startStage } from "./harness/stage.mjs";

const PAGE = "https://app.example";
const OFFICE = "192.0.2.7";

const DOCS = `
[[route]]
path = "/docs/**"
origin = "\${ORIGIN}"
`;
const SCOPED = `
[[route]]
path = "/reports/**"
origin = "\${ORIGIN}"
scopes = ["reports:read"]
`;
/** What a later version of the deployment adds. */
const LATER = `
[[route]]
path = "/gemini/**"
origin = "\${ORIGIN}"
scopes = ["gemini:use"]

[[route]]
path = "/docs/new/**"
origin = "\${ORIGIN}"
scopes = ["docs:new"]
`;
/** Each is the configuration of one isolate; all have the same keys. */
const GATEWAYS = [DOCS + SCOPED, DOCS + SCOPED + LATER, `[gateway]\nclient_ip_header = "X-Edge-IP"\n${DOCS}`];

const KEYS = {
  plain: { kind: "private" },
  anywhere: { any_referrer: true },
  page: { referrers: [PAGE] },
  office: { kind: "private", ips: ["192.0.2.0/24"] },
  reader: { kind: "private", paths: ["GET /docs/**"] },
  scoped: { kind: "private", scopes: ["reports:read"] },
  all: { kind: "private", scopes: ["*:*"], paths: ["* /**"] },
  everyAddress: { kind: "private", ips: ["0.0.0.0/0", "::/0"] },
};

/** For each restriction a call that it allows and one that it refuses, both with the same warm key. */
const ALTERNATING = [
  ["referrer_denied", "page", ["/docs/a", { headers: { origin: PAGE } }], ["/docs/a", { headers: { origin: `${PAGE}.evil.example` }, page: `${PAGE}.evil.example` }]],
  ["referrer_denied", "page", ["/docs/a", { headers: { referer: `${PAGE}/x` } }], ["/docs/a", {}]],
  ["ip_denied", "office", ["/docs/a", { headers: { "cf-connecting-ip": OFFICE } }], ["/docs/a", { headers: { "cf-connecting-ip": "198.51.100.7" } }]],
  ["path_denied", "reader", ["/docs/a", {}], ["/reports/a", { scope: "reports:read" }]],
  ["path_denied", "reader", ["/docs/a", {}], ["/docs/a", { method: "DELETE" }]],
  ["private_key_in_browser", "plain", ["/docs/a", {}], ["/docs/a", { headers: { origin: PAGE }, page: PAGE }]],
  ["scope_missing", "plain", ["/docs/a", {}], ["/reports/a", { scope: "reports:read" }]],
];

/** What stands in the header of the client's address and is no address. */
const NO_ADDRESSES = [
  "010.0.0.1", "10.0.0.01", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1.2.3.4.", ".1.2.3.4", "0x0a.0.0.1", "0xa000001", "167772161", "1.2.3.4/32",
  "1.2.3.4:80", "[::1]", "::1%lo", "::ffff:1.2.3", "1::2::3", "12345::", "1.2.3.4, 5.6.7.8", "1.2.3.4,1.2.3.4", "1.2.3.4 x", "unknown",
  "localhost", "\xd9\xa1.2.3.4", "1.2.3.4%00", "-1.2.3.4", "+1.2.3.4", "1. 2.3.4", "", "2a06:98c0:3600::103", "2a06:98c0:3600:0:0:0:0:103",
];

test("section 12: decisions", async (t) => {
  const stage = await startStage(t, { gateway: GATEWAYS, isolates: GATEWAYS.length, keys: KEYS });

  await t.test("CVE-2026-35030: cache names carry the whole digest, so no other secret finds a warm record", async () => {
    await stage.passes("/docs/a", { key: "plain" });
    const { plain } = stage.keys;
    const other = (c) => (c === "a" ? "b" : "a");
    for (let at = "kw_sk_live_1".length; at < plain.length; at += 1) {
      await stage.refuses("key_invalid", "/docs/a", { key: plain.slice(0, at) + other(plain[at]) + plain.slice(at + 1) });
    }
    const names = stage.kv.store.names();
    assert.equal(new Set(names).size, Object.keys(KEYS).length);
    for (const name of names) assert.match(name, /^r\/a1\/[A-Za-z0-9_-]{43}$/, "256 bits in base64url");
  });

  for (const [code, key, allowed, refused] of ALTERNATING) {
    await t.test(`CVE-2021-32701: ${code} is decided on every call of a warm key`, async () => {
      for (let round = 0; round < 3; round += 1) {
        await stage.passes(allowed[0], { key, ...allowed[1] });
        const reads = stage.reads;
        await stage.refuses(code, refused[0], { key, ...refused[1] });
        assert.equal(stage.reads, reads, "the key was warm");
      }
    });
  }

  await t.test("Gemini's 2,863 keys: a new route and a new scope never widen a key that exists", async () => {
    const grown = stage.isolate(1);
    const scopes = { "/gemini/a": "gemini:use", "/docs/new/a": "docs:new" };
    for (const [target, scope] of Object.entries(scopes)) {
      for (const key of ["plain", "scoped"]) await grown.refuses("scope_missing", target, { key, scope });
      await grown.refuses("scope_missing", target, { key: "anywhere", headers: { origin: PAGE }, page: PAGE, scope });
    }
    await grown.refuses("path_denied", "/gemini/a", { key: "reader" });
    await grown.passes("/gemini/a", { key: "all" });
    await grown.passes("/docs/a", { key: "plain" });
  });

  await t.test("CVE-2025-61928: the subject of a new key never comes from the body", async () => {
    for (const field of [{ project: "globex" }, { id: "key_00000000000000000000" }, { key_id: "x" }, { secret: "kw_sk_live_1" }, { role: "admin" }]) {
      await assert.rejects(stage.api.createKey("acme", { name: "x", kind: "private", ...field }), (error) => error.status === 422);
    }
  });
  await t.test("CVE-2026-47101: no key of this version creates keys, whatever it may do elsewhere", async () => {
    await assert.rejects(stage.api.createKey("acme", { name: "x", kind: "management" }), (error) => error.status === 422);
    const headers = { authorization: `Bearer ${stage.keys.all}`, "content-type": "application/json" };
    const answer = await stage.call("/_keyward/v1/projects/acme/keys", { method: "POST", headers, body: '{"name":"x","kind":"private"}' });
    assert.deepEqual([answer.status, answer.json().code], [401, "key_invalid"]);
  });

  for (const address of NO_ADDRESSES) {
    await t.test(`CVE-2026-24398: ${JSON.stringify(address)} is no address`, () =>
      stage.refuses("ip_denied", "/docs/a", { key: "everyAddress", headers: { "cf-connecting-ip": address } }));
  }
  for (const address of ["1.2.3.4", "::1", "::ffff:1.2.3.4", "2001:DB8::1", "2001:db8:0:0:0:0:0:1"]) {
    await t.test(`CVE-2026-24398: ${address} is one`, () =>
      stage.passes("/docs/a", { key: "everyAddress", headers: { "cf-connecting-ip": address } }));
  }
  await t.test("CVE-2026-24398: two lines are no address, and the mapped form is the same address", async () => {
    const twice = [["cf-connecting-ip", OFFICE], ["CF-Connecting-IP", OFFICE]];
    await stage.refuses("ip_denied", "/docs/a", { key: "office", headers: twice });
    await stage.refuses("ip_denied", "/docs/a", { key: "office", headers: { "cf_connecting_ip": OFFICE } });
    await stage.passes("/docs/a", { key: "office", headers: { "cf-connecting-ip": `::ffff:${OFFICE}` } });
  });

  await t.test("the address is the platform's header alone, unless the deployment names another", async () => {
    const named = stage.isolate(2);
    const call = (headers) => ({ key: "office", headers });
    await named.passes("/docs/a", call({ "x-edge-ip": OFFICE, "cf-connecting-ip": "198.51.100.7" }));
    await named.refuses("ip_denied", "/docs/a", call({ "x-edge-ip": "198.51.100.7", "cf-connecting-ip": OFFICE }));
    await named.refuses("ip_denied", "/docs/a", call({ "cf-connecting-ip": OFFICE, "x-forwarded-for": OFFICE }));
  });

  await t.test("no secret is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
