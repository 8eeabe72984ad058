// A page that sends a private key is named: on the key, in the audit log, and by a webhook; off the
// way of the call that is refused.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startReceiver } from "./harness/hooked.mjs";
import { eventually, ManagementClient } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
/** An isolate reports what it has counted within a lease. Its timers run in real time. */
const REPORTED_MS = 11_000;
const HOUR = 3_600_000;

async function start(t, options) {
  const stage = await startStage(t, { gateway: GATEWAY, keys: { server: {}, page: { any_referrer: true } }, vars: { KEYWARD_WEBHOOK_HOSTS: "any" }, clock: true, ...options });
  const api = new ManagementClient(stage.gateway);
  const receiver = await startReceiver(t);
  await api.must("POST", "/projects/acme/webhooks", { url: `${receiver.url}/`, events: ["key.used_in_browser"] });
  const shown = (key) => api.must("GET", `/projects/acme/keys/${stage.created[key].key.id}`);
  /** A call as a page makes it; `answered` is { page }, the origin that the answer is for, where it has one. */
  const from = (headers, answered = { page: headers.origin }) => stage.refuses("private_key_in_browser", "/x", { key: "server", headers, ...answered });
  return Object.assign(stage, { client: api, receiver, shown, from });
}

const origins = ({ pages = [] }) => pages.map(({ origin }) => origin);

describe("a page that sends a private key", () => {
  test("is noted once on the key, logged once, and told of once", async (t) => {
    const stage = await start(t, { isolates: 2 });
    const { receiver, shown, from, client } = stage;
    for (let count = 0; count < 5; count += 1) await from({ origin: "https://App.Example:443" });
    await stage.isolate(1).refuses("private_key_in_browser", "/x", { key: "server", headers: { origin: "https://app.example" }, page: "https://app.example" });
    await from({ "sec-fetch-site": "same-origin", referer: "https://other.example/a/page?with=query" });
    await eventually(async () => assert.deepEqual(origins(await shown("server")).toSorted(), ["https://app.example", "https://other.example"]), REPORTED_MS);
    const key = await shown("server");
    assert.ok(key.pages.every(({ first_at, last_at }) => first_at <= last_at));
    assert.equal(key.version, stage.created.server.key.version, "nothing about the key has changed");
    await eventually(() => assert.equal(receiver.calls.length, 2), 5_000);
    const { id } = stage.created.server.key;
    assert.deepEqual(receiver.calls.map(({ type, data }) => [type, data.key.id, data.page]).toSorted(), [
      ["key.used_in_browser", id, "https://app.example"],
      ["key.used_in_browser", id, "https://other.example"],
    ]);
    const log = (await client.audit("acme")).filter(({ action }) => action === "key.browser_use");
    assert.deepEqual(log.map(({ actor, key, changes }) => [actor.type, key, changes[0].after]).toSorted(), [["keyward", id, "https://app.example"], ["keyward", id, "https://other.example"]]);
    // An hour later it is noted again, and nobody is told twice.
    const before = key.pages.find(({ origin }) => origin === "https://app.example").last_at;
    await stage.gateway.clock.advance(HOUR);
    await from({ origin: "https://app.example" });
    await eventually(async () => assert.ok((await shown("server")).pages.find(({ origin }) => origin === "https://app.example").last_at > before), REPORTED_MS);
    assert.equal((await client.audit("acme")).filter(({ action }) => action === "key.browser_use").length, 2);
    stage.assertNoSecret(JSON.stringify([await client.audit("acme"), receiver.calls, await shown("server")]));
  });

  test("is named too where it asks for a session key", async (t) => {
    const stage = await start(t);
    const exchanged = await stage.call("/_keyward/v1/session", { method: "POST", headers: { authorization: `Bearer ${stage.keys.server}`, origin: "https://app.example" } });
    assert.deepEqual([exchanged.status, exchanged.json().code], [403, "private_key_in_browser"]);
    await eventually(async () => assert.deepEqual(origins(await stage.shown("server")), ["https://app.example"]), REPORTED_MS);
  });

  test("that says nothing of itself is unknown; a public key's is none of this", async (t) => {
    const { from, shown } = await start(t);
    await from({ origin: "null" }, {});
    await from({ "sec-fetch-site": "cross-site" });
    await from({ origin: `https://${"a".repeat(300)}.example` }, {});
    await from({ origin: "https://a.example\"><script>" }, {});
    await eventually(async () => assert.deepEqual(origins(await shown("server")), ["unknown"]), REPORTED_MS);
    assert.deepEqual(origins(await shown("page")), []);
  });

  test("is one of few: who holds the key cannot fill the registry with made-up pages", async (t) => {
    const { from, shown, gateway, client } = await start(t);
    for (let hour = 0; hour < 6; hour += 1) {
      for (let page = 0; page < 20; page += 1) await from({ origin: `https://p${page}-of-${hour}.example` });
      await eventually(async () => assert.equal(origins(await shown("server")).filter((page) => page.endsWith(`-of-${hour}.example`)).length, 4), REPORTED_MS);
      await gateway.clock.advance(HOUR + 1000);
    }
    const known = origins(await shown("server"));
    assert.equal(known.length, 20);
    const told = (await client.audit("acme")).filter(({ action }) => action === "key.browser_use").map(({ changes }) => changes[0].after);
    // The first stay, and the newest are there; after the first twenty, one in an hour is told.
    assert.ok(known.slice(0, 10).every((page) => told.slice(0, 12).includes(page)), JSON.stringify([known, told]));
    assert.ok(told.length >= 20 && told.length <= 22, String(told.length));
  });
});

describe("a project may let a secret end that a page has sent", () => {
  const HOURS_6 = 6 * HOUR;
  const page = (name) => ({ origin: `https://${name}.example` });

  /** As above, in a project with this setting, with what its receiver hears of ends. */
  async function ending(t, keys = { server: {} }) {
    const stage = await start(t, { keys });
    assert.equal((await stage.client.patch("/projects/acme", { browser_end_s: HOURS_6 / 1000 })).body.project.browser_end_s, HOURS_6 / 1000);
    await stage.client.must("POST", "/projects/acme/webhooks", { url: `${stage.receiver.url}/ends`, events: ["key.expiring"] });
    const noted = (count) => eventually(async () => assert.equal(origins(await stage.shown("server")).length, count), REPORTED_MS);
    return Object.assign(stage, { noted });
  }

  test("once, so much later, and the key goes on with a new one", async (t) => {
    const stage = await ending(t);
    const { client, shown, from, noted, receiver, gateway } = stage;
    const { id, version } = stage.created.server.key;
    const began = gateway.clock.now();
    await from(page("one"));
    await noted(1);
    const key = await shown("server");
    const [secret] = key.secrets;
    const end = Date.parse(secret.browser_end_at);
    assert.ok(end >= began + HOURS_6 && end <= gateway.clock.now() + HOURS_6);
    assert.deepEqual([secret.not_after, secret.status, key.version], [secret.browser_end_at, "live", version + 1]);
    assert.deepEqual(key.expires_soon, { at: secret.browser_end_at, cause: "browser_use" });
    await eventually(() => assert.equal(receiver.of("key.expiring").length, 1), 5_000);
    const { data } = receiver.of("key.expiring")[0];
    assert.deepEqual([data.key.id, data.secret, data.expires_soon, data.by], [id, secret.id, key.expires_soon, { type: "keyward" }]);
    const entry = (await client.audit("acme")).filter(({ action }) => action === "key.browser_end");
    assert.deepEqual(entry.map(({ target, actor }) => [target, actor.type]), [[secret.id, "keyward"]]);
    // Neither a later page nor another setting moves it.
    await gateway.clock.advance(HOUR);
    await client.patch("/projects/acme", { browser_end_s: HOUR / 1000 });
    await from(page("two"));
    await noted(2);
    assert.equal((await shown("server")).secrets[0].not_after, secret.not_after);
    const rotated = await client.change("acme", id, "rotate", { overlap: 24 * 3600 });
    assert.equal(rotated.key.secrets[1].not_after, secret.not_after, "a rotation prolongs nothing");
    assert.equal(rotated.key.secrets[0].not_after, undefined);
    await gateway.clock.advance(HOURS_6);
    await stage.refuses("key_expired", "/x", { key: "server" });
    await stage.passes("/x", { key: rotated.secret });
  });

  test("not where it ends sooner, not where it was revoked, and not without the setting", async (t) => {
    const soon = 3 * HOUR;
    const stage = await ending(t);
    const { client, shown, from, noted, gateway } = stage;
    const { id } = stage.created.server.key;
    await client.change("acme", id, "rotate", { overlap: soon / 1000 });
    const [, before] = (await shown("server")).secrets;
    await from(page("one"));
    await noted(1);
    const [newer, older] = (await shown("server")).secrets;
    assert.deepEqual([older.not_after, older.browser_end_at], [before.not_after, undefined]);
    assert.deepEqual([newer.not_after, newer.browser_end_at], [undefined, undefined], "another secret was sent");
    await client.patch("/projects/acme", { browser_end_s: null });
    await gateway.clock.advance(HOUR + 1000);
    await from(page("two"));
    await noted(2);
    assert.equal((await client.audit("acme")).filter(({ action }) => action === "key.browser_end").length, 0);
  });
});
