// Derived keys in real workerd: what they may do, whom they serve, and what is stored for them.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { one, startDeriving } from "./harness/deriving.mjs";
import { eventually, recordsOf } from "./harness/registry.mjs";
import { derivationKey } from "./harness/seal.mjs";

const MINUTE = 60_000;
/** Isolate memory serves no record that is older. */
const STALE = 30_001;
const PAGE = "https://shop.example";

const { stage, clock, api, project: newProject, made, derived, passes, refuses } = await startDeriving({ after });

/** A call that is over a limit, which has this name if the caller may know of it, before the origin sees anything of it. */
async function over(key, limit) {
  stage.origin.forget();
  const answer = await stage.call("/v1/x", { key });
  const problem = answer.json();
  assert.deepEqual([answer.status, problem.code, problem.limit, stage.origin.requests], [429, "rate_limited", limit, []], answer.text);
  assert.match(answer.header("retry-after"), /^[1-9][0-9]*$/);
  if (limit) assert.match(answer.header("ratelimit"), new RegExp(`"${limit}";r=0;t=${answer.header("retry-after")}`));
  else assert.deepEqual(told(answer), [undefined, undefined]);
}

const told = (answer) => ["ratelimit-policy", "ratelimit"].map((name) => answer.header(name));

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
    const anywhere = await derived(secret, { anyReferrer: true });
    const headers = { origin: PAGE, "sec-fetch-site": "cross-site", cookie: "a=b" };
    const answer = await passes(anywhere, "/v1/x", { headers });
    assert.equal(answer.header("access-control-allow-origin"), PAGE);
    assert.equal(answer.header("vary"), "Origin");
    assert.deepEqual(answer.seen.values("cookie"), [], "as for public keys");
    const bound = await derived(secret, { referrers: [PAGE] });
    assert.equal((await passes(bound, "/v1/x", { headers })).header("access-control-allow-origin"), PAGE);
    await refuses("referrer_denied", bound, "/v1/x", { headers: { origin: "https://evil.example" }, page: "https://evil.example" });
    await refuses("referrer_denied", bound);
    const nowhere = await derived(secret);
    await passes(nowhere);
    await passes(nowhere, "/v1/x", { headers: { "sec-fetch-mode": "cors", "sec-fetch-site": "none", referer: `${PAGE}/` } });
    for (const browser of [{ origin: PAGE }, { origin: PAGE, "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-origin" }]) {
      const page = browser.origin;
      await refuses("referrer_denied", nowhere, "/v1/x", { headers: browser, page });
      await refuses("private_key_in_browser", secret, "/v1/x", { headers: browser, page });
    }
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
    for (const left of [1, 0]) assert.match(told(await passes(own)).join(" "), new RegExp(`^"derived";q=2;w=60 "derived";r=${left};t=6[0-9]$`));
    await over(own, "derived");
    const other = await derived(secret, { user: "b" });
    for (let count = 0; count < 2; count += 1) assert.deepEqual(told(await passes(other)), [undefined, undefined]);
    assert.match(told(await passes(secret)).join(" "), /^"3600s";q=5;w=3600 "3600s";r=0/);
    await over(secret, "3600s");
    await over(other);
    await over(own, "derived");
    await clock.advance(70_000);
    await over(own);
  });

  test("shares its own limit with the user's others, and says nothing of its parent's anywhere", async () => {
    const { secret } = await made({ limits: { rate: [{ limit: 500, window_s: 3600 }], quota: [{ limit: 3, period: "month" }] } });
    const limit = { calls: 2, window_s: 60 };
    const keys = await Promise.all([15, 16, 17].map((minutes) => derived(secret, { user: "ann", limit, expiresIn: minutes * MINUTE })));
    await passes(keys[0]);
    await passes(keys[1]);
    for (const key of keys) await over(key, "derived");
    const bare = await derived(secret, { limit });
    await passes(bare);
    stage.origin.forget();
    const answer = await stage.call("/v1/x", { key: await derived(secret) });
    const { code, limit: named } = answer.json();
    assert.deepEqual([answer.status, code, named, ...told(answer), stage.origin.requests], [429, "quota_exceeded", undefined, undefined, undefined, []]);
    assert.ok(Number(answer.header("retry-after")) > 0);
    const refused = await refuses("path_denied", await derived(secret, { paths: ["GET /v1/y"] }));
    assert.deepEqual(told(refused), [undefined, undefined]);
  });

  test("counts in its parent's usage, what is refused of it as well", async () => {
    const { secret, path } = await made({ scopes: ["orders:read"] });
    for (const user of ["a", "b"]) await passes(await derived(secret, { user }));
    await refuses("wider_than_parent", await derived(secret, { scopes: ["cart:write"] }));
    // Whoever holds one that has ended holds it for good, and counts up nothing with it.
    const ended = await derived(secret, { now: clock.now() - 2 * MINUTE, expiresIn: MINUTE });
    for (let count = 0; count < 3; count += 1) await refuses("key_expired", ended);
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
    // Before anything is read: also where nothing is known of the parent.
    await clock.advance(STALE);
    const reads = stage.reads;
    for (const target of ["/servers/x", "/unsaid/x"]) await refuses("kind_not_accepted", token, target);
    await refuses("kind_not_accepted", undefined, `/queried/x?key=${token}`);
    await refuses("kind_not_accepted", token, `/queried/x?key=${token}`);
    assert.equal(stage.reads, reads);
    await passes(token, "/queried/x");
    assert.equal(stage.reads, reads + 1);
  });
});

describe("what is stored", () => {
  test("KV has the derivation key of private keys sealed, anew under each name, and of no other key", async () => {
    const { secret, project, key } = await made();
    const [record] = recordsOf(stage.kv, key.id);
    assert.match(record.derivation, /^2\.a1\.[0-9A-Za-z_-]{64}$/);
    for (const encoding of ["hex", "base64", "base64url"]) {
      const bare = derivationKey(secret).toString(encoding).replace(/=+$/, "");
      assert.ok(!stage.kv.store.names().some((name) => stage.kv.text(name).includes(bare)), encoding);
    }
    const { key: open } = await api.key(project, { kind: "public", any_referrer: true });
    assert.equal(recordsOf(stage.kv, open.id)[0].derivation, undefined);
    await api.change(project, key.id, "delete");
    assert.equal(recordsOf(stage.kv, key.id)[0]?.derivation, undefined);
  });

  test("imported keys derive where their secret was given, and where a route takes them", async () => {
    const project = await newProject();
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
