// The gateway tells a project's registry which keys were used: in the background, in few messages.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createKeys } from "./harness/management.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/scoped"
origin = "\${ORIGIN}"
scopes = ["reports:read"]
`;
const HOUR = 3_600_000;
const MINUTE = 60_000;
/** How long the gateway collects, and as much again for its way. */
const COLLECTED_MS = 2000;
const ARRIVED_MS = 4000;

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
  const stage = await startStage(t, { gateway: GATEWAY, keys, clock: true, change: recording, ...options });
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
    /** Waits for this many new messages: [project, key ids]; and that no more come for a while. */
    async messages(count, quiet = 500) {
      for (const limit = Date.now() + ARRIVED_MS; (await asked()).length < read + count && Date.now() < limit; ) await sleep(50);
      await sleep(quiet);
      const all = await asked();
      const fresh = all.slice(read);
      read = all.length;
      return fresh.map(({ project, call }) => [project, call.command.Seen.keys.toSorted()]);
    },
  });
}

test("telling the registries of used keys", { concurrency: true, timeout: 60_000 }, async (t) => {
  await Promise.all([
    t.test("a burst is one message for each project, of the keys that were let through", async (t) => {
      const stage = await start(t);
      const { other } = await createKeys(stage.gateway, "globex", { other: { kind: "private" } });
      await stage.refuses("scope_missing", "/scoped", { key: "two", scope: "reports:read" });
      for (let n = 0; n < 20; n += 1) {
        for (const key of ["one", other.secret]) assert.equal((await stage.call(`/${n}`, { key })).status, 200);
      }
      assert.deepEqual(await stage.messages(2), [["acme", [stage.id("one")]], ["globex", [other.key.id]]]);
      const [first] = await stage.answers();
      const command = { Seen: { keys: [stage.id("one")] } };
      assert.deepEqual(first.call, { by: "Keyward", ip: null, request_id: "", idempotency: null, command });
      assert.equal(first.method, "POST");
      stage.assertNoSecret(JSON.stringify(await stage.answers()));
    }),

    t.test("a key is told of once an hour, however much it is used, and a later one on its own", async (t) => {
      const stage = await start(t);
      const { clock } = stage.gateway;
      await stage.passes("/x", { key: "one" });
      assert.deepEqual(await stage.messages(1), [["acme", [stage.id("one")]]]);
      for (const step of [1000, MINUTE, HOUR - 2 * MINUTE]) {
        await clock.advance(step);
        for (let n = 0; n < 5; n += 1) await stage.passes("/x", { key: "one" });
      }
      await stage.passes("/x", { key: "two" });
      assert.deepEqual(await stage.messages(1), [["acme", [stage.id("two")]]]);
      await clock.advance(MINUTE + 1000);
      for (const key of ["one", "two"]) await stage.passes("/x", { key });
      assert.deepEqual(await stage.messages(1), [["acme", [stage.id("one")]]]);
    }),

    t.test("a message that fails is sent once more; after that the next use a minute later is told of", async (t) => {
      const stage = await start(t);
      const { clock } = stage.gateway;
      const one = ["acme", [stage.id("one")]];
      await stage.answers([500]);
      await stage.passes("/x", { key: "one" });
      assert.deepEqual(await stage.messages(2), [one, one], "the second has arrived");
      await clock.advance(2 * MINUTE);
      await stage.passes("/x", { key: "one" });
      assert.deepEqual(await stage.messages(0, COLLECTED_MS + 500), []);

      await clock.advance(HOUR);
      await stage.answers([503, 500]);
      await stage.passes("/x", { key: "one" });
      assert.deepEqual(await stage.messages(2), [one, one], "neither has arrived");
      await stage.passes("/x", { key: "one" });
      assert.deepEqual(await stage.messages(0, COLLECTED_MS + 500), []);
      await clock.advance(MINUTE);
      await stage.passes("/x", { key: "one" });
      assert.deepEqual(await stage.messages(1), [one]);
    }),

    t.test("no call waits for it, nor is one held up by a registry that does not answer", async (t) => {
      const stage = await start(t);
      await stage.answers([8000]);
      await stage.passes("/x", { key: "one" });
      for (const until = Date.now() + ARRIVED_MS; Date.now() < until; await sleep(100)) {
        const began = Date.now();
        await stage.passes("/x", { key: "one" });
        assert.ok(Date.now() - began < 1000, "a call waited");
      }
      await stage.passes("/x", { key: "two" });
      assert.deepEqual(await stage.messages(2), [["acme", [stage.id("one")]], ["acme", [stage.id("two")]]]);
    }),

    t.test("each isolate tells of what it has let through", async (t) => {
      const stage = await start(t, { isolates: 2 });
      for (const url of stage.gateway.urls) {
        assert.equal((await fetch(`${url}/x`, { headers: { "x-api-key": stage.keys.one } })).status, 200);
      }
      const one = ["acme", [stage.id("one")]];
      assert.deepEqual(await stage.messages(2), [one, one]);
    }),
  ]);
});
