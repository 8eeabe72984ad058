// What peers got wrong with paths, queries and hosts (DESIGN.md, section 12): what was matched is what
// is forwarded, and nothing but the path is matched.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startRelay } from "./harness/relay.mjs";
import { startStage } from "./harness/stage.mjs";
import { startWireOrigin } from "./harness/wire-origin.mjs";

const GATEWAY = `
[[route]]
path = "/docs/**"
origin = "\${ORIGIN}"

[[route]]
path = "/admin/**"
origin = "\${ORIGIN}"

[[route]]
path = "/_KEYWARD/**"
origin = "\${ORIGIN}"

[[route]]
path = "/short/**"
strip_prefix = "/short"
origin = "\${ORIGIN}/base"

[[route]]
path = "/mirror/**"
strip_prefix = "/mirror"
origin = "\${RELAY}"

[[route]]
path = "/loose/**"
origin = "\${ORIGIN}"
allow_ambiguous_paths = true

[[route]]
host = "admin.example"
path = "/**"
origin = "\${ORIGIN}"
scopes = ["admin:write"]
`;

/** Raw targets that a key for `GET /docs/**` sends: the refusal, or what the origin sees. */
const TARGETS = [
  ["/docs/a", "/docs/a"],
  ["/docs/", "path_denied"],
  ["/docs/a/", "/docs/a/"],
  ["/%64ocs/%61", "/docs/a"],
  ["/docs/%c3%a9", "/docs/%C3%A9"],
  ["/docs/a%20b", "/docs/a%20b"],
  ["/docs/a:b@c,d+e=f&g!h$i'j(k)*", "/docs/a:b@c,d+e=f&g!h$i'j(k)*"],
  ["/admin/a", "path_denied"],
  ["/%61dmin/a", "path_denied"],
  ["/Docs/a", "route_unknown"],
  ["/docs", "route_unknown"],
  ["/docsx/a", "route_unknown"],
  ["/docs/../admin/a", "path_ambiguous"],
  ["/docs/%2e%2e/admin/a", "path_ambiguous"],
  ["/docs/.%2E/admin/a", "path_ambiguous"],
  ["/docs/..%2fadmin/a", "path_ambiguous"],
  ["/docs/..;/admin/a", "path_ambiguous"],
  ["/docs/..%3b/admin/a", "path_ambiguous"],
  ["/docs/..%5cadmin/a", "path_ambiguous"],
  ["/docs/..\\admin/a", "path_ambiguous"],
  ["/docs/%252e%252e/admin/a", "path_ambiguous"],
  ["/docs/..%20/admin/a", "path_ambiguous"],
  ["/docs/..%00/admin/a", "path_ambiguous"],
  ["/docs/a%0d%0ax", "path_ambiguous"],
  ["/docs/./a", "path_ambiguous"],
  ["/docs//a", "path_ambiguous"],
  ["//docs/a", "path_ambiguous"],
  ["/docs/a//", "path_ambiguous"],
  ["/docs/%c0%ae%c0%ae/admin", "path_ambiguous"],
  ["/docs/%u002e", "path_ambiguous"],
  ["/docs%2fa", "path_ambiguous"],
  ["/docs/a%2", "path_ambiguous"],
];

/** Queries as sent, and as the origin sees them where that differs. */
const QUERIES = [
  ["", ""],
  ["?", "?"],
  ["??", "??"],
  ["?a=1&&;=&", "?a=1&&;=&"],
  ["?%zz%41%e9+b", "?%zz%41%e9+b"],
  ["?a=/docs/../../admin//x;y\\z", "?a=/docs/../../admin//x;y\\z"],
  ["?~!$()*+,/:@[]{}|^`", "?~!$()*+,/:@[]{}|^`"],
  ["?a=%00%0d%0aX-Y:z", "?a=%00%0d%0aX-Y:z"],
  ["?KEY=1&Key=2&api_key=3", "?KEY=1&Key=2&api_key=3"],
  // The runtime's URL standard writes these two so, in every fetch; they mean the same.
  ["?it's", "?it%27s"],
  ["?\xc3\xa9", "?%C3%A9"],
];

test("section 12: paths", async (t) => {
  const relay = await startRelay(t);
  const origin = await startWireOrigin(t);
  const stage = await startStage(t, {
    gateway: GATEWAY,
    keys: { reader: { kind: "private", paths: ["GET /docs/**"] }, plain: { kind: "private" } },
    vars: { RELAY: relay.url },
    origin,
  });
  relay.to = stage.port;

  for (const [target, expected] of TARGETS) {
    await t.test(`CVE-2019-9901, CVE-2021-27306, CVE-2021-43557, CVE-2021-31920: ${target} is ${expected}`, async () => {
      if (!expected.startsWith("/")) return stage.refuses(expected, target, { key: "reader" });
      const { seen } = await stage.passes(target, { key: "reader" });
      assert.equal(seen.target, expected);
    });
  }

  for (const [query, expected] of QUERIES) {
    await t.test(`the query arrives byte for byte: ${query}`, async () => {
      const { seen } = await stage.passes(`/docs/a${query}`, { key: "reader" });
      assert.equal(seen.target, `/docs/a${expected}`);
    });
  }

  await t.test("CVE-2025-54576: the query never takes part in a path rule", async () => {
    for (const target of ["/admin/a?/docs/a", "/admin/a?x=/docs/a", "/admin/?/../docs/a", "/admin/a?#/docs/a"]) {
      await stage.refuses("path_denied", target, { key: "reader" });
    }
    await stage.passes("/docs/a?/../../admin/a", { key: "reader" });
  });

  await t.test("a prefix is stripped after the check, and what is left is what was checked", async () => {
    for (const [target, expected] of [["/short/x?y", "/base/x?y"], ["/short/", "/base/"], ["/short/%61/b", "/base/a/b"], ["/short/short/x", "/base/short/x"]]) {
      assert.equal((await stage.passes(target, { key: "plain" })).seen.target, expected);
    }
    for (const target of ["/short/../docs/a", "/short//x", "/short/%2e%2e/x"]) await stage.refuses("path_ambiguous", target, { key: "plain" });
  });

  await t.test("a route that takes ambiguous paths forwards the reading that it has matched", async () => {
    for (const [target, expected] of [["/loose/a/../b", "/loose/b"], ["/loose/a//b", "/loose/a//b"], ["/loose/a\\b", "/loose/a/b"], ["/loose/a%2fb;c", "/loose/a%2Fb;c"]]) {
      assert.equal((await stage.passes(target, { key: "plain" })).seen.target, expected);
    }
    await stage.refuses("path_ambiguous", "/loose/../docs/a", { key: "plain" });
    await stage.refuses("path_ambiguous", "/loose/../_keyward/v1/projects", { key: "plain" });
    await stage.refuses("path_denied", "/loose/a/../b", { key: "reader" });
  });

  await t.test("the Host header names a host and nothing of the path", async () => {
    for (const host of ["a.example/docs", "a.example?x", "a.example#x", "a.example\\docs", "a@b.example", "a b", "a.example, b.example", "a.example/_keyward/v1"]) {
      await stage.refuses("path_ambiguous", "/docs/a", { key: "plain", host });
    }
    await stage.refuses("path_ambiguous", "/docs/a", { key: "plain", headers: [["host", "a.example"], ["host", "b.example"]] });
  });

  await t.test("a host has one route, in whatever case it is written", async () => {
    for (const host of ["admin.example", "ADMIN.example", "Admin.Example:8080", "admin.example."]) {
      await stage.refuses("scope_missing", "/docs/a", { key: "plain", host, scope: "admin:write" });
    }
    await stage.passes("/docs/a", { key: "plain", host: "not-admin.example" });
  });

  const managing = [["authorization", `Bearer ${await stage.gateway.managementKey()}`]];
  await t.test("CVE-2022-24112: no route leads to the management API, on whatever way", async () => {
    const managed = await stage.call("/_keyward/v1/projects", { headers: managing });
    assert.equal(managed.status, 200, "the key itself is right");
    for (const [target, expected] of [
      ["/_KEYWARD/v1/projects", "/_KEYWARD/v1/projects"],
      ["/docs/_keyward/v1/projects", "/docs/_keyward/v1/projects"],
    ]) {
      assert.equal((await stage.passes(target, { key: "plain", headers: managing.map(() => ["x-a", "b"]) })).seen.target, expected);
    }
    for (const target of ["/docs/../_keyward/v1/projects", "//_keyward/v1/projects", "/_keyward%2fv1/projects", "/_keyward//v1/projects", "/./_keyward/v1/projects", "/_keyward\\v1\\projects"]) {
      await stage.refuses("path_ambiguous", target, { headers: managing });
    }
    for (const target of ["/_keyward", "/_keyward/", "/_keyward/v1", "/_keyward/v2/projects", "/_keyward/V1/projects"]) {
      await stage.refuses("endpoint_unknown", target, { headers: managing });
    }
  });

  await t.test("CVE-2022-24112: a route that leads back to the gateway itself ends there, before the management API", async () => {
    for (const target of ["/mirror/_keyward/v1/projects", "/mirror/_keyward/healthz"]) {
      const answer = await stage.call(target, { key: "plain" });
      assert.equal(answer.status, 508);
      assert.equal(answer.json().code, "loop_detected");
    }
    assert.ok(relay.connections > 0, "the call went round");
  });

  await t.test("CVE-2022-24112: a caller's key is none of the management API's, nor the other way round", async () => {
    for (const secret of [stage.keys.plain, stage.keys.reader]) {
      const answer = await stage.call("/_keyward/v1/projects", { headers: { authorization: `Bearer ${secret}` } });
      assert.deepEqual([answer.status, answer.json().code], [401, "key_invalid"]);
    }
    await stage.refuses("key_invalid", "/docs/a", { headers: managing });
  });

  await t.test("no secret is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
