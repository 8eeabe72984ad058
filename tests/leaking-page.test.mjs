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
      await eventually(async () => assert.ok(origins(await shown("server")).length >= Math.min(20, 4 * (hour + 1))), REPORTED_MS);
      await gateway.clock.advance(HOUR + 1000);
    }
    assert.equal(origins(await shown("server")).length, 20);
    assert.equal((await client.audit("acme")).filter(({ action }) => action === "key.browser_use").length, 20);
  });
});
