// Derived keys in real workerd: what they may do, whom they serve, and every way in which one is
// forged, widened or outlived. None of those reaches the origin.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { derive } from "../clients/derive.mjs";
import { eventually, ManagementClient, recordsOf } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** Isolate memory serves no record that is older. */
const STALE = 30_001;
const PAGE = "https://shop.example";

const GATEWAY = `
[[route]]
path = "/v1/**"
origin = "\${ORIGIN}"
accepts = ["public", "private", "derived"]

[[route]]
path = "/scoped/**"
origin = "\${ORIGIN}"
accepts = ["public", "private", "derived"]
scopes = ["orders:read"]

[[route]]
path = "/servers/**"
origin = "\${ORIGIN}"
accepts = ["public", "private"]

[[route]]
path = "/pages/**"
origin = "\${ORIGIN}"
accepts = ["derived"]

[[route]]
path = "/testing/**"
origin = "\${ORIGIN}"
accepts = ["public", "private", "derived"]
environments = ["test"]

[[route]]
path = "/globex/**"
origin = "\${ORIGIN}"
accepts = ["public", "private", "derived"]
projects = ["globex"]

[[route]]
path = "/legacy/**"
origin = "\${ORIGIN}"
accepts = ["public", "private", "derived"]
imported_keys = true
key_in = ["bearer", "header:x-api-key", "query:key"]
`;

const stage = await startStage({ after }, { gateway: GATEWAY, clock: true });
const { clock } = stage.gateway;
await clock.stop();
const api = new ManagementClient(stage.gateway);
let serial = 0;

/** A private key in a project of its own: { key, secret, path, project }. */
async function made(fields) {
  const project = `p${(serial += 1)}`;
  await api.project(project);
  const { key, secret } = await api.key(project, fields);
  return { key, secret, project, path: `/projects/${project}/keys/${key.id}` };
}

const derived = (secret, fields) => derive(secret, { now: clock.now(), ...fields });
const passes = (key, target = "/v1/x", options) => stage.passes(target, { key, ...options });
const refuses = (code, key, target = "/v1/x", options) => stage.refuses(code, target, { key, ...options });
const one = ({ seen }, name) => seen.values(name)[0];

/** A call that is over the limit of this name, before the origin sees anything of it. */
async function over(key, limit) {
  stage.origin.forget();
  const answer = await stage.call("/v1/x", { key });
  const problem = answer.json();
  assert.deepEqual([answer.status, problem.code, problem.limit, stage.origin.requests], [429, "rate_limited", limit, []], answer.text);
  assert.match(answer.header("ratelimit"), new RegExp(`"${limit}";r=0;t=${answer.header("retry-after")}`));
}

describe("a derived key", () => {
  test("passes with its parent's identity and its own user, and is not seen by the origin", async () => {
    const { key, secret } = await made({ owner: "ann", scopes: ["orders:*"] });
    const token = await derived(secret, { user: "Zoë 7%", scopes: ["orders:read"] });
    const answer = await passes(token);
    const identity = ["key-id", "kind", "owner", "scopes", "user", "environment"].map((name) => one(answer, `keyward-${name}`));
    assert.deepEqual(identity, [key.id, "derived", "ann", "orders:read", "Zo%C3%AB 7%25", "live"]);
    assert.ok(!JSON.stringify(answer.seen).includes(token));
    const plain = await passes(await derived(secret));
    assert.deepEqual([one(plain, "keyward-user"), one(plain, "keyward-scopes")], [undefined, "orders:*"]);
    const parent = await passes(secret);
    assert.deepEqual([one(parent, "keyward-kind"), one(parent, "keyward-user")], ["private", undefined]);
  });

  test("needs one read of KV for the parent, and no write; warm it needs none", async () => {
    const { secret } = await made();
    await clock.advance(STALE);
    const writes = stage.kv.recorded("put").length;
    const before = stage.reads;
    for (let count = 0; count < 5; count += 1) await passes(await derived(secret, { user: `user-${count}` }));
    assert.equal(stage.reads - before, 1);
    await passes(secret);
    assert.equal(stage.reads - before, 1, "the parent's own call uses the same record");
    assert.equal(stage.kv.recorded("put").length, writes);
  });

  test("has no header that overrides what is sealed in it", async () => {
    const { key, secret } = await made();
    const token = await derived(secret, { user: "ann" });
    const headers = { "keyward-user": "admin", keyward_user: "admin", "Keyward-Key-Id": "key_x", "keyward-kind": "private", "keyward-scopes": "*:*", "keyward-expires-at": "9" };
    const { seen } = await passes(token, "/v1/x?user=admin", { headers });
    assert.deepEqual(seen.values("keyward-user"), ["ann"]);
    assert.deepEqual(seen.values("keyward-key-id"), [key.id]);
    assert.deepEqual(seen.values("keyward-kind"), ["derived"]);
    assert.deepEqual([seen.values("keyward-scopes"), seen.values("keyward_user"), seen.values("keyward-expires-at")], [[], [], []]);
  });

  test("works in pages, whose origin its referrer rules name, and only there", async () => {
    const { secret } = await made();
    const anywhere = await derived(secret);
    const headers = { origin: PAGE, "sec-fetch-site": "cross-site", cookie: "a=b" };
    const answer = await passes(anywhere, "/v1/x", { headers });
    assert.equal(answer.header("access-control-allow-origin"), PAGE);
    assert.equal(answer.header("vary"), "Origin");
    assert.deepEqual(answer.seen.values("cookie"), [], "as for public keys");
    const bound = await derived(secret, { referrers: [PAGE] });
    assert.equal((await passes(bound, "/v1/x", { headers })).header("access-control-allow-origin"), PAGE);
    await refuses("referrer_denied", bound, "/v1/x", { headers: { origin: "https://evil.example" }, page: "https://evil.example" });
    await refuses("referrer_denied", bound);
    await refuses("private_key_in_browser", secret, "/v1/x", { headers: { origin: PAGE }, page: PAGE });
  });

  test("is held to its own paths, addresses and scopes, and to its parent's", async () => {
    const { secret } = await made({ paths: ["GET /v1/**", "GET /scoped/**"], scopes: ["orders:read", "cart:write"] });
    const paths = await derived(secret, { paths: ["GET /v1/orders/*"] });
    await passes(paths, "/v1/orders/7");
    await refuses("path_denied", paths, "/v1/x");
    await refuses("path_denied", await derived(secret), "/pages/x");
    const ip = { "cf-connecting-ip": "192.0.2.7" };
    const ips = await derived(secret, { ips: ["192.0.2.0/24"] });
    await passes(ips, "/v1/x", { headers: ip });
    await refuses("ip_denied", ips, "/v1/x", { headers: { "cf-connecting-ip": "198.51.100.7" } });
    await refuses("ip_denied", ips);
    await passes(await derived(secret, { scopes: ["orders:read"] }), "/scoped/x");
    await passes(await derived(secret), "/scoped/x");
    await refuses("scope_missing", await derived(secret, { scopes: ["cart:write"] }), "/scoped/x", { scope: "orders:read" });
  });

  test("spends its parent's limits exactly, and its own beside them", async () => {
    const { secret } = await made({ limits: { rate: [{ limit: 5, window_s: 3600 }] } });
    const own = await derived(secret, { user: "a", limit: { calls: 2, window_s: 60 } });
    for (let count = 0; count < 2; count += 1) await passes(own);
    await over(own, "derived");
    const other = await derived(secret, { user: "b" });
    for (let count = 0; count < 2; count += 1) await passes(other);
    await passes(secret);
    for (const key of [other, secret]) await over(key, "3600s");
    await over(own, "derived");
    await clock.advance(70_000);
    await over(own, "3600s");
  });

  test("counts in its parent's usage, what is refused of it as well", async () => {
    const { secret, path } = await made({ scopes: ["orders:read"] });
    for (const user of ["a", "b"]) await passes(await derived(secret, { user }));
    await refuses("wider_than_parent", await derived(secret, { scopes: ["cart:write"] }));
    await eventually(async () => {
      const { total } = await api.must("GET", `${path}/usage`);
      assert.deepEqual([total.calls, total.refused], [2, { wider_than_parent: 1 }]);
    }, 20_000);
  });

  test("is taken only where a route accepts derived keys, and never from a query", async () => {
    const { secret } = await made();
    const token = await derived(secret);
    await passes(token, "/pages/x");
    await refuses("kind_not_accepted", secret, "/pages/x");
    await refuses("kind_not_accepted", token, "/servers/x");
    stage.origin.forget();
    const answer = await stage.call(`/legacy/x?key=${token}`);
    assert.deepEqual([answer.json().code, stage.origin.requests.length], ["kind_not_accepted", 0]);
  });
});

describe("an attack with a derived key", () => {
  test("altered at any character, cut or prolonged, it is no key", async () => {
    const { secret } = await made({ scopes: ["orders:*"] });
    const token = await derived(secret, { user: "ann", scopes: ["orders:read"], paths: ["GET /v1/**"], limit: { calls: 5000, window_s: 60 } });
    await passes(token);
    for (let index = 0; index < token.length; index += 1) {
      for (const other of [token[index] === "A" ? "B" : "A", token[index] === "_" ? "" : "_"]) {
        const altered = token.slice(0, index) + other + token.slice(index + 1);
        // What begins like no derived key is a key of another sort, and no key either.
        await refuses("key_invalid", altered, "/v1/x");
      }
    }
    for (const altered of [token.slice(0, -1), `${token}A`, `${token}_`, token.slice(0, 80), token.toLowerCase()]) await refuses("key_invalid", altered);
    await passes(token);
  });

  test("it says more than its parent has", async () => {
    const { secret } = await made({ scopes: ["orders:read"], paths: ["GET /v1/**"], ips: ["192.0.2.0/24"] });
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    await passes(await derived(secret, { scopes: ["orders:read"], paths: ["GET /v1/a"], ips: ["192.0.2.7"] }), "/v1/a", { headers });
    for (const wider of [
      { scopes: ["orders:write"] },
      { scopes: ["orders:*"] },
      { scopes: ["*:*"] },
      { scopes: ["orders:read", "cart:write"] },
      { paths: ["GET,POST /v1/**"] },
      { paths: ["* /v1/a"] },
      { paths: ["GET /**"] },
      { ips: ["192.0.0.0/16"] },
      { ips: ["0.0.0.0/0"] },
    ]) await refuses("wider_than_parent", await derived(secret, wider), "/v1/a", { headers });
  });

  test("a scope that the parent loses is lost at once, also to keys that are in use", async () => {
    const { secret, path } = await made({ scopes: ["orders:read", "cart:write"] });
    const token = await derived(secret, { scopes: ["orders:read"] });
    await passes(token, "/scoped/x");
    assert.equal((await api.patch(path, { scopes: ["cart:write"] })).status, 200);
    await clock.advance(STALE);
    await refuses("wider_than_parent", token, "/scoped/x");
  });

  test("it is derived from a derived key, a public key, or a key that nobody knows", async () => {
    const { secret, project } = await made();
    const token = await derived(secret);
    const nested = await forged(token, "kw_dk_live_1");
    assert.ok(nested.length > 100);
    await refuses("key_invalid", nested);
    const { secret: open } = await api.key(project, { kind: "public", any_referrer: true });
    await passes(open);
    await refuses("key_invalid", await forged(open, "kw_dk_live_1"));
    await refuses("key_invalid", await derived(`kw_sk_live_1${"A".repeat(32)}`));
    await assert.rejects(derived(open), /only private keys/);
    await assert.rejects(derived(token), /only private keys/);
  });

  test("it is of another project, or of another environment", async () => {
    const { secret, project } = await made();
    const token = await derived(secret);
    await refuses("key_invalid", token, "/globex/x");
    await refuses("environment_denied", token, "/testing/x");
    const { secret: testing } = await api.key(project, { environment: "test" });
    const other = await derived(testing);
    assert.match(other, /^kw_dk_test_1/);
    await passes(other, "/testing/x");
    await refuses("key_invalid", await forged(testing, "kw_dk_live_1"), "/testing/x");
    await refuses("key_invalid", other.replace("_test_", "_live_"));
  });

  test("its time is over, or not yet come, to the millisecond", async () => {
    const { secret } = await made();
    const start = clock.now();
    const token = await derived(secret, { expiresIn: 5 * MINUTE, notBefore: new Date(start + 1000) });
    await refuses("key_not_yet_valid", token);
    await clock.advance(999);
    await refuses("key_not_yet_valid", token);
    await clock.advance(1);
    await passes(token);
    await clock.advanceTo(start + 5 * MINUTE - 1);
    await passes(token);
    await clock.advance(1);
    await refuses("key_expired", token);
    await refuses("key_expired", await derived(secret, { now: clock.now() - DAY, expiresIn: DAY }));
  });

  test("it ends more than a day ahead", async () => {
    const { secret } = await made();
    await assert.rejects(derived(secret, { expiresIn: DAY + 1 }), /24 hours/);
    await passes(await derived(secret, { expiresIn: DAY }));
    // The clock of who mints may be a minute ahead, and no more.
    await passes(await derived(secret, { now: clock.now() + MINUTE, expiresIn: DAY }));
    await refuses("wider_than_parent", await derived(secret, { now: clock.now() + MINUTE + 1, expiresIn: DAY }));
    await refuses("wider_than_parent", await derived(secret, { now: clock.now() + 365 * DAY, expiresIn: DAY }));
  });

  test("it says what this version does not know, or in another form", async () => {
    const { secret } = await made();
    const end = `x${clock.now() + MINUTE}`;
    await passes(await forged(secret, "kw_dk_live_1", end));
    for (const lines of ["", "x", `${end}\n`, `a1\n${end}`, `${end}\ny1`, `${end}\n${end}`, `sa:b\npGET /v1/x\n${end}`, `rnull\n${end}`, `u\n${end}`, `l0/60\n${end}`, "x9007199254740993000000000"]) {
      await refuses("key_invalid", await forged(secret, "kw_dk_live_1", lines));
    }
    await refuses("key_invalid", await forged(secret, "kw_dk_live_2", end));
    await refuses("key_invalid", await derived(secret, { user: "u".repeat(129) }));
  });

  test("it is huge", async () => {
    const { secret } = await made();
    await assert.rejects(derived(secret, { user: "u".repeat(400) }), /512/);
    for (const length of [513, 10_000]) {
      const reads = stage.reads;
      await refuses("key_invalid", `kw_dk_live_1${"A".repeat(length)}`);
      assert.equal(stage.reads, reads);
    }
  });

  test("what has not the form of one, or goes where none is taken, costs no read", async () => {
    const { secret } = await made();
    const token = await derived(secret);
    const reads = stage.reads;
    for (const key of ["kw_dk_live_1", `kw_dk_live_1${"A".repeat(60)}`, `${token}A`, token.replace("_1", "_9")]) await refuses("key_invalid", key);
    await refuses("kind_not_accepted", await forged("nobody-knows-this-secret", "kw_dk_live_1"), "/servers/x");
    assert.equal(stage.reads, reads);
    for (let count = 0; count < 3; count += 1) await refuses("key_invalid", await forged("nobody-knows-this-secret", "kw_dk_live_1"));
    assert.equal(stage.reads, reads + 1, "that there is no such parent is remembered");
  });
});

describe("the parent's end is the derived key's", () => {
  const ends = async (code, change) => {
    const parent = await made();
    const token = await derived(parent.secret, { expiresIn: DAY });
    await passes(token);
    await change(parent);
    await clock.advance(STALE);
    await refuses(code, token);
    return { ...parent, token };
  };
  const act = (name, body) => ({ project, key }) => api.change(project, key.id, name, body);

  test("revoked", () => ends("key_revoked", act("revoke")));
  test("deleted", () => ends("key_invalid", act("delete")));
  test("expired", () => ends("key_expired", ({ path }) => api.patch(path, { expires_at: new Date(clock.now() + SECOND).toISOString() })));
  test("disabled, and back", async () => {
    const { project, key, token } = await ends("key_disabled", act("disable"));
    await api.change(project, key.id, "enable");
    await clock.advance(STALE);
    await passes(token);
  });
  test("its project suspended", () => ends("key_disabled", ({ project }) => api.must("POST", `/projects/${project}/suspend`, { note: "why" })));

  test("revoked while in use: within a lease, without KV being read", async () => {
    const { secret, project, key } = await made();
    const token = await derived(secret);
    await passes(token);
    await api.change(project, key.id, "revoke");
    await clock.advance(10_000);
    await refuses("key_revoked", token);
  });

  test("rotated: keys of the older secret end with its overlap, to the millisecond", async () => {
    const { secret, path, key } = await made();
    const before = await derived(secret, { expiresIn: DAY });
    const { key: rotated, secret: newer } = await api.must("POST", `${path}/rotate`, { overlap: 600 });
    const end = Date.parse(rotated.secrets[1].not_after);
    await clock.advance(STALE);
    const late = await derived(secret, { expiresIn: DAY });
    const next = await derived(newer, { expiresIn: DAY });
    for (const token of [before, late, next]) assert.equal(one(await passes(token), "keyward-key-id"), key.id);
    await clock.advanceTo(end - 1);
    for (const token of [before, late, next]) await passes(token);
    await clock.advance(1);
    for (const token of [before, late]) await refuses("key_expired", token);
    await passes(next);
  });

  test("one secret revoked: only its keys end", async () => {
    const { secret, path, key } = await made();
    const older = await derived(secret, { expiresIn: DAY });
    const { secret: second } = await api.must("POST", `${path}/rotate`, { overlap: 3600 });
    const newer = await derived(second, { expiresIn: DAY });
    await api.must("POST", `${path}/secrets/${key.secrets[0].id}/revoke`);
    await clock.advance(STALE);
    await refuses("key_revoked", older);
    await passes(newer);
  });
});

describe("what is stored", () => {
  test("KV has the derivation key of private keys sealed, anew under each name, and of no other key", async () => {
    const { secret, project, key } = await made();
    const [record] = recordsOf(stage.kv, key.id);
    assert.match(record.derivation, /^2\.a1\.[0-9A-Za-z_-]{64}$/);
    for (const encoding of ["hex", "base64", "base64url"]) {
      const bare = Buffer.from(await derivationKey(secret)).toString(encoding).replace(/=+$/, "");
      assert.ok(!stage.kv.store.names().some((name) => stage.kv.text(name).includes(bare)), encoding);
    }
    const { key: open } = await api.key(project, { kind: "public", any_referrer: true });
    assert.equal(recordsOf(stage.kv, open.id)[0].derivation, undefined);
    await api.change(project, key.id, "delete");
    assert.equal(recordsOf(stage.kv, key.id)[0]?.derivation, undefined);
  });

  test("imported keys derive where their secret was given, and where a route takes them", async () => {
    const project = `p${(serial += 1)}`;
    await api.project(project);
    const [raw, hashed] = ["an-old-secret-from-elsewhere", "another-secret-from-elsewhere"];
    const { createHash } = await import("node:crypto");
    const answer = await api.import(project, [
      { name: "raw", secret: raw },
      { name: "hashed", sha256: createHash("sha256").update(hashed).digest("hex") },
    ]);
    assert.equal(answer.status, 200, answer.text);
    for (const secret of [raw, hashed]) await passes(secret, "/legacy/x");
    const token = await derived(raw);
    await passes(token, "/legacy/x");
    await refuses("key_invalid", token, "/v1/x");
    await refuses("key_invalid", raw, "/v1/x");
    await passes(raw, "/legacy/x");
    await refuses("key_invalid", await derived(hashed), "/legacy/x");
  });

  test("nothing of a derived key is logged", () => {
    assert.doesNotMatch(stage.gateway.log, /_dk_/);
  });
});

const bytes = (text) => new TextEncoder().encode(text);

async function hmac(key, data) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

const derivationKey = (secret) => hmac(bytes(secret), bytes("keyward/derive/1"));

/** What whoever holds a secret of any sort can make of it, whether a client would or not. */
async function forged(secret, prefix, lines = `x${clock.now() + MINUTE}`) {
  const said = Buffer.concat([new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(secret))), bytes(lines)]);
  const mac = await hmac(await derivationKey(secret), Buffer.concat([bytes(prefix), said]));
  return prefix + Buffer.concat([said, mac]).toString("base64").replace(/=+$/, "").replaceAll("+", "_p").replaceAll("/", "_s");
}
