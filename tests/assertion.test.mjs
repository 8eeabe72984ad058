// The origin receives a signed assertion of who is calling: jose verifies it, it is reused and renewed,
// nothing is sent without it, and the deployment's secret is rotated under it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "./harness/client.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { decoded, ISSUER, startSigning, verified } from "./harness/signing.mjs";

const GATEWAY = `
[gateway]
issuer = "${ISSUER}"

[[route]]
path = "/a/**"
origin = "\${ORIGIN}"
assertion = true

[[route]]
path = "/b/**"
origin = "\${ORIGIN}/base"
assertion = true

[[route]]
path = "/plain/**"
origin = "\${ORIGIN}"
`;

const keys = {
  full: { kind: "private", owner: 'Zoë "100%"', scopes: ["files:read", "chat:*"] },
  bare: { kind: "private" },
  page: { kind: "public", any_referrer: true },
};

const SECOND = 1000;

/** The assertion that the origin receives for one call. */
async function assertionOf(stage, target, options) {
  const { seen } = await stage.passes(target, options);
  const values = seen.values("keyward-assertion");
  assert.equal(values.length, 1);
  return values[0];
}

test("jose verifies who is calling, and for whom it was said", async (t) => {
  const stage = await startSigning(t, { gateway: GATEWAY, keys });
  const { payload, protectedHeader } = await verified(stage, await assertionOf(stage, "/a/x", { key: "full" }));
  const { iat, exp, ...claims } = payload;
  assert.equal(exp - iat, 120);
  assert.deepEqual(claims, {
    iss: ISSUER,
    aud: stage.origin.url,
    sub: stage.created.full.key.id,
    project: "acme",
    environment: "live",
    kind: "private",
    owner: 'Zoë "100%"',
    scopes: ["files:read", "chat:*"],
  });
  const [own, ...others] = (await stage.keySet()).keys;
  assert.deepEqual([protectedHeader, others], [{ alg: "EdDSA", typ: "keyward-assertion+jwt", kid: own.kid }, []]);
  const bare = await verified(stage, await assertionOf(stage, "/a/x", { key: "bare" }));
  assert.deepEqual(Object.keys(bare.payload).sort(), ["aud", "environment", "exp", "iat", "iss", "kind", "project", "sub"]);
  const page = await verified(stage, await assertionOf(stage, "/a/x", { key: "page" }));
  assert.equal(page.payload.kind, "public");
});

test("what a client sends under its name never arrives, with or without an own one", async (t) => {
  const stage = await startSigning(t, { gateway: GATEWAY, keys });
  for (const name of ["keyward-assertion", "Keyward_Assertion", "KEYWARD-ASSERTION"]) {
    const headers = [[name, "forged"], ["keyward-assertion", "forged too"]];
    const { seen } = await stage.passes("/a/x", { key: "bare", headers });
    assert.ok(!JSON.stringify(seen.lines).includes("forged"), name);
    assert.equal(seen.values("keyward-assertion").length, 1);
    const plain = await stage.passes("/plain/x", { key: "bare", headers });
    assert.deepEqual(plain.seen.lines.filter(([own]) => /keyward.assertion/i.test(own)), []);
  }
});

test("one is signed for a key and an origin, and another only when its time has come", async (t) => {
  const stage = await startSigning(t, { gateway: GATEWAY, keys });
  const { clock } = stage.gateway;
  await clock.stop();
  const first = await assertionOf(stage, "/a/x", { key: "bare" });
  assert.equal(await stage.signed(), 1);
  for (let call = 0; call < 20; call += 1) assert.equal(await assertionOf(stage, `/a/${call}`, { key: "bare" }), first);
  assert.equal(await assertionOf(stage, "/b/x", { key: "bare" }), first, "two routes to one origin share it");
  await stage.passes("/plain/x", { key: "bare" });
  assert.equal(await stage.signed(), 1, "a warm call signs nothing");
  assert.notEqual(await assertionOf(stage, "/a/x", { key: "full" }), first);
  assert.equal(await stage.signed(), 2);

  await clock.advance(60 * SECOND - 1);
  assert.equal(await assertionOf(stage, "/a/x", { key: "bare" }), first);
  assert.equal(await stage.signed(), 2);
  await clock.advance(1);
  assert.equal(await assertionOf(stage, "/a/x", { key: "bare" }), first, "the call that renews it does not wait");
  const second = await assertionOf(stage, "/a/x", { key: "bare" });
  assert.equal(await stage.signed(), 3);
  assert.equal(decoded(second).payload.iat - decoded(first).payload.iat, 60);

  await clock.advance(100 * SECOND);
  const third = await assertionOf(stage, "/a/x", { key: "bare" });
  assert.equal(decoded(third).payload.iat - decoded(second).payload.iat, 100, "one that might end on its way is not sent");
  await verified(stage, third);
  await clock.advance(-3600 * SECOND);
  await verified(stage, await assertionOf(stage, "/a/x", { key: "bare" }));
});

test("a change of the key is in the next assertion", async (t) => {
  const stage = await startSigning(t, { gateway: GATEWAY, keys });
  await assertionOf(stage, "/a/x", { key: "full" });
  const path = `/projects/acme/keys/${stage.created.full.key.id}`;
  await stage.api.call("PATCH", path, { owner: "another", scopes: ["files:read"] }, { "if-match": "*" });
  await stage.gateway.clock.advance(31 * SECOND);
  const { payload } = await verified(stage, await assertionOf(stage, "/a/x", { key: "full" }));
  assert.deepEqual([payload.owner, payload.scopes], ["another", ["files:read"]]);
});

test("nothing is sent without it: what cannot be signed is refused", async (t) => {
  const stage = await startSigning(t, { gateway: GATEWAY, keys });
  const { clock } = stage.gateway;
  await stage.breakSigning();
  await stage.refuses("internal_error", "/a/x", { key: "bare" });
  await stage.passes("/plain/x", { key: "bare" });
  await stage.mendSigning();
  const first = await assertionOf(stage, "/a/x", { key: "bare" });
  await stage.breakSigning();
  await clock.advance(70 * SECOND);
  assert.equal(await assertionOf(stage, "/a/x", { key: "bare" }), first, "one that holds goes on while its renewal fails");
  await clock.advance(31 * SECOND);
  await stage.refuses("internal_error", "/a/x", { key: "bare" });
  await stage.mendSigning();
  await verified(stage, await assertionOf(stage, "/a/x", { key: "bare" }));
  assert.ok(!stage.gateway.log.includes("broken by the test"));
});

test("the key set is public, may be kept for a while, and has no private half", async (t) => {
  const stage = await startSigning(t, { gateway: GATEWAY, keys });
  const answer = await request(stage.port, "/_keyward/jwks.json");
  assert.equal(answer.status, 200);
  assert.equal(answer.header("content-type"), "application/jwk-set+json");
  assert.equal(answer.header("cache-control"), "public, max-age=300");
  const { keys: set } = answer.json();
  assert.deepEqual(set.map((key) => Object.keys(key).sort()), [["alg", "crv", "kid", "kty", "use", "x"]]);
  const head = await request(stage.port, "/_keyward/jwks.json", { method: "HEAD" });
  assert.deepEqual([head.status, head.bytes.length], [200, 0]);
  assert.equal((await request(stage.port, "/_keyward/jwks.json", { method: "POST", body: "x" })).status, 405);
});

test("the deployment's secret is rotated, and no origin meets a key that it could not have known", async (t) => {
  const stage = await startSigning(t, { gateway: GATEWAY, keys });
  const old = SECRETS.KEYWARD_SECRET;
  const next = `b2:${Buffer.from("the-next-entry-of-the-secret-0123").toString("base64url")}`;
  const become = (secret) => stage.gateway.restart({ vars: { ORIGIN: stage.origin.url, KEYWARD_SECRET: secret } });
  const token = () => assertionOf(stage, "/a/x", { key: "bare" });

  const before = await stage.keySet();
  await verified(stage, await token(), before);
  await become(`${next},${old}`);
  const both = await stage.keySet();
  assert.equal(both.keys.length, 2);
  assert.deepEqual(both.keys[1], before.keys[0]);
  await verified(stage, await token(), before);
  await verified(stage, await token(), both);

  await stage.api.call("POST", "/projects/acme/republish");
  await new Promise((done) => setTimeout(done, 1000));
  const last = await token();
  await become(`${next},-${old}`);
  const after = await stage.keySet();
  assert.deepEqual(after.keys, [both.keys[0]]);
  await verified(stage, await token(), both);
  await verified(stage, await token(), after);
  await assert.rejects(verified(stage, last, after), { code: "ERR_JWKS_NO_MATCHING_KEY" });

  // Retired and not leaked: its key is listed until its time, and signs nothing.
  const until = Math.floor(stage.gateway.clock.now() / 1000) + 900;
  await become(`${next},-${old.replace(":", `@${until}:`)}`);
  const leaving = await stage.keySet();
  assert.deepEqual(leaving.keys, both.keys);
  await verified(stage, last, leaving);
  assert.equal(decoded(await token()).header.kid, both.keys[0].kid);
  await stage.gateway.clock.advance(901 * SECOND);
  assert.deepEqual((await stage.keySet()).keys, [both.keys[0]]);
});

test("a route that asserts needs an issuer, before a deployment and in a worker", async (t) => {
  await assert.rejects(startSigning(t, { gateway: GATEWAY.replace(/^issuer.*$/m, "") }), /route\[0\]\.assertion|names who makes it/);
  const stage = await startSigning(t, { gateway: GATEWAY.replace(ISSUER, "${ISSUER}"), vars: { ISSUER: "http://gate.example.com" } }).catch((error) => error);
  assert.match(String(stage.gateway?.log ?? stage), /config_invalid|500/);
});
