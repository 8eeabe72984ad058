// Requests are signed by RFC 9421, as an independent library verifies: with the deployment's own key, and
// with a secret that gateway and origin share.
import assert from "node:assert/strict";
import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { test } from "node:test";
import { httpbis } from "http-message-signatures";
import { ISSUER, startSigning } from "./harness/signing.mjs";

const SHARED = "a-secret-that-gateway-and-origin-share-0123";

const GATEWAY = `
[gateway]
issuer = "${ISSUER}"

[[route]]
path = "/own/**"
origin = "\${ORIGIN}"
signature = { algorithm = "ed25519" }

[[route]]
path = "/both/**"
origin = "\${ORIGIN}"
assertion = true
signature = { algorithm = "ed25519" }

[[route]]
path = "/shared/**"
strip_prefix = "/shared"
origin = "\${ORIGIN}/base"
signature = { algorithm = "hmac-sha256", secret = "SIGNING_SECRET", key_id = "2026-11" }

[[route]]
path = "/unset/**"
origin = "\${ORIGIN}"
signature = { algorithm = "hmac-sha256", secret = "NEVER_SET" }

[[route]]
path = "/short/**"
origin = "\${ORIGIN}"
signature = { algorithm = "hmac-sha256", secret = "SHORT_SECRET" }

[[route]]
path = "/plain/**"
origin = "\${ORIGIN}"
`;

const keys = { full: { kind: "private", owner: "Zoë", scopes: ["files:read", "chat:*"] }, bare: { kind: "private" } };
const start = (t) => startSigning(t, { gateway: GATEWAY, keys, credentials: { SIGNING_SECRET: SHARED, SHORT_SECRET: "x".repeat(31) } });

/** What the library says of a request that the origin has seen; `change` alters it before. */
async function judged(stage, seen, change = (message) => message) {
  const { keys: set } = await stage.keySet();
  const headers = {};
  for (const [name, value] of seen.lines) (headers[name.toLowerCase()] ??= []).push(value);
  const message = change({ method: seen.method, url: stage.origin.url + seen.target, headers });
  const keyLookup = async ({ keyid }) => {
    if (keyid === "2026-11") return { id: keyid, algs: ["hmac-sha256"], verify: async (data, signature) => equal(createHmac("sha256", SHARED).update(data).digest(), signature) };
    const jwk = set.find(({ kid }) => kid === keyid);
    return jwk && { id: keyid, algs: ["ed25519"], verify: async (data, signature) => verify(null, data, createPublicKey({ key: jwk, format: "jwk" }), signature) };
  };
  const notAfter = new Date(stage.gateway.clock.now());
  const requiredFields = ["@method", "@authority", "@path", "@query", "keyward-key-id", "keyward-project", "keyward-environment", "keyward-kind"];
  return httpbis.verifyMessage({ keyLookup, notAfter, tolerance: 5, requiredFields, requiredParams: ["created", "expires", "nonce", "keyid", "alg", "tag"], all: true }, message);
}

const equal = (one, other) => one.length === other.length && timingSafeEqual(one, other);
const input = (seen) => seen.values("signature-input")[0];
const covered = (seen) => [...input(seen).match(/^keyward=\(([^)]*)\)/)[1].matchAll(/"([^"]+)"/g)].map(([, name]) => name);

test("an independent library verifies both algorithms, whatever the target looks like", async (t) => {
  const stage = await start(t);
  for (const route of ["/own", "/both", "/shared"]) {
    for (const target of ["/x", "/", "/a%20b/%C3%A9", "/x?", "/x?a=1&a=2&b=%7C%27", "/x?q='|{}^`~!*();:@,[]\\", "/x?%zz&&==", '/x"^{}|~!$&()*+,=:@', "/x?a?b/c"]) {
      const { seen } = await stage.passes(route + target, { key: "full" });
      assert.equal(await judged(stage, seen), true, `${route}${target}: ${seen.target} ${input(seen)}`);
    }
  }
});

test("every method and the identity headers are covered, and no two signatures are the same", async (t) => {
  const stage = await start(t);
  const nonces = new Set();
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
    const { seen } = await stage.passes("/own/x", { key: "bare", method });
    assert.equal(await judged(stage, seen), true, method);
    assert.deepEqual(covered(seen), ["@method", "@authority", "@path", "@query", "keyward-key-id", "keyward-project", "keyward-environment", "keyward-kind"]);
    nonces.add(input(seen).match(/nonce="(\w+)"/)[1]);
  }
  assert.equal(nonces.size, 8);
  const { seen } = await stage.passes("/both/x", { key: "full" });
  const identity = seen.lines.map(([name]) => name.toLowerCase()).filter((name) => name.startsWith("keyward-") && name !== "keyward-assertion");
  assert.deepEqual(covered(seen).slice(4).sort(), identity.sort());
  assert.equal(identity.length, 6);
});

test("a digest of the body is covered where the client sends one", async (t) => {
  const stage = await start(t);
  const body = "hello";
  const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  for (const route of ["/own/x", "/shared/x"]) {
    const { seen } = await stage.passes(route, { key: "bare", method: "POST", body, headers: { "content-digest": digest } });
    assert.ok(covered(seen).includes("content-digest"));
    assert.equal(seen.text, body);
    assert.equal(await judged(stage, seen), true);
    const other = await judged(stage, seen, (message) => ({ ...message, headers: { ...message.headers, "content-digest": [digest.replace(/.:$/, "A:")] } }));
    assert.equal(other, false);
    const twice = await stage.passes(route, { key: "bare", method: "POST", body, headers: [["content-digest", digest], ["Content-Digest", "unixsum=1"]] });
    assert.equal(await judged(stage, twice.seen), true);
    const named = await stage.passes(route, { key: "bare", method: "POST", body, headers: [["content-digest", digest], ["connection", "content-digest"]] });
    assert.ok(!covered(named.seen).includes("content-digest"));
    assert.deepEqual(named.seen.values("content-digest"), []);
  }
});

test("a client's own signature and every twin of a covered header are removed, where the route signs", async (t) => {
  const stage = await start(t);
  const headers = [
    ["signature-input", 'keyward=("@method");created=1'],
    ["signature", "keyward=:AAAA:"],
    ["Signature_Input", "forged"],
    ["SIGNATURE", "forged"],
    ["content_digest", "forged"],
    ["keyward_key_id", "forged"],
  ];
  for (const route of ["/own/x", "/shared/x"]) {
    const { seen } = await stage.passes(route, { key: "bare", headers });
    assert.ok(!JSON.stringify(seen.lines).match(/forged|AAAA|created=1"/), JSON.stringify(seen.lines));
    assert.deepEqual([seen.values("signature").length, seen.values("signature-input").length], [1, 1]);
    assert.equal(await judged(stage, seen), true);
  }
  const { seen } = await stage.passes("/plain/x", { key: "bare", headers: headers.slice(0, 2) });
  assert.deepEqual(seen.values("signature"), ["keyward=:AAAA:"], "elsewhere it is the client's own affair");
});

test("nothing is sent unsigned", async (t) => {
  const stage = await start(t);
  await stage.refuses("credential_unavailable", "/unset/x", { key: "bare" });
  await stage.refuses("credential_unavailable", "/short/x", { key: "bare" });
  await stage.breakSigning();
  await stage.refuses("internal_error", "/own/x", { key: "bare" });
  await stage.refuses("internal_error", "/both/x", { key: "bare" });
  await stage.passes("/shared/x", { key: "bare" });
  await stage.mendSigning();
  await stage.passes("/both/x", { key: "bare" });
});

test("an altered request, another one's signature, and components that were dropped, doubled or moved are refused", async (t) => {
  const stage = await start(t);
  for (const route of ["/own", "/shared"]) {
    const { seen } = await stage.passes(`${route}/x?a=1`, { key: "full" });
    const { seen: other } = await stage.passes(`${route}/y?a=1`, { key: "bare" });
    const altered = (change) => judged(stage, seen, (message) => {
      const copy = structuredClone(message);
      change(copy);
      return copy;
    }).catch((error) => error.message);
    const rewrite = (pattern, replacement) => ({ headers }) => {
      const before = headers["signature-input"][0];
      headers["signature-input"] = [before.replace(pattern, replacement)];
      assert.notEqual(headers["signature-input"][0], before);
    };
    const attacks = {
      "another method": (message) => void (message.method = "DELETE"),
      "another path": (message) => void (message.url = message.url.replace("/x", "/z")),
      "another query": (message) => void (message.url = message.url.replace("a=1", "a=2")),
      "another host": (message) => void (message.url = message.url.replace("127.0.0.1", "127.0.0.2")),
      "another key id": ({ headers }) => void (headers["keyward-key-id"] = ["key_another"]),
      "another owner": ({ headers }) => void (headers["keyward-owner"] = ["another"]),
      "another one's signature": ({ headers }) => void (headers.signature = other.values("signature")),
      "another one's input": ({ headers }) => void (headers["signature-input"] = other.values("signature-input")),
      "another one's both": ({ headers }) => Object.assign(headers, { signature: other.values("signature"), "signature-input": other.values("signature-input") }),
      "a component dropped": rewrite('"keyward-scopes"', ""),
      "a required component dropped": rewrite('"@path" ', ""),
      "components moved": rewrite('"@method" "@authority"', '"@authority" "@method"'),
      "a component doubled": rewrite('"@method"', '"@method" "@method"'),
      "another time": rewrite(/created=\d+/, (text) => `created=${Number(text.slice(8)) + 1}`),
    };
    for (const [name, change] of Object.entries(attacks)) assert.notEqual(await altered(change), true, `${route}: ${name}`);
    assert.equal(await altered(() => {}), true);
  }
});
