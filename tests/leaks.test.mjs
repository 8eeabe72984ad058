// A secret is found where it must not be: reported by GitHub, which signs what it sends, or by whoever
// has a management key. Private and management keys' secrets are revoked, public keys' are flagged.
import assert from "node:assert/strict";
import { createHash, createSign, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { derive } from "../clients/derive.mjs";
import { startReceiver } from "./harness/hooked.mjs";
import { eventually, ManagementClient, startRegistries } from "./harness/registry.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const MINUTE = 60_000;
const PUBLISHED_BY_GITHUB = {
  key_identifier: "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c",
  key: "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n",
  is_current: true,
};
/** From GitHub's documentation of the partner program. */
const SAMPLE = {
  body: '[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]',
  id: PUBLISHED_BY_GITHUB.key_identifier,
  signature: "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==",
};

/** What publishes the public keys, in place of GitHub. */
class Publisher {
  fetched = 0;
  keys = [PUBLISHED_BY_GITHUB];
  status = 200;
  wait = 0;
  #pairs = new Map();

  async listen(t) {
    const server = createServer(async (request, response) => {
      this.fetched += 1;
      await sleep(this.wait);
      response.writeHead(this.status, { "content-type": "application/json" }).end(JSON.stringify({ public_keys: this.keys }));
    });
    t.after(() => server.close());
    await once(server.listen(0, "127.0.0.1"), "listening");
    this.url = `http://127.0.0.1:${server.address().port}/`;
  }

  /** Another pair, of which the public key is published unless it is said otherwise. */
  pair(id, { published = true, curve = "prime256v1" } = {}) {
    const pair = generateKeyPairSync("ec", { namedCurve: curve });
    this.#pairs.set(id, pair.privateKey);
    if (published) this.keys.push({ key_identifier: id, key: pair.publicKey.export({ type: "spki", format: "pem" }), is_current: true });
    return id;
  }

  sign(id, body) {
    return createSign("SHA256").update(body).sign(this.#pairs.get(id), "base64");
  }
}

async function start(t, options = {}) {
  const publisher = new Publisher();
  await publisher.listen(t);
  publisher.pair("own");
  const keyward = await startRegistries(t, { vars: { KEYWARD_GITHUB_KEYS: publisher.url, KEYWARD_WEBHOOK_HOSTS: "any" }, ...options });
  const api = new ManagementClient(keyward);
  await api.project("p");
  const send = async (body, { id, signature, headers = {}, raw = JSON.stringify(body) } = {}) => {
    const names = { ...(id && { "github-public-key-identifier": id }), ...(signature && { "github-public-key-signature": signature }) };
    return api.as(null).call("POST", "/leaks/github", { raw, headers: { "content-type": "application/json", ...names, ...headers } });
  };
  /** A report that GitHub has signed. */
  const report = (matches, id = "own") => {
    const raw = JSON.stringify(matches);
    return send(undefined, { id, signature: publisher.sign(id, raw), raw });
  };
  const secretOf = async (id) => (await api.must("GET", `/projects/p/keys/${id}`)).secrets[0];
  return { keyward, api, publisher, send, report, secretOf, clock: keyward.clock };
}

const match = (token, more) => ({ token, type: "keyward_key", url: "https://github.com/octocat/x/blob/main/.env", source: "commit", ...more });

describe("GitHub's reports", () => {
  test("the example in GitHub's documentation is verified, and none of it is ours", async (t) => {
    const { send } = await start(t);
    const { status, body } = await send(undefined, { ...SAMPLE, raw: SAMPLE.body });
    assert.equal(status, 200);
    assert.deepEqual(body, [{ token_hash: sha256("some_token"), token_type: "some_type", label: "false_positive" }]);
    const spaced = await send(undefined, { ...SAMPLE, raw: `${SAMPLE.body}\n` });
    assert.deepEqual([spaced.status, spaced.body.code], [401, "signature_invalid"]);
  });

  test("revoke private and management keys' secrets, flag public keys', and say which are ours", async (t) => {
    const { api, report, secretOf, keyward } = await start(t);
    const receiver = await startReceiver(t);
    await api.must("POST", "/projects/p/webhooks", { url: `${receiver.url}/`, events: ["key.leaked", "key.revoked"] });
    const priv = await api.key("p", { name: "server" });
    const pub = await api.key("p", { any_referrer: true });
    const mk = await api.managementKey({});
    const imported = "an-imported-secret-of-somewhere-else-1";
    await api.import("p", [{ name: "legacy", secret: imported }]);
    const forged = priv.secret.replace(/.{4}$/, "zzzz");
    const { status, body, text } = await report([priv.secret, pub.secret, mk.secret, imported, forged, priv.secret].map((token) => match(token)));
    assert.equal(status, 200, text);
    assert.deepEqual(body.map(({ label }) => label), ["true_positive", "true_positive", "true_positive", "true_positive", "false_positive", "true_positive"]);
    assert.deepEqual(body[0], { token_hash: sha256(priv.secret), token_type: "keyward_key", label: "true_positive" });
    const leaked = { source: "GitHub: commit", url: "https://github.com/octocat/x/blob/main/.env" };
    const one = await secretOf(priv.key.id);
    assert.deepEqual([one.status, one.revoked.reason, { source: one.leaked.source, url: one.leaked.url }], ["revoked", "keyCompromise", leaked]);
    const other = await secretOf(pub.key.id);
    assert.deepEqual([other.status, other.leaked.source], ["live", "GitHub: commit"]);
    assert.equal((await api.as(mk.secret).get("/whoami")).status, 401);
    assert.equal((await api.must("GET", `/management-keys/${mk.key.id}`)).secrets[0].leaked.source, "GitHub: commit");
    const log = await api.audit("p");
    assert.deepEqual(log.filter(({ action }) => action === "key.leak").map(({ actor }) => actor), [{ type: "github" }, { type: "github" }, { type: "github" }]);
    assert.equal((await api.audit()).filter(({ action }) => action === "management_key.leak").length, 1);
    await eventually(() => assert.equal(receiver.of("key.leaked").length, 3), 5_000);
    assert.equal(receiver.of("key.revoked").length, 0, "a leak is told once");
    const told = receiver.of("key.leaked").map(({ data }) => [data.key.id, data.done, data.leaked.url, data.by.type]).toSorted();
    assert.ok(told.some(([id, done]) => id === priv.key.id && done === "revoked"));
    assert.ok(told.some(([id, done]) => id === pub.key.id && done === "flagged"));
    for (const secret of [priv.secret, pub.secret, mk.secret, imported]) {
      for (const shown of [text, JSON.stringify(log), keyward.log, ...receiver.calls.map(({ body }) => body)]) assert.ok(!shown.includes(secret));
    }
  });

  test("do nothing when they come again", async (t) => {
    const { api, report } = await start(t);
    const { key, secret } = await api.key("p");
    const first = await report([match(secret)]);
    const before = [await api.audit("p"), (await api.must("GET", `/projects/p/keys/${key.id}`)).version];
    const again = await report([match(secret, { url: "https://github.com/other", source: "gist_content" })]);
    assert.deepEqual([again.status, again.body], [200, first.body]);
    assert.deepEqual([await api.audit("p"), (await api.must("GET", `/projects/p/keys/${key.id}`)).version], before);
    // A key with a new secret goes on, whatever is sent again.
    const rotated = await api.change("p", key.id, "rotate", { overlap: 0 });
    await report([match(secret)]);
    const { status, secrets } = await api.must("GET", `/projects/p/keys/${key.id}`);
    assert.deepEqual([status, secrets.find(({ id }) => id === rotated.key.secrets[0].id).status], ["active", "live"]);
  });

  test("only flag where the project says so", async (t) => {
    const { api, report, secretOf } = await start(t);
    assert.equal((await api.patch("/projects/p", { on_leak: "flag" })).body.project.on_leak, "flag");
    const { key, secret } = await api.key("p");
    await report([match(secret)]);
    assert.deepEqual(await secretOf(key.id).then(({ status, leaked }) => [status, leaked.source]), ["live", "GitHub: commit"]);
    await api.patch("/projects/p", { on_leak: null });
    await report([match(secret)]);
    assert.equal((await secretOf(key.id)).status, "revoked");
  });

  test("are refused when they are forged, and nothing is done", async (t) => {
    const { api, send, publisher, secretOf } = await start(t);
    const { key, secret } = await api.key("p");
    const raw = JSON.stringify([match(secret)]);
    const signature = publisher.sign("own", raw);
    const stranger = publisher.pair("stranger", { published: false });
    const der = Buffer.from(signature, "base64");
    const altered = Array.from(der, (_, index) => Buffer.from(der.map((byte, at) => (at === index ? byte ^ 1 : byte))).toString("base64"));
    const cases = [
      {},
      { id: "own" },
      { signature },
      { id: "own", signature: publisher.sign(stranger, raw) },
      { id: stranger, signature: publisher.sign(stranger, raw) },
      { id: "own", signature, raw: raw.replace("commit", "Commit") },
      { id: "own", signature: publisher.sign("own", "[]") },
      { id: PUBLISHED_BY_GITHUB.key_identifier, signature: SAMPLE.signature },
      { id: "own", signature: "x" },
      { id: "own", signature: Buffer.alloc(64, 1).toString("base64") },
      { id: "own", signature: Buffer.from([0x30, 6, 2, 1, 0, 2, 1, 0]).toString("base64") },
      { id: "own, own", signature },
      ...altered.map((signature) => ({ id: "own", signature })),
    ];
    for (const one of cases) {
      const answer = await send(undefined, { raw, ...one });
      assert.deepEqual([answer.status, answer.body.code], [401, "signature_invalid"], JSON.stringify(one));
    }
    const bearer = await send(undefined, { raw, headers: { authorization: `Bearer ${await api.keyward.managementKey()}` } });
    assert.equal(bearer.status, 401);
    const website = await send(undefined, { raw, id: "own", signature, headers: { origin: "https://github.com" } });
    assert.equal(website.body.code, "cross_origin_denied");
    assert.equal((await secretOf(key.id)).status, "live");
    assert.equal((await send(undefined, { raw, id: "own", signature })).status, 200);
  });

  test("are read strictly once they are signed", async (t) => {
    const { send, publisher } = await start(t);
    for (const raw of ["", "{}", "[]", "[1]", '[{"token":"t"}]', '[{"token":1,"type":"t"}]', "[", JSON.stringify(Array(1001).fill(match("t")))]) {
      const answer = await send(undefined, { raw, id: "own", signature: publisher.sign("own", raw) });
      assert.deepEqual([answer.status, answer.body.code], [400, "body_invalid"], raw.slice(0, 40));
    }
    const large = JSON.stringify([match("t".repeat(1_100_000))]);
    assert.equal((await send(undefined, { raw: large, id: "own", signature: publisher.sign("own", large) })).status, 413);
    const many = JSON.stringify(Array.from({ length: 1000 }, (_, index) => match(`token ${index}`)));
    assert.equal((await send(undefined, { raw: many, id: "own", signature: publisher.sign("own", many) })).body.length, 1000);
  });

  test("fetch the published keys once, and for unknown ones at most once a minute", async (t) => {
    const { send, report, publisher, clock } = await start(t, { clock: true });
    for (let count = 0; count < 5; count += 1) assert.equal((await report([match("x")])).status, 200);
    assert.equal(publisher.fetched, 1);
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await send([match("x")], { id: `unknown ${count}`, signature: SAMPLE.signature })).body.code, "signature_invalid");
    }
    assert.equal(publisher.fetched, 1);
    publisher.pair("new");
    assert.equal((await report([match("x")], "new")).status, 401);
    await clock.advance(MINUTE);
    assert.equal((await report([match("x")], "new")).status, 200);
    assert.equal(publisher.fetched, 2);
    // A day later they are fetched again. While that fails, those that are known go on counting; whether
    // another one is published cannot be known.
    publisher.keys = publisher.keys.filter(({ key_identifier }) => key_identifier !== "new");
    publisher.status = 500;
    await clock.advance(24 * 60 * MINUTE);
    for (let count = 0; count < 3; count += 1) assert.equal((await report([match("x")], "new")).status, 200);
    const down = await send([match("x")], { id: "unknown", signature: SAMPLE.signature });
    assert.deepEqual([down.status, down.body.code], [503, "signing_keys_unavailable"]);
    assert.ok(down.headers.get("retry-after"));
    assert.equal(publisher.fetched, 3);
    await clock.advance(MINUTE);
    assert.equal((await report([match("x")])).status, 200);
    assert.equal(publisher.fetched, 4);
    publisher.status = 200;
    await clock.advance(MINUTE);
    assert.equal((await report([match("x")])).status, 200);
    assert.equal((await report([match("x")], "new")).status, 401, "it is not published any more");
    assert.equal(publisher.fetched, 5);
  });

  test("that come while the published keys are being fetched wait for them, and fetch nothing themselves", async (t) => {
    const { report, send, publisher } = await start(t);
    publisher.wait = 700;
    const all = await Promise.all(Array.from({ length: 8 }, () => report([match("x")])));
    assert.deepEqual(all.map(({ status }) => status), Array(8).fill(200));
    assert.equal(publisher.fetched, 1);
    const stranger = await send([match("x")], { id: "unknown", signature: SAMPLE.signature });
    assert.equal(stranger.body.code, "signature_invalid");
  });

  test("that come while the published keys cannot be fetched are to be sent again", async (t) => {
    const { report, publisher, clock } = await start(t, { clock: true });
    Object.assign(publisher, { wait: 500, status: 500 });
    const all = await Promise.all(Array.from({ length: 4 }, () => report([match("x")])));
    assert.deepEqual(all.map(({ body }) => body.code), Array(4).fill("signing_keys_unavailable"));
    assert.equal(publisher.fetched, 1);
    publisher.status = 200;
    await clock.advance(MINUTE);
    assert.equal((await report([match("x")])).status, 200);
  });

  test("of a derived key flag the private key that it comes from, once a day, and revoke nothing", async (t) => {
    const { api, report, secretOf, clock } = await start(t, { clock: true });
    const receiver = await startReceiver(t);
    await api.must("POST", "/projects/p/webhooks", { url: `${receiver.url}/`, events: ["key.leaked"] });
    const { key, secret } = await api.key("p");
    const tokens = await Promise.all(["ann", "bob"].map((user) => derive(secret, { user })));
    const stranger = await derive(`${secret.slice(0, -4)}zzzz`, {});
    const { status, body } = await report([...tokens, stranger, tokens[0].slice(0, 60)].map((token) => match(token)));
    assert.equal(status, 200);
    assert.deepEqual(body.map(({ label }) => label), ["true_positive", "true_positive", "false_positive", "false_positive"]);
    assert.equal(body[0].token_hash, sha256(tokens[0]));
    const one = await secretOf(key.id);
    assert.deepEqual([one.status, one.leaked], ["live", undefined], "the secret itself has not leaked");
    await report([match(tokens[1])]);
    await eventually(() => assert.equal(receiver.calls.length, 1), 5_000);
    const { data } = receiver.calls[0];
    assert.deepEqual([data.key.id, data.secret, data.derived, data.done, data.leaked.source], [key.id, one.id, true, "flagged", "GitHub: commit"]);
    await clock.advance(24 * 60 * MINUTE);
    await report([match(tokens[1])]);
    await eventually(() => assert.equal(receiver.calls.length, 2), 5_000);
    assert.equal((await api.audit("p")).filter(({ action }) => action === "key.leak").length, 2);
    // The secret itself leaks, and is revoked.
    await report([match(tokens[0]), match(secret)]);
    assert.equal((await secretOf(key.id)).status, "revoked");
    for (const token of tokens) assert.ok(!receiver.calls.some(({ body }) => body.includes(token)));
  });
});

test("the documented patterns find the secrets of every kind, and the core has the same", async (t) => {
  const { api } = await start(t);
  const page = readFileSync(new URL("../docs/a-key-leaked.md", import.meta.url), "utf8");
  const patterns = [...page.matchAll(/^\| (?:pattern|for keys of .*) \| `(.+)` \|$/gm)].map(([, text]) => text.replaceAll("\\|", "|"));
  assert.equal(patterns.length, 2);
  const derived = page.match(/^\| pattern of derived keys \| `(.+)` \|$/m)[1];
  const core = readFileSync(new URL("../crates/core/src/leak.rs", import.meta.url), "utf8");
  for (const own of [patterns[0], derived]) assert.ok(core.includes(`"${own}"`), own);
  const { secret: parent } = await api.key("p");
  for (const token of [await derive(parent, {}), await derive(parent, { user: "u".repeat(100), scopes: Array.from({ length: 9 }, (_, index) => `orders${index}:read`) })]) {
    for (const text of [token, `KEY="${token}"`, `${token}\n`]) assert.equal(text.match(new RegExp(derived))?.[0], token);
  }
  const secrets = [await api.key("p"), await api.key("p", { any_referrer: true, environment: "test" }), await api.managementKey({})].map(({ secret }) => secret);
  for (const pattern of patterns) {
    for (const secret of secrets) {
      for (const text of [secret, `KEY="${secret}"`, `?key=${secret}&x`, `${secret}\n`]) assert.equal(text.match(new RegExp(pattern))?.[0], secret);
      assert.ok(!new RegExp(pattern).test(secret.slice(0, -1)));
    }
    assert.ok(!secrets.some((secret) => new RegExp(derived).test(secret)));
    for (const text of ["sk_live_4eC39HqLyjWDarjtT1zdp7dc", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"]) assert.ok(!new RegExp(pattern).test(text));
  }
});

describe("reports with a management key", () => {
  test("find and report by SHA-256, within what the caller may see", async (t) => {
    const { api } = await start(t);
    await api.project("other");
    const [own, others] = [await api.key("p", { name: "ours" }), await api.key("other")];
    const mk = await api.managementKey({ project: "p", scopes: ["keys:read", "keys:write"] });
    const reader = api.as((await api.managementKey({ project: "p", scopes: ["keys:read"] })).secret);
    const digests = [own.secret, others.secret, mk.secret, "nobody's"].map(sha256);
    const { items } = await reader.must("POST", "/leaks:find", { sha256: digests });
    assert.deepEqual(items, [{
      sha256: digests[0], project: "p", key: own.key.id, name: "ours", kind: "private", key_status: "active",
      secret: own.key.secrets[0].id, redacted: own.key.secrets[0].redacted, status: "live",
    }]);
    assert.equal((await reader.post("/leaks:report", { sha256: digests })).body.code, "scope_missing");
    const reported = await api.as(mk.secret).must("POST", "/leaks:report", { sha256: digests, source: "a log" });
    assert.deepEqual(reported.items.map(({ key, status, leaked }) => [key, status, leaked.source]), [[own.key.id, "revoked", "a log"]]);
    const all = await api.must("POST", "/leaks:find", { sha256: digests });
    assert.deepEqual(all.items.map(({ kind, status }) => `${kind} ${status}`).toSorted(), ["management live", "private live", "private revoked"]);
    const rest = await api.must("POST", "/leaks:report", { sha256: digests });
    assert.deepEqual(rest.items.map(({ status }) => status), ["revoked", "revoked", "revoked"]);
    assert.equal((await api.as(mk.secret).get("/whoami")).status, 401);
    const entry = (await api.audit("p")).find(({ action }) => action === "key.leak");
    assert.deepEqual([entry.actor, entry.target], [{ type: "management_key", id: mk.key.id }, own.key.secrets[0].id]);
  });
});
