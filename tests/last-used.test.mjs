// A key's meter tells the project's registry that the key was used: in the background, and seldom.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createKeys } from "./harness/management.mjs";
import { eventually } from "./harness/registry.mjs";
import { SCOPED } from "./harness/scoped.mjs";
import { startStage } from "./harness/stage.mjs";

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** An isolate reports what it has counted within a lease. Its timers run in real time. */
const REPORTED_MS = 11_000;

/** The gateway's modules, with a registry that records in place of the real one. */
function recording(modules) {
  return modules.flatMap((module) => {
    if (module.name !== "build/control.js") return [module];
    const front = fileURLToPath(new URL("harness/recording-control.mjs", import.meta.url));
    return [{ ...module, name: "build/built-control.js" }, { name: module.name, path: front }];
  });
}

/** A stage whose `messages` are those that have arrived since it was asked last. */
async function start(t, options = {}) {
  const keys = { one: { kind: "private" }, two: { kind: "private" } };
  const stage = await startStage(t, { gateway: SCOPED, keys, clock: true, change: recording, ...options });
  let read = 0;
  const asked = async (answers) => {
    const headers = { "x-seen": answers ? JSON.stringify(answers) : "" };
    return (await fetch(`${stage.gateway.url}/_keyward/v1/projects`, { headers })).json();
  };
  const id = (key) => stage.created[key].key.id;
  return Object.assign(stage, {
    id,
    /** How the registries answer the next messages. */
    answers: asked,
    /** Until the meter of this key knows of so many calls in all, and has told of minutes that are over. */
    async settle(calls, key = id("one"), project = "acme") {
      const counted = async () => (await stage.api.call("GET", `/projects/${project}/keys/${key}/usage`)).total.calls;
      await eventually(async () => assert.equal(await counted(), calls), REPORTED_MS);
      await stage.gateway.clock.advance(2 * MINUTE);
    },
    /** The new messages: [project, key id]. */
    async messages() {
      await sleep(500);
      const all = await asked();
      const fresh = all.slice(read);
      read = all.length;
      return fresh.map(({ project, call }) => [project, call.command.Seen.key]);
    },
  });
}

test("telling the registries of used keys", { concurrency: true, timeout: 120_000 }, async (t) => {
  await Promise.all([
    t.test("many calls in several isolates are one message for each key, of those that were let through", async (t) => {
      const stage = await start(t, { isolates: 2 });
      const { other } = await createKeys(stage.gateway, "globex", { other: { kind: "private" } });
      await stage.refuses("scope_missing", "/scoped", { key: "two", scope: "reports:read" });
      const began = stage.gateway.clock.now();
      for (const url of stage.gateway.urls) {
        for (const key of [stage.keys.one, other.secret]) {
          for (let n = 0; n < 10; n += 1) assert.equal((await fetch(`${url}/${n}`, { headers: { "x-api-key": key } })).status, 200);
        }
      }
      const ended = stage.gateway.clock.now();
      await stage.settle(20);
      await stage.settle(20, other.key.id, "globex");
      assert.deepEqual((await stage.messages()).toSorted(), [["acme", stage.id("one")], ["globex", other.key.id]]);
      const first = (await stage.answers()).find(({ project }) => project === "acme");
      const { at } = first.call.command.Seen;
      assert.ok(at % MINUTE === 0 && began - MINUTE < at && at <= ended, "the minute of the calls");
      const command = { Seen: { key: stage.id("one"), at } };
      assert.deepEqual(first.call, { by: "Keyward", ip: null, request_id: first.call.request_id, idempotency: null, command });
      assert.equal(first.method, "POST");
      stage.assertNoSecret(JSON.stringify(await stage.answers()));
    }),

    t.test("a key is told of once an hour, however much it is used, and another one on its own", async (t) => {
      const stage = await start(t);
      const { clock } = stage.gateway;
      const [one, two] = ["one", "two"].map((key) => ["acme", stage.id(key)]);
      await stage.passes("/x", { key: "one" });
      await stage.settle(1);
      assert.deepEqual(await stage.messages(), [one]);
      for (const step of [1000, MINUTE, HOUR - 12 * MINUTE]) {
        await clock.advance(step);
        for (let n = 0; n < 5; n += 1) await stage.passes("/x", { key: "one" });
      }
      await stage.passes("/x", { key: "two" });
      await stage.settle(16);
      await stage.settle(1, stage.id("two"));
      assert.deepEqual(await stage.messages(), [two]);
      await clock.advance(10 * MINUTE);
      assert.deepEqual(await stage.messages(), [one], "an hour after the first");
      await clock.advance(2 * HOUR);
      assert.deepEqual(await stage.messages(), [], "there was no call since");
    }),

    t.test("a message that fails is sent again", async (t) => {
      const stage = await start(t);
      const one = ["acme", stage.id("one")];
      await stage.answers([500]);
      await stage.passes("/x", { key: "one" });
      await stage.settle(1);
      const sent = await stage.messages();
      await stage.gateway.clock.advance(2 * MINUTE);
      assert.deepEqual([...sent, ...(await stage.messages())], [one, one]);
      await stage.gateway.clock.advance(2 * HOUR);
      assert.deepEqual(await stage.messages(), []);
    }),

    t.test("no call waits for it, nor is one held up by a registry that does not answer", async (t) => {
      const stage = await start(t);
      await stage.answers([60_000]);
      await stage.passes("/x", { key: "one" });
      await stage.settle(1);
      // The registry has been told, and does not answer yet.
      const answered = async () => (await stage.answers()).map((message) => message.answered);
      await eventually(async () => assert.deepEqual(await answered(), [false]), 1000);
      for (let n = 0; n < 20; n += 1) await stage.passes("/x", { key: "one" });
      assert.deepEqual(await answered(), [false]);
      assert.deepEqual(await stage.messages(), [["acme", stage.id("one")]]);
    }),
  ]);
});
