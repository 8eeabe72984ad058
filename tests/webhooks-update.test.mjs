// Endpoints are changed in place, in the version that is meant; and none leads back to the gateway.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startReceiver } from "./harness/hooked.mjs";
import { eventually, ManagementClient, startRegistries } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const ANY = { KEYWARD_WEBHOOK_HOSTS: "any" };

async function start(t, fields = {}) {
  const keyward = await startRegistries(t, { vars: ANY });
  const api = new ManagementClient(keyward);
  await api.project("p");
  const receiver = await startReceiver(t);
  const { webhook, secret } = await api.must("POST", "/projects/p/webhooks", { url: `${receiver.url}/hook`, ...fields });
  return { keyward, api, receiver, webhook, secret, path: `/projects/p/webhooks/${webhook.id}` };
}

describe("an endpoint", () => {
  test("is changed by a merge patch of the version that is meant", async (t) => {
    const { api, receiver, path, webhook, secret } = await start(t, { events: ["key.revoked"], description: "old" });
    assert.equal(webhook.version, 1);
    const shown = await api.get(path);
    assert.equal(shown.headers.get("etag"), '"1"');
    assert.equal((await api.call("PATCH", path, { body: {} })).status, 428);
    assert.equal((await api.patch(path, { description: "x" }, 2)).body.code, "version_conflict");
    const same = await api.patch(path, { description: "old" }, 1);
    assert.deepEqual([same.status, same.body], [200, shown.body], "nothing has changed");
    const other = await startReceiver(t);
    const changed = await api.patch(path, { url: `${other.url}/new`, events: ["key.created"], description: null }, 1);
    assert.deepEqual([changed.status, changed.headers.get("etag")], [200, '"2"']);
    const { url, events, description, version } = changed.body;
    assert.deepEqual([url, events, description, version], [`${other.url}/new`, ["key.created"], undefined, 2]);
    const { key } = await api.key("p");
    await eventually(() => assert.equal(other.of("key.created").length, 1), 5_000);
    await api.change("p", key.id, "revoke");
    assert.equal((await api.patch(path, { events: null }, 2)).body.events, undefined);
    await api.key("p");
    await eventually(() => assert.equal(other.calls.length, 2), 5_000);
    assert.equal(receiver.calls.length, 0);
    const log = (await api.audit("p")).filter(({ action }) => action === "webhook.update");
    assert.deepEqual(log.map(({ target, changes }) => [target, changes.map(({ field }) => field).toSorted()]), [
      [webhook.id, ["description", "events", "url"]],
      [webhook.id, ["events"]],
    ]);
    assert.ok(!JSON.stringify(log).includes("/new") && !JSON.stringify(log).includes(secret));
  });

  test("is disabled and enabled by it, and a path that changes is logged without being named", async (t) => {
    const { api, receiver, path } = await start(t);
    receiver.answer = () => 500;
    await api.key("p");
    await eventually(async () => assert.ok((await api.must("GET", path)).failure), 5_000);
    const off = (await api.patch(path, { enabled: false })).body;
    assert.deepEqual([off.status, off.disabled.reason, off.waiting, off.dropped, off.version], ["disabled", "requested", 0, 1, 2]);
    await api.key("p");
    receiver.answer = () => 204;
    const on = (await api.patch(path, { enabled: true, url: `${receiver.url}/token-of-another` })).body;
    assert.deepEqual([on.status, on.failure, on.version], ["active", undefined, 3]);
    await api.key("p");
    await eventually(() => assert.equal(receiver.calls.at(-1).path, "/token-of-another"), 5_000);
    assert.equal(receiver.calls.length, 2);
    const entry = (await api.audit("p")).findLast(({ action }) => action === "webhook.update");
    assert.deepEqual(entry.changes.map(({ field }) => field).toSorted(), ["status", "url"]);
    assert.ok(!JSON.stringify(entry).includes("token-of-another"));
  });

  test("stays as it is when the patch is not one, or the caller may not", async (t) => {
    const { api, path } = await start(t);
    for (const [body, fields] of [[{ url: "" }, ["url"]], [{ url: null }, ["url"]], [{ url: "ftp://x.example/" }, ["url"]], [{ events: [] }, ["events"]], [{ events: ["key.made"] }, ["events[0]"]], [{ enabled: "no", secret: "x" }, ["enabled", "secret"]]]) {
      const answer = await api.patch(path, body);
      assert.deepEqual([answer.status, answer.body.errors?.map(({ field }) => field)], [422, fields], JSON.stringify(body));
    }
    assert.equal((await api.get(path)).body.version, 1);
    assert.equal((await api.patch(`${path.slice(0, -2)}zz`, {})).body.code, "webhook_unknown");
    const writer = api.as((await api.managementKey({ project: "p", scopes: ["keys:write"] })).secret);
    assert.equal((await writer.patch(path, {})).body.code, "scope_missing");
  });
});

describe("no message goes back to the gateway", () => {
  const OWN = { field: "url", detail: "must not lead to the gateway itself" };

  test("by the host that the management API is called by", async (t) => {
    const { api, keyward, path } = await start(t);
    const own = `${keyward.url}/hook`;
    assert.deepEqual((await api.post("/projects/p/webhooks", { url: own })).body.errors, [OWN]);
    assert.deepEqual((await api.patch(path, { url: own })).body.errors, [OWN]);
    const local = own.replace("127.0.0.1", "localhost");
    assert.equal((await api.post("/projects/p/webhooks", { url: local })).status, 201, "what resolves to it is not known");
  });

  test("nor by one that a route names, when it is set and when it is sent", async (t) => {
    const route = (host) => `[[route]]\nhost = "${host}"\npath = "/**"\norigin = "\${ORIGIN}"\n`;
    const stage = await startStage(t, { gateway: route("gate.example.net") + route("*.shop.example.net"), vars: ANY });
    const api = new ManagementClient(stage.gateway);
    for (const url of ["https://gate.example.net/", "https://GATE.example.net:8443/x", "https://a.b.shop.example.net/"]) {
      assert.deepEqual((await api.post("/projects/acme/webhooks", { url })).body.errors, [OWN], url);
    }
    assert.equal((await api.post("/projects/acme/webhooks", { url: "https://shop.example.net/" })).status, 201);
  });

  test("nor by one that a route names since it was set", async (t) => {
    // The registry is in the first isolate; the second has been started before there was the route.
    const route = (host) => `[[route]]\nhost = "${host}"\npath = "/**"\norigin = "\${ORIGIN}"\n`;
    const { gateway } = await startStage(t, { gateway: [route("gate.example.net"), route("old.example.net")], isolates: 2, vars: ANY });
    const older = new ManagementClient({ url: gateway.urls[1], managementKey: () => gateway.managementKey() });
    const { webhook } = await older.must("POST", "/projects/acme/webhooks", { url: "https://gate.example.net/" });
    const tested = await older.must("POST", `/projects/acme/webhooks/${webhook.id}/test`);
    assert.deepEqual([tested.delivered, tested.failure.cause], [false, "address_denied"]);
  });
});
