// Origins in Node.js, Python and Rust verify what the gateway sends, by others' libraries and as the
// documentation says; and each refuses every forged, stale or replayed assertion for its own reason.
import assert from "node:assert/strict";
import { createHmac, createPrivateKey, createPublicKey, hkdfSync, sign } from "node:crypto";
import { after, describe, test } from "node:test";
import { freePort } from "./harness/free-port.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { startPython } from "./harness/python.mjs";
import { decoded, ISSUER } from "./harness/signing.mjs";
import { startStage } from "./harness/stage.mjs";
import { startVerifying, withoutGo } from "./harness/verifying-origins.mjs";

const SHARED = "a-secret-that-gateway-and-origin-share-0123";
const python = await startPython();
const MISSING = { node: false, rust: false, python: python.skip, go: withoutGo };
const KINDS = Object.keys(MISSING);
const RUNNING = KINDS.filter((kind) => !MISSING[kind]);
const SIGNED = ["signed", "rust-signed", "rust-own"];

const route = (name, more) => `
[[route]]
path = "/${name}/**"
origin = "\${ORIGIN_${name.replace("-", "_").toUpperCase()}}"
${more}
`;
const HMAC = (keyId) => `signature = { algorithm = "hmac-sha256", secret = "SIGNING_SECRET", key_id = "${keyId}" }`;
const GATEWAY = `
[gateway]
issuer = "${ISSUER}"
${KINDS.map((name) => route(name, "assertion = true")).join("")}
${route("signed", HMAC("2026-11"))}
${route("rust-signed", `assertion = true\n${HMAC("keyward")}`)}
${route("rust-own", 'assertion = true\nsignature = { algorithm = "ed25519" }')}
[[route]]
path = "/record/**"
origin = "\${ORIGIN}"
assertion = true
signature = { algorithm = "ed25519" }
`;

const ports = Object.fromEntries(await Promise.all([...KINDS, ...SIGNED].map(async (name) => [name, await freePort()])));
const urlOf = (name) => `http://127.0.0.1:${ports[name]}`;
const vars = Object.fromEntries(Object.keys(ports).map((name) => [`ORIGIN_${name.replace("-", "_").toUpperCase()}`, urlOf(name)]));
const keys = { full: { kind: "private", owner: "Zoë", scopes: ["files:read"] } };
const stage = await startStage({ after }, { gateway: GATEWAY, keys, vars, credentials: { SIGNING_SECRET: SHARED } });
const settings = (name) => ({ ISSUER, AUDIENCE: urlOf(name), KEYS: `${stage.gateway.url}/_keyward/jwks.json`, KEYS_AT: `${stage.gateway.url}/_keyward/jwks.json` });
const origins = {};
for (const kind of RUNNING) origins[kind] = await startVerifying({ after }, kind, ports[kind], settings(kind), python);
origins.signed = await startVerifying({ after }, "signed", ports.signed, { ...settings("signed"), SIGNING_SECRET: SHARED });
origins["rust-signed"] = await startVerifying({ after }, "rust", ports["rust-signed"], { ...settings("rust-signed"), SIGNING_SECRET: SHARED });
origins["rust-own"] = await startVerifying({ after }, "rust", ports["rust-own"], { ...settings("rust-own"), SIGNED_BY: "gateway" });

/** The key of an entry of the secret, by the derivation that the documentation of the keyring gives. */
function keyOf(entry) {
  const ikm = Buffer.from(entry.split(":")[1], "base64url");
  const seed = Buffer.from(hkdfSync("sha256", ikm, "keyward/1", "keyward/assertion/1", 32));
  const kid = Buffer.from(hkdfSync("sha256", ikm, "keyward/1", "keyward/assertion-key-id/1", 16)).toString("base64url");
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return { kid, key: createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }) };
}

const own = keyOf(SECRETS.KEYWARD_SECRET);
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const header = (more) => ({ alg: "EdDSA", typ: "keyward-assertion+jwt", kid: own.kid, ...more });
const now = () => Math.floor(Date.now() / 1000);
const claims = (name, more) => ({ iss: ISSUER, aud: urlOf(name), sub: "key_1", project: "acme", environment: "live", kind: "private", iat: now(), exp: now() + 120, ...more });

/** A token with a true signature of a key. */
function token(head, payload, key = own.key) {
  const input = `${encoded(head)}.${encoded(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

function hs256(name) {
  const input = `${encoded(header({ alg: "HS256" }))}.${encoded(claims(name))}`;
  const secret = createPublicKey(own.key).export({ format: "jwk" }).x;
  return `${input}.${createHmac("sha256", Buffer.from(secret, "base64url")).update(input).digest("base64url")}`;
}

function tampered(name) {
  const [head, payload, signature] = token(header(), claims(name)).split(".");
  const { sub, ...others } = decoded(`${head}.${payload}.`).payload;
  assert.equal(sub, "key_1");
  return `${head}.${encoded({ sub: "key_2", ...others })}.${signature}`;
}

/** By name: the token for an origin, and the reason of each origin. */
const ATTACKS = {
  "none at all": [() => undefined, { node: "ERR_JWS_INVALID", python: "DecodeError", rust: "assertion_missing", go: "no assertion" }],
  "alg none": [(name) => `${encoded(header({ alg: "none" }))}.${encoded(claims(name))}.`, { node: "ERR_JOSE_ALG_NOT_ALLOWED", python: "InvalidAlgorithmError", rust: "assertion_algorithm", go: "another algorithm or purpose" }],
  "HS256 with the public key as its secret": [hs256, { node: "ERR_JOSE_ALG_NOT_ALLOWED", python: "InvalidAlgorithmError", rust: "assertion_algorithm", go: "another algorithm or purpose" }],
  "another purpose": [(name) => token(header({ typ: "JWT" }), claims(name)), { node: "ERR_JWT_CLAIM_VALIDATION_FAILED", python: "InvalidTokenError", rust: "assertion_type", go: "another algorithm or purpose" }],
  "a key that is not in the set": [(name) => token(header({ kid: "unknown" }), claims(name)), { node: "ERR_JWKS_NO_MATCHING_KEY", python: "PyJWKClientError", rust: "assertion_key_unknown", go: "not signed by the gateway" }],
  "the key of somebody else under the name of ours": [(name) => token(header(), claims(name), keyOf(`x:${"A".repeat(43)}`).key), { node: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", python: "InvalidSignatureError", rust: "assertion_signature", go: "not signed by the gateway" }],
  "tampered claims": [tampered, { node: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", python: "InvalidSignatureError", rust: "assertion_signature", go: "not signed by the gateway" }],
  "another issuer": [(name) => token(header(), claims(name, { iss: "https://evil.example" })), { node: "ERR_JWT_CLAIM_VALIDATION_FAILED", python: "InvalidIssuerError", rust: "assertion_issuer", go: "not for this origin" }],
  "another origin": [(name) => token(header(), claims(name, { aud: "https://other.example" })), { node: "ERR_JWT_CLAIM_VALIDATION_FAILED", python: "InvalidAudienceError", rust: "assertion_audience", go: "not for this origin" }],
  expired: [(name) => token(header(), claims(name, { iat: now() - 151, exp: now() - 31 })), { node: "ERR_JWT_EXPIRED", python: "ExpiredSignatureError", rust: "assertion_expired", go: "not valid now" }],
  "before its time, beyond the leeway": [(name) => token(header(), claims(name, { iat: now() + 60, exp: now() + 180 })), { node: "ERR_JWT_CLAIM_VALIDATION_FAILED", python: "ImmatureSignatureError", rust: "assertion_not_yet_valid", go: "not valid now" }],
};

/** A call that goes past the gateway: { status, code }, as the origin says or logs it. */
async function directly(kind, assertion, { path = "/x", method = "GET", headers = {} } = {}) {
  const before = origins[kind].log.length;
  const own = assertion === undefined ? {} : { "keyward-assertion": assertion };
  const answer = await fetch(urlOf(kind) + path, { method, headers: { ...own, ...headers } });
  const text = await answer.text();
  if (answer.headers.get("content-type") === "application/problem+json") {
    const problem = JSON.parse(text);
    assert.deepEqual([problem.status, answer.headers.get("www-authenticate")], [answer.status, "Keyward-Assertion"]);
    return { status: answer.status, code: problem.code };
  }
  for (let turn = 0; answer.status === 401 && turn < 40 && !origins[kind].log.slice(before).includes("\n"); turn += 1) await new Promise((done) => setTimeout(done, 25));
  return { status: answer.status, code: origins[kind].log.slice(before).match(/refused: (.+)/)?.[1], text };
}

for (const kind of KINDS) {
  describe(`an origin in ${kind}`, { skip: MISSING[kind] }, () => {
    test("lets in what the gateway sends, and knows who is calling", async () => {
      const answer = await stage.call(`/${kind}/`, { key: "full" });
      assert.equal(answer.status, 200, `${answer.text}\n${origins[kind].log}`);
      const { key_id: keyId, scopes } = answer.json();
      assert.deepEqual([keyId, scopes], [stage.created.full.key.id, ["files:read"]]);
      assert.equal((await directly(kind, token(header(), claims(kind)))).status, 200, "what the attacks below alter is good");
      assert.equal((await directly(kind, token(header(), claims(kind, { iat: now() + 20, exp: now() + 140 })))).status, 200, "within the leeway");
    });

    for (const [name, [make, reasons]] of Object.entries(ATTACKS)) {
      test(`refuses ${name}`, async () => {
        const { status, code } = await directly(kind, make(kind));
        assert.deepEqual([status, code], [401, reasons[kind]], origins[kind].log.slice(-500));
      });
    }

    test("refuses an assertion that another origin has received", async () => {
      const { seen } = await stage.passes("/record/x", { key: "full" });
      const { code, status } = await directly(kind, seen.values("keyward-assertion")[0]);
      assert.deepEqual([status, code], [401, ATTACKS["another origin"][1][kind]]);
    });
  });
}

describe("origins that demand a signature of each request", () => {
  for (const kind of SIGNED) {
    test(`${kind}: what the gateway sends is let in, whatever the target`, async () => {
      for (const target of ["/", "/a%20b/c?d=e&f='", "/x?"]) {
        const answer = await stage.call(`/${kind}${target}`, { key: "full" });
        assert.equal(answer.status, 200, `${target}: ${answer.text}`);
        assert.equal(answer.json().key_id, stage.created.full.key.id);
      }
      const digest = { "content-digest": "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:" };
      const posted = await stage.call(`/${kind}/`, { key: "full", method: "POST", body: '{"hello": "world"}', headers: digest });
      assert.equal(posted.status, 200, posted.text);
    });

    test(`${kind}: without one nothing is let in`, async () => {
      const { status, code } = await directly(kind, token(header(), claims(kind)));
      assert.equal(status, 401);
      if (kind !== "signed") assert.equal(code, "signature_missing");
    });
  }

  test("a request that another origin has received is refused", async () => {
    const { seen } = await stage.passes("/record/x", { key: "full" });
    const headers = Object.fromEntries(seen.lines.filter(([name]) => /^(keyward|signature)/i.test(name)).map(([name, value]) => [name.toLowerCase(), value]));
    const { "keyward-assertion": theirs, ...signed } = headers;
    const path = seen.target;
    assert.deepEqual(await directly("rust-own", theirs, { path, headers: signed }), { status: 401, code: "assertion_audience" });
    const ours = token(header(), claims("rust-own", { sub: stage.created.full.key.id }));
    assert.deepEqual(await directly("rust-own", ours, { path, headers: signed }), { status: 401, code: "signature_wrong" });
  });
});

test("a rotation refuses nothing: the retired key is known until its time, and opens nothing after that", async (t) => {
  const next = `b2:${Buffer.from("the-next-entry-of-the-secret-0123").toString("base64url")}`;
  const become = (secret) => stage.gateway.restart({ vars: { ORIGIN: stage.origin.url, ...vars, SIGNING_SECRET: SHARED, KEYWARD_SECRET: secret } });
  const pass = async () => {
    for (const kind of RUNNING) assert.equal((await stage.call(`/${kind}/`, { key: "full" })).status, 200, `${kind}: ${origins[kind].log.slice(-300)}`);
  };
  // The ports change with a restart, so origins that read the key set anew are told where it is.
  const renew = async () => {
    for (const kind of RUNNING) {
      await origins[kind].stop();
      origins[kind] = await startVerifying(t, kind, ports[kind], settings(kind), python);
    }
  };
  const believe = async (entry, expected) => {
    const { kid, key } = keyOf(entry);
    for (const kind of RUNNING) {
      const { status, code } = await directly(kind, token(header({ kid }), claims(kind), key));
      const unknown = ATTACKS["a key that is not in the set"][1][kind];
      assert.deepEqual([kind, status, code], [kind, ...(expected ? [200, undefined] : [401, unknown])]);
    }
  };
  const old = SECRETS.KEYWARD_SECRET;
  await become(`${next},${old}`);
  await pass();
  await renew();
  await pass();
  await stage.api.call("POST", "/projects/acme/republish");
  await new Promise((done) => setTimeout(done, 1500));

  const [id, key] = old.split(":");
  const until = now() + 20;
  const leaving = `${next},-${id}@${until}:${key}`;
  await become(leaving);
  await pass();
  await renew();
  // What the old key signed last is on its way, and what the new one signs is known already.
  await believe(old, true);
  await pass();
  await believe(next, true);
  while (now() < until) await new Promise((done) => setTimeout(done, 200));
  // Whoever keeps the set goes on with it: five minutes, in each example.
  await believe(old, true);
  await renew();
  await believe(old, false);
  await pass();

  await become(`${next},-${old}`);
  await renew();
  await believe(old, false);
  await pass();
});
