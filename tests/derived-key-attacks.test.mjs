// Derived keys in real workerd: every way in which one is forged, widened or outlived. None of those
// reaches the origin.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { one, startDeriving } from "./harness/deriving.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** Isolate memory serves no record that is older. */
const STALE = 30_001;

const { stage, clock, api, made, derived, forged, passes, refuses } = await startDeriving({ after });

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

  test("it is used by a page that it does not name, or says that it is for any and names some", async () => {
    const { secret } = await made();
    const page = "https://evil.example";
    const from = { headers: { origin: page, "sec-fetch-site": "cross-site" }, page };
    await passes(await derived(secret, { anyReferrer: true }), "/v1/x", from);
    for (const fields of [{}, { referrers: ["https://shop.example"] }, { user: "ann" }]) await refuses("referrer_denied", await derived(secret, fields), "/v1/x", from);
    const end = `x${clock.now() + MINUTE}`;
    await passes(forged(secret, "kw_dk_live_1", `a*\n${end}`), "/v1/x", from);
    for (const lines of ["a", "a1", "a**", "a*\na*", "r*", "a*\nrhttps://shop.example"]) await refuses("key_invalid", forged(secret, "kw_dk_live_1", `${lines}\n${end}`), "/v1/x", from);
    await assert.rejects(derived(secret, { anyReferrer: true, referrers: [page] }), RangeError);
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
    const nested = forged(token, "kw_dk_live_1");
    assert.ok(nested.length > 100);
    await refuses("key_invalid", nested);
    const { secret: open } = await api.key(project, { kind: "public", any_referrer: true });
    await passes(open);
    await refuses("key_invalid", forged(open, "kw_dk_live_1"));
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
    await refuses("key_invalid", forged(testing, "kw_dk_live_1"), "/testing/x");
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
    await passes(forged(secret, "kw_dk_live_1", end));
    for (const lines of ["", "x", `${end}\n`, `a1\n${end}`, `${end}\ny1`, `${end}\n${end}`, `sa:b\npGET /v1/x\n${end}`, `rnull\n${end}`, `u\n${end}`, `l0/60\n${end}`, "x9007199254740993000000000"]) {
      await refuses("key_invalid", forged(secret, "kw_dk_live_1", lines));
    }
    await refuses("key_invalid", forged(secret, "kw_dk_live_2", end));
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
    await refuses("kind_not_accepted", forged("nobody-knows-this-secret", "kw_dk_live_1"), "/servers/x");
    assert.equal(stage.reads, reads);
    for (let count = 0; count < 3; count += 1) await refuses("key_invalid", forged("nobody-knows-this-secret", "kw_dk_live_1"));
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
