// What peers got wrong on the way to the origin (DESIGN.md, section 12): a loop ends, a credential
// that is not there is neither sent as text nor skipped, and a broken configuration proxies nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "./harness/client.mjs";
import { SECRETS, startKeyward } from "./harness/keyward.mjs";
import { startOrigin } from "./harness/origin.mjs";
import { assertRefusal } from "./harness/problem.mjs";
import { startRelay } from "./harness/relay.mjs";
import { startStage } from "./harness/stage.mjs";
import { startWireOrigin } from "./harness/wire-origin.mjs";

const PLAIN = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;

test("a loop through the gateway itself ends in 508 after one round", async (t) => {
  const relay = await startRelay(t);
  const stage = await startStage(t, {
    gateway: `${PLAIN}\n[[route]]\npath = "/round/**"\norigin = "\${RELAY}"\n[[route]]\npath = "/deeper/**"\nstrip_prefix = "/deeper"\norigin = "\${RELAY}"\n`,
    keys: { plain: { kind: "private" }, page: { any_referrer: true } },
    vars: { RELAY: relay.url },
  });
  relay.to = stage.port;
  for (const [target, call] of [
    ["/round/x", { key: "plain" }],
    ["/deeper/deeper/deeper/x", { key: "plain" }],
    ["/round/x", { key: "plain", method: "POST", body: "x".repeat(200_000) }],
    ["/round/x", { key: "plain", headers: { connection: "cdn-loop" } }],
    ["/round/x", { key: "plain", headers: { "cdn-loop": "other; v=1" } }],
    ["/round/x", { key: "page", headers: { origin: "https://app.example" } }],
  ]) {
    stage.origin.forget();
    const answer = await stage.call(target, call);
    assert.equal(answer.status, 508, answer.text);
    assert.equal(answer.json().code, "loop_detected");
    assert.deepEqual(stage.origin.requests, []);
  }
});

test("a request that says it has been here is refused, however it says it", async (t) => {
  const stage = await startStage(t, { gateway: PLAIN, keys: { plain: { kind: "private" } } });
  const { seen } = await stage.passes("/x", { key: "plain", headers: { "cdn-loop": "other; v=1", via: "1.1 proxy" } });
  const own = seen.values("cdn-loop")[0].split(", ").at(-1);
  assert.equal(seen.values("cdn-loop")[0], `other; v=1, ${own}`);
  assert.deepEqual(seen.values("via"), ["1.1 proxy"]);
  for (const headers of [
    [["cdn-loop", own]],
    [["CDN-Loop", `other; v=1, ${own}; v=2`]],
    [["cdn-loop", "other"], ["cdn-loop", own]],
    [["via", `1.1 ${own}`]],
    [["via", `1.0 fred, 1.1 ${own} (Keyward)`]],
  ]) {
    await stage.refuses("loop_detected", "/x", { key: "plain", headers });
    await stage.refuses("loop_detected", "/_keyward/healthz", { headers });
  }
  await stage.passes("/x", { key: "plain", headers: { "cdn-loop": `${own}x, x${own}` } });
});

/** Secrets that cannot be sent, and what a gateway that skips or prints them would send. */
const UNUSABLE = {
  "that is not set": {},
  "that is empty": { CREDENTIAL: "" },
  "with a line break from a careless paste": { CREDENTIAL: "first-half\nsecond-half" },
  "with a line break at its end": { CREDENTIAL: "whole-secret\r\n" },
  "with a NUL": { CREDENTIAL: "half\0half" },
  "beyond ASCII": { CREDENTIAL: "gehe\u00efm" },
};
for (const [name, credentials] of Object.entries(UNUSABLE)) {
  test(`APISIX: a secret ${name} is neither sent nor skipped: credential_unavailable`, async (t) => {
    const origin = await startWireOrigin(t);
    const gateway = ["header = \"authorization\", template = \"Bearer {secret}\"", "header = \"x-token\"", "query = \"token\""]
      .map((target, n) => `[[route]]\npath = "/${n}/**"\norigin = "\${ORIGIN}"\ncredential = { secret = "CREDENTIAL", ${target} }\n`)
      .join("\n");
    const stage = await startStage(t, { gateway, keys: { plain: { kind: "private" }, page: { any_referrer: true } }, vars: credentials, origin });
    for (const target of ["/0/x", "/1/x", "/2/x?token=mine"]) {
      for (const key of ["plain", "page"]) await stage.refuses("credential_unavailable", target, { key });
      await stage.refuses("credential_unavailable", target, { key: "plain", method: "POST", body: "x", headers: { authorization: "Basic eDp5" } });
    }
    for (const part of ["first-half", "whole-secret", "half", "gehe"]) assert.ok(!stage.gateway.log.includes(part));
  });
}

test("a credential replaces what the client sent in its place, in header and query", async (t) => {
  const CREDENTIAL = "a b+c/d&e=f%g";
  const gateway = `
[[route]]
path = "/header/**"
origin = "\${ORIGIN}"
key_in = ["header:x-api-key"]
credential = { secret = "CREDENTIAL", header = "Authorization", template = "Token t={secret}" }
[[route]]
path = "/query/**"
origin = "\${ORIGIN}"
credential = { secret = "CREDENTIAL", query = "token" }
`;
  const origin = await startWireOrigin(t);
  const stage = await startStage(t, { gateway, keys: { plain: { kind: "private" } }, credentials: { CREDENTIAL }, origin });
  const headers = [["authorization", "Basic eDp5"], ["Authorization", "Bearer mine"]];
  assert.deepEqual((await stage.passes("/header/x", { key: "plain", headers })).seen.values("authorization"), [`Token t=${CREDENTIAL}`]);
  const encoded = "a%20b%2Bc%2Fd%26e%3Df%25g";
  for (const [query, expected] of [
    ["", `?token=${encoded}`],
    ["?", `?&token=${encoded}`],
    ["?a=%zz&&b", `?a=%zz&&b&token=${encoded}`],
    ["?token=mine&a=1&%74oken=mine&token", `?a=1&token=${encoded}`],
  ]) {
    const { seen } = await stage.passes(`/query/x${query}`, { key: "plain" });
    assert.equal(seen.target, `/query/x${expected}`);
  }
  stage.assertNoSecret(stage.gateway.log);
});

test("a credential is not in the log when the origin is down", async (t) => {
  const CREDENTIAL = "the-origins-own-credential";
  const gateway = `[[route]]\npath = "/**"\norigin = "http://127.0.0.1:1"\ncredential = { secret = "CREDENTIAL", query = "token" }\n`;
  const stage = await startStage(t, { gateway, keys: { plain: { kind: "private" } }, credentials: { CREDENTIAL } });
  await stage.refuses("origin_unreachable", "/x", { key: "plain" });
  stage.assertNoSecret(stage.gateway.log);
});

/** Deployments that cannot work: the gateway's own variables, and the field that the log names. */
const BROKEN = {
  "a variable is not set": [{ ORIGIN: null }, "route[0].origin"],
  "an origin is no address": [{ ORIGIN: "not an address" }, "route[0].origin"],
  "an origin has another scheme": [{ ORIGIN: "ftp://127.0.0.1" }, "route[0].origin"],
  "an origin brings a password": [{ ORIGIN: "http://user:hunter2@127.0.0.1" }, "route[0].origin"],
  "the deployment's secret is not set": [{ KEYWARD_SECRET: null }, "KEYWARD_SECRET"],
  "the deployment's secret is none": [{ KEYWARD_SECRET: "hunter2" }, "KEYWARD_SECRET"],
};
for (const [name, [vars, field]] of Object.entries(BROKEN)) {
  test(`${name}: config_invalid, and nothing is ever proxied`, async (t) => {
    const origin = await startOrigin(t);
    const gateway = await startKeyward(t, { gateway: `${PLAIN}\n[[route]]\npath = "/fixed/**"\norigin = "${origin.url}"\n`, vars: { ORIGIN: origin.url, ...vars } });
    const page = "https://app.example";
    for (const target of ["/x", "/fixed/x", "/_keyward/healthz", "/_keyward/v1/projects"]) {
      for (const method of ["GET", "HEAD"]) {
        const headers = { origin: page, authorization: `Bearer ${SECRETS.KEYWARD_BOOTSTRAP_KEY}` };
        assertRefusal(await request(gateway.port, target, { method, headers }), "config_invalid", { method, page });
      }
    }
    const upload = await request(gateway.port, "/x", { method: "POST", body: "x".repeat(100_000) });
    assertRefusal(upload, "config_invalid");
    assert.deepEqual(origin.requests, []);
    assert.ok(gateway.log.includes(field), gateway.log);
    for (const value of [...Object.values(SECRETS), "hunter2", "not an address"]) assert.ok(!gateway.log.includes(value), "a value is in the log");
  });
}
