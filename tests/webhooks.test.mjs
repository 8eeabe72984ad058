// What happens to keys is told to the project's endpoints: signed as Standard Webhooks says, at least
// once, and nowhere else than it may be sent.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { signed, startReceiver } from "./harness/hooked.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { startPython } from "./harness/python.mjs";
import { eventually, ManagementClient, startRegistries } from "./harness/registry.mjs";

const python = await startPython();
const ANY = { KEYWARD_WEBHOOK_HOSTS: "any" };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A gateway that may call this machine, a project `p`, and a receiver with an endpoint of that project. */
async function start(t, { fields = {}, ...options } = {}) {
  const keyward = await startRegistries(t, { vars: ANY, ...options });
  const api = new ManagementClient(keyward);
  await api.project("p");
  const receiver = await startReceiver(t);
  const { webhook, secret } = await api.must("POST", "/projects/p/webhooks", { url: `${receiver.url}/hook`, ...fields });
  const path = `/projects/p/webhooks/${webhook.id}`;
  return { keyward, api, receiver, webhook, secret, path, clock: keyward.clock, shown: () => api.must("GET", path) };
}

const arrived = (receiver, type, count = 1) => eventually(() => assert.equal(receiver.of(type).length, count), 5_000);

describe("what is told", () => {
  test("each change of a key, once, with who made it, and no secret", async (t) => {
    const { api, receiver } = await start(t);
    const { key, secret } = await api.key("p", { name: "job", owner: "ann" });
    await arrived(receiver, "key.created");
    const rotated = await api.change("p", key.id, "rotate", { overlap: 60 });
    await arrived(receiver, "key.rotated");
    await api.must("POST", `/projects/p/keys/${key.id}/secrets/${key.secrets[0].id}/revoke`, { reason: "superseded" });
    await arrived(receiver, "key.revoked");
    await api.as(rotated.secret).must("POST", "/keys:selfRevoke", { reason: "keyCompromise" });
    await arrived(receiver, "key.revoked", 2);
    await api.change("p", key.id, "revoke", { reason: "cessationOfOperation" });
    await arrived(receiver, "key.revoked", 3);
    await api.change("p", key.id, "revoke");
    await api.change("p", key.id, "delete");
    await sleep(500);
    assert.deepEqual(receiver.of().map(({ type }) => type), ["key.created", "key.rotated", "key.revoked", "key.revoked", "key.revoked"]);

    const [created, , one, holder, whole] = receiver.of();
    const actor = (await api.get("/whoami")).body.id;
    assert.deepEqual(Object.keys(JSON.parse(created.body)), ["type", "timestamp", "data"]);
    const { request_id, ...data } = created.data;
    assert.deepEqual(data, {
      project: "p",
      key: { id: key.id, name: "job", kind: "private", environment: "live", owner: "ann", status: "active" },
      by: { type: "management_key", id: actor },
    });
    const [entry] = await api.audit("p").then((log) => log.filter(({ action }) => action === "key.create"));
    assert.deepEqual([request_id, created.timestamp], [entry.request_id, entry.at]);
    assert.deepEqual([one.data.secret, one.data.reason], [key.secrets[0].id, "superseded"]);
    assert.deepEqual([holder.data.secret, holder.data.by], [rotated.key.secrets[0].id, { type: "holder", id: key.id }]);
    assert.deepEqual([whole.data.secret, whole.data.reason, whole.data.key.status], [undefined, "cessationOfOperation", "revoked"]);
    for (const { body, headers } of receiver.calls) {
      for (const text of [secret, rotated.secret, secret.slice(-32)]) assert.ok(!(body + JSON.stringify(headers)).includes(text));
    }
  });

  test("the end of a key, and of a secret that becomes too old, as long before as the project says", async (t) => {
    const { api, receiver, clock } = await start(t, { clock: true, fields: { events: ["key.expiring"] } });
    const ends = (ms) => new Date(clock.now() + ms).toISOString();
    const soon = await api.key("p", { name: "soon", expires_at: ends(3 * HOUR) });
    const later = await api.key("p", { name: "later", expires_at: ends(20 * DAY) });
    const revoked = await api.key("p", { name: "revoked", expires_at: ends(20 * DAY) });
    await api.change("p", revoked.key.id, "revoke");
    await clock.advance(5 * MINUTE);
    await arrived(receiver);
    assert.deepEqual(receiver.of()[0].data.key.id, soon.key.id);
    assert.deepEqual(receiver.of()[0].data.expires_soon, { at: soon.key.expires_at, cause: "expires_at" });
    assert.deepEqual(receiver.of()[0].data.by, { type: "keyward" });
    await clock.advance(6 * DAY + HOUR);
    await arrived(receiver, undefined, 2);
    assert.equal(receiver.of()[1].data.key.id, later.key.id);
    await clock.advance(15 * DAY);
    assert.equal((await api.patch("/projects/p", { max_age_s: 90 * 86_400, warn_s: 60 })).status, 200);
    const aging = await api.key("p", { name: "aging" });
    await clock.advance(90 * DAY - 30_000);
    await eventually(() => assert.ok(receiver.of().some(({ data }) => data.key.id === aging.key.id)), 5_000);
    const message = receiver.of().find(({ data }) => data.key.id === aging.key.id);
    assert.deepEqual([message.data.secret, message.data.expires_soon.cause], [aging.key.secrets[0].id, "max_age"]);
    const log = await api.audit("p");
    assert.deepEqual(log.filter(({ action }) => action === "key.expiring").map(({ key }) => key), [soon.key.id, later.key.id]);
  });

  test("an endpoint hears only of the events that it names, and each endpoint of its own", async (t) => {
    const { api, receiver } = await start(t, { fields: { events: ["key.revoked"], description: "only the end" } });
    const other = await startReceiver(t);
    const { webhook } = await api.must("POST", "/projects/p/webhooks", { url: `${other.url}/all` });
    const { key } = await api.key("p");
    await api.change("p", key.id, "revoke");
    await arrived(other, undefined, 2);
    await arrived(receiver);
    assert.equal(receiver.of()[0].id, other.of("key.revoked")[0].id, "one event is one message");
    await api.must("DELETE", `/projects/p/webhooks/${webhook.id}`);
    await api.key("p");
    await sleep(300);
    assert.equal(other.calls.length, 2);
  });
});

describe("the signature", () => {
  test("is verified by the official library, which refuses what is forged or replayed", { skip: python.skip }, async (t) => {
    const { api, receiver, path, secret } = await start(t);
    await api.key("p");
    await arrived(receiver);
    const rotated = await api.must("POST", `${path}/rotate`, {});
    await api.key("p");
    await arrived(receiver, undefined, 2);
    const [first, second] = receiver.calls;
    assert.equal(first.headers["webhook-signature"], signed(first, secret));
    assert.equal(second.headers["webhook-signature"], signed(second, rotated.secret, secret));
    const given = (call, changed = {}, other = secret) => ({ secret: other, body: changed.body ?? call.body, headers: { ...call.headers, ...changed.headers } });
    const old = { headers: { "webhook-timestamp": String(Number(first.headers["webhook-timestamp"]) - 301) } };
    const oldAndSigned = given(first, old);
    oldAndSigned.headers["webhook-signature"] = signed(oldAndSigned, secret);
    const answers = await python.run("standard_webhooks.py", [
      given(first),
      given(second),
      given(second, {}, rotated.secret),
      given(first, {}, rotated.secret),
      given(first, { body: first.body.replace("key.created", "key.revoked") }),
      given(first, { headers: { "webhook-id": second.id } }),
      given(first, old),
      oldAndSigned,
      given(first, { headers: { "webhook-signature": second.headers["webhook-signature"] } }),
    ]);
    const NONE = { refused: "No matching signature found" };
    const OLD = { refused: "Message timestamp too old" };
    assert.deepEqual(answers, [{ message: JSON.parse(first.body) }, { message: JSON.parse(second.body) }, { message: JSON.parse(second.body) }, NONE, NONE, NONE, OLD, OLD, NONE]);
  });

  test("is made with both secrets until the overlap is over", async (t) => {
    const { api, receiver, path, secret, clock, shown } = await start(t, { clock: true });
    const rotated = await api.must("POST", `${path}/rotate`, { overlap: 3600 });
    assert.notEqual(rotated.secret, secret);
    assert.equal(rotated.webhook.id, path.split("/").at(-1));
    assert.equal(Date.parse(rotated.webhook.old_secret_until) - Date.parse(rotated.webhook.updated_at), HOUR);
    assert.equal((await api.post(`${path}/rotate`, {})).body.code, "rotation_in_progress");
    await clock.advance(HOUR);
    assert.equal((await shown()).old_secret_until, undefined);
    await api.key("p");
    await arrived(receiver);
    assert.equal(receiver.calls[0].headers["webhook-signature"], signed(receiver.calls[0], rotated.secret));
    await api.must("POST", `${path}/rotate`, { overlap: 600 });
    const last = await api.must("POST", `${path}/rotate`, { overlap: 0 });
    await api.key("p");
    await arrived(receiver, undefined, 2);
    assert.equal(receiver.calls[1].headers["webhook-signature"], signed(receiver.calls[1], last.secret));
  });

  test("outlives a rotation of the deployment's secret", async (t) => {
    const { keyward, api, receiver, secret } = await start(t);
    const next = `b2:${Buffer.from("the-next-entry-of-the-secret-0123").toString("base64url")}`;
    await keyward.restart({ vars: { KEYWARD_SECRET: `${next},${SECRETS.KEYWARD_SECRET}` } });
    await eventually(async () => {
      const { entries } = await api.must("GET", "/projects/p/publication");
      assert.ok(entries.find(({ id }) => id === "a1")?.droppable_at, JSON.stringify(entries));
    }, 20_000);
    await keyward.restart({ vars: { KEYWARD_SECRET: `${next},-${SECRETS.KEYWARD_SECRET}` } });
    await api.key("p");
    await arrived(receiver);
    assert.equal(receiver.calls[0].headers["webhook-signature"], signed(receiver.calls[0], secret));
  });
});

describe("sending", () => {
  /** Until the last attempt has been noted, so that moving the clock makes the next one due. */
  const failed = (shown, count, receiver) =>
    eventually(async () => {
      assert.equal(receiver.calls.length, count);
      assert.ok((await shown()).failure);
    }, 5_000);

  test("is tried again after a failure, with the same id and a signature of that time, and then no more", async (t) => {
    const { api, receiver, clock, shown, secret } = await start(t, { clock: true });
    receiver.answer = ({ number }) => [500, 503, "http://127.0.0.1:1/elsewhere", 404][number - 1] ?? 200;
    await api.key("p");
    await failed(shown, 1, receiver);
    for (const [index, pause] of [6_000, 66_000, 330_000, 1_980_000].entries()) {
      await eventually(async () => assert.equal((await shown()).failure?.status, [500, 503, 302, 404][index]), 5_000);
      await clock.advance(pause);
      await arrived(receiver, undefined, index + 2);
    }
    await eventually(async () => assert.deepEqual(await shown().then(({ failure, waiting, dropped }) => ({ failure, waiting, dropped })), { failure: undefined, waiting: 0, dropped: undefined }), 5_000);
    await clock.advance(3 * DAY);
    assert.equal(receiver.calls.length, 5);
    assert.equal(new Set(receiver.calls.map(({ id, body }) => id + body)).size, 1);
    const times = receiver.calls.map(({ headers }) => Number(headers["webhook-timestamp"]));
    assert.ok(times.every((time, index) => index === 0 || time > times[index - 1]));
    for (const call of receiver.calls) assert.equal(call.headers["webhook-signature"], signed(call, secret));
  });

  test("does not wait for what fails: what comes later is sent, in its order", async (t) => {
    const { api, receiver, shown } = await start(t);
    const made = [];
    receiver.answer = ({ data }) => (data.key.name === "0" ? 500 : 204);
    for (let count = 0; count < 5; count += 1) made.push((await api.key("p", { name: `${count}` })).key.id);
    await arrived(receiver, undefined, 5);
    assert.deepEqual(receiver.calls.map(({ data }) => data.key.id), made);
    assert.equal((await shown()).waiting, 1);
  });

  test("takes no message for another when a later one was due before", async (t) => {
    const { api, receiver, clock, shown } = await start(t, { clock: true });
    const held = Promise.withResolvers();
    receiver.answer = ({ number, data }) => (number === 1 ? 500 : data.key.name === "1" ? held.promise : 204);
    await api.key("p", { name: "0" });
    await failed(shown, 1, receiver);
    await api.key("p", { name: "1" });
    await arrived(receiver, undefined, 2);
    await api.key("p", { name: "2" });
    await clock.advance(6_000);
    held.resolve(204);
    await eventually(() => assert.equal(receiver.taken.length, 3), 5_000);
    assert.deepEqual(receiver.calls.map(({ data }) => data.key.name).toSorted(), ["0", "0", "1", "2"]);
    assert.equal((await shown()).waiting, 0);
  });

  test("gives a slow endpoint ten seconds, one message at a time, and others do not wait for it", async (t) => {
    const { api, receiver, shown, webhook } = await start(t);
    const other = await startReceiver(t);
    await api.must("POST", "/projects/p/webhooks", { url: `${other.url}/` });
    receiver.answer = () => null;
    for (let count = 0; count < 3; count += 1) await api.key("p");
    await arrived(other, undefined, 3);
    assert.equal(receiver.calls.length, 1);
    await eventually(async () => assert.equal((await shown()).failure?.cause, "timeout"), 13_000);
    assert.equal((await shown()).waiting, 3);
    receiver.answer = () => 200;
    const tested = await api.must("POST", `/projects/p/webhooks/${webhook.id}/test`);
    assert.equal(tested.delivered, true);
  });

  test("ends with 410, and is taken up again on request", async (t) => {
    const { api, receiver, shown, path } = await start(t);
    receiver.answer = () => 410;
    await api.key("p");
    await eventually(async () => assert.equal((await shown()).status, "disabled"), 5_000);
    assert.deepEqual(await shown().then(({ disabled, dropped, waiting }) => [disabled.reason, dropped, waiting]), ["gone", 1, 0]);
    await api.key("p");
    await sleep(300);
    assert.equal(receiver.calls.length, 1);
    const entry = (await api.audit("p")).find(({ action }) => action === "webhook.disable");
    assert.deepEqual([entry.actor, entry.target], [{ type: "keyward" }, path.split("/").at(-1)]);
    receiver.answer = () => 200;
    assert.equal((await api.must("POST", `${path}/enable`)).status, "active");
    await api.key("p");
    await arrived(receiver, undefined, 2);
    assert.equal((await api.must("POST", `${path}/disable`)).disabled.reason, "requested");
  });

  test("ends when nothing could be delivered for as long as a message is tried", async (t) => {
    const { api, receiver, clock, shown } = await start(t, { clock: true });
    receiver.answer = () => 500;
    await api.key("p");
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      await arrived(receiver, undefined, attempt);
      if (attempt === 9) break;
      assert.equal((await shown()).status, "active");
      await eventually(async () => {
        await clock.advance(27 * HOUR);
        assert.equal(receiver.calls.length, attempt + 1);
      }, 5_000);
    }
    await eventually(async () => assert.equal((await shown()).disabled?.reason, "failing"), 5_000);
    assert.equal((await shown()).dropped, 1);
  });

  test("survives crashes: nothing is lost, and what came twice has the same id", async (t) => {
    const { keyward, api, receiver, shown } = await start(t);
    receiver.answer = async () => {
      await sleep(30);
      return 204;
    };
    const made = [];
    for (let life = 0; life < 4; life += 1) {
      for (let count = 0; count < 10; count += 1) made.push((await api.key("p")).key.id);
      await keyward.restart();
    }
    await api.must("GET", "/projects/p");
    await eventually(async () => assert.equal((await shown()).waiting, 0), 40_000);
    const byKey = Map.groupBy(receiver.calls, ({ data }) => data.key.id);
    assert.deepEqual([...byKey.keys()].sort(), made.toSorted());
    for (const [key, calls] of byKey) assert.equal(new Set(calls.map(({ id }) => id)).size, 1, key);
    t.diagnostic(`${receiver.calls.length} calls for ${made.length} messages`);
  });

  test("keeps a thousand messages of an endpoint that does not answer, and counts what it drops", async (t) => {
    const { api, receiver, shown } = await start(t, { fields: { events: ["key.created"] } });
    receiver.answer = () => null;
    let left = 1010;
    await Promise.all(Array.from({ length: 16 }, async () => {
      while (left-- > 0) await api.key("p");
    }));
    const { waiting, dropped } = await shown();
    assert.deepEqual([waiting, dropped], [1000, 10]);
  });
});

describe("where it is sent", () => {
  test("only to the public internet by https, unless the deployment says otherwise", async (t) => {
    const keyward = await startRegistries(t);
    const api = new ManagementClient(keyward);
    await api.project("p");
    const set = (url) => api.post("/projects/p/webhooks", { url });
    for (const url of [
      "http://example.com/", "https://localhost/", "https://127.0.0.1/", "https://0x7f.1/", "https://2130706433/", "https://017700000001/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
      "https://169.254.169.254/latest", "https://10.1.2.3/", "https://a.internal/", "https://u:p@example.com/", "ftp://example.com/", "//example.com/", "https://example.com/#x", "javascript:1", "", 7, null,
    ]) {
      const { status, body } = await set(url);
      assert.deepEqual([status, body.code, body.errors?.[0].field], [422, "request_invalid", "url"], String(url));
    }
    const { status, body } = await set("HTTPS://Bücher.Example.com");
    assert.deepEqual([status, body.webhook.url], [201, "https://xn--bcher-kva.example.com/"]);
  });

  test("not any more where the deployment no longer allows it, and the failure is shown", async (t) => {
    const { keyward, api, receiver, shown, path } = await start(t);
    await keyward.restart({ vars: { KEYWARD_WEBHOOK_HOSTS: "public" } });
    const tested = await api.must("POST", `${path}/test`);
    assert.deepEqual([tested.delivered, tested.failure.cause], [false, "address_denied"]);
    await api.key("p");
    await eventually(async () => assert.equal((await shown()).failure?.cause, "address_denied"), 5_000);
    assert.equal(receiver.calls.length, 0);
  });

  test("a redirect is a failure and is not followed", async (t) => {
    const { api, receiver, path } = await start(t);
    const elsewhere = await startReceiver(t);
    receiver.answer = () => `${elsewhere.url}/`;
    const tested = await api.must("POST", `${path}/test`);
    assert.deepEqual([tested.delivered, tested.failure.status], [false, 302]);
    assert.equal(elsewhere.calls.length, 0);
  });

  test("an endpoint that is not there is unreachable", async (t) => {
    const { api } = await start(t);
    const { webhook } = await api.must("POST", "/projects/p/webhooks", { url: "http://127.0.0.1:1/" });
    const tested = await api.must("POST", `/projects/p/webhooks/${webhook.id}/test`);
    assert.deepEqual([tested.delivered, tested.failure.cause], [false, "unreachable"]);
  });
});

describe("the endpoints of a project", () => {
  test("are eight at most; the secret is shown once, and again to the same request", async (t) => {
    const { api, receiver, path, keyward, secret } = await start(t);
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    const idempotent = { "idempotency-key": "once" };
    const first = await api.post("/projects/p/webhooks", { url: `${receiver.url}/2` }, idempotent);
    const again = await api.post("/projects/p/webhooks", { url: `${receiver.url}/2` }, idempotent);
    assert.deepEqual([again.status, again.body.secret, again.headers.get("idempotency-replayed")], [201, first.body.secret, "true"]);
    assert.equal(again.headers.get("location"), `/_keyward/v1/projects/p/webhooks/${first.body.webhook.id}`);
    for (let count = 3; count <= 8; count += 1) await api.must("POST", "/projects/p/webhooks", { url: `${receiver.url}/${count}` });
    const { status, body } = await api.post("/projects/p/webhooks", { url: `${receiver.url}/9` });
    assert.deepEqual([status, body.errors[0].detail], [422, "a project has at most 8 webhooks; delete one"]);
    const list = await api.get("/projects/p/webhooks");
    assert.equal(list.body.items.length, 8);
    for (const text of [secret, secret.slice(6), first.body.secret.slice(6)]) {
      assert.ok(!list.text.includes(text));
      assert.ok(!JSON.stringify(await api.audit("p")).includes(text));
      assert.ok(!keyward.log.includes(text));
    }
    for (const call of [api.get(`${path}x`), api.call("DELETE", "/projects/p/webhooks/whk_aaaaaaaaaaaaaaaa"), api.post("/projects/p/webhooks/whk_aaaaaaaaaaaaaaaa/test")]) {
      const answer = await call;
      assert.deepEqual([answer.status, answer.body.code], [404, "webhook_unknown"]);
    }
  });

  test("are set by whoever may change the project, and seen by whoever may see its keys", async (t) => {
    const { api, receiver, path } = await start(t);
    const of = async (...scopes) => api.as((await api.managementKey({ project: "p", scopes })).secret);
    const [reader, writer] = [await of("keys:read"), await of("keys:write")];
    assert.equal((await reader.get(path)).status, 200);
    for (const [client, call] of [[reader, ["POST", `${path}/test`]], [writer, ["POST", `${path}/rotate`]], [writer, ["DELETE", path]], [writer, ["GET", path]], [reader, ["POST", "/projects/p/webhooks"]]]) {
      assert.equal((await client.call(...call, { body: call[0] === "POST" ? { url: receiver.url } : undefined })).body.code, "scope_missing");
    }
    await api.project("other");
    assert.equal((await reader.get("/projects/other/webhooks")).body.code, "project_unknown");
    assert.equal((await api.get(path.replace("/p/", "/other/"))).body.code, "webhook_unknown");
  });
});
