// Credentials from a Secrets Store: read when first needed, kept, and taken over when they change, without
// a call that fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const STORE = { name: "store.mjs", path: fileURLToPath(new URL("harness/secrets-store.mjs", import.meta.url)) };
const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
credential = { secret = "STORED", header = "authorization", template = "Bearer {secret}" }

[[route]]
path = "/leaks"
origin = "\${ORIGIN}"
credential = { secret = "STORED", header = "authorization", template = "Bearer {secret}" }

[[route]]
path = "/other"
origin = "\${ORIGIN}"
credential = { secret = "UNSET", header = "authorization" }
`;
const FRESH_MS = 30_000;
const HARD_MS = 60_000;
const STALE_MS = 300_000;
const MARK_MS = 2000;

async function start(t) {
  const stage = await startStage(t, {
    gateway: GATEWAY,
    kv: "memory",
    clock: true,
    keys: { server: { kind: "private" }, other: { kind: "private" } },
    beside: { store: { modules: [STORE], vars: {} } },
    bound: { STORED: "store" },
    answers: { "/leaks": (_, response, { values }) => response.writeHead(200, { "x-echo": values("authorization")[0] }).end() },
  });
  const url = () => `http://127.0.0.1:${stage.gateway.process.ports.store}/`;
  const store = {
    says: (query) => fetch(`${url()}?${new URLSearchParams(query)}`, { method: "POST" }),
    asked: async () => (await fetch(url())).json(),
  };
  const sent = async (key = "server") => (await stage.passes("/x", { key })).seen.values("authorization");
  return { stage, store, sent, clock: stage.gateway.clock };
}

test("a value is read once, kept, and read again in the background", async (t) => {
  const { stage, store, sent, clock } = await start(t);
  await store.says({ value: "sk-first-0123456789" });
  assert.deepEqual(await sent(), ["Bearer sk-first-0123456789"]);
  for (let call = 0; call < 5; call += 1) assert.deepEqual(await sent("other"), ["Bearer sk-first-0123456789"]);
  assert.equal(await store.asked(), 1);

  await store.says({ value: "sk-second-0123456789" });
  await clock.advance(FRESH_MS + 1000);
  // Whoever notices does not wait.
  await store.says({ waits: 500 });
  assert.deepEqual(await sent(), ["Bearer sk-first-0123456789"]);
  await eventually(async () => assert.deepEqual(await sent(), ["Bearer sk-second-0123456789"]), 5000);
  assert.deepEqual(await sent("other"), ["Bearer sk-second-0123456789"]);
  assert.equal(await store.asked(), 2);
  const leaked = await stage.passes("/leaks", { key: "server" });
  assert.equal(leaked.header("x-echo"), undefined, "also what was not there at the start never comes back");
  stage.secrets.push("sk-first", "sk-second");
  stage.assertNoSecret(stage.gateway.log);
});

test("after a pause no older value is used than the bound says", async (t) => {
  const { store, sent, clock } = await start(t);
  await store.says({ value: "sk-first-0123456789" });
  await sent();
  await store.says({ value: "sk-second-0123456789" });
  await clock.advance(HARD_MS + 1000);
  assert.deepEqual(await sent(), ["Bearer sk-second-0123456789"]);
});

test("a store that fails: the value that is held serves for five minutes, then nothing is sent", async (t) => {
  const { stage, store, sent, clock } = await start(t);
  await store.says({ fails: 1 });
  await stage.refuses("credential_unavailable", "/x", { key: "server" });
  await store.says({ value: "sk-first-0123456789" });
  await clock.advance(MARK_MS);
  assert.deepEqual(await sent(), ["Bearer sk-first-0123456789"]);
  await store.says({ fails: 1 });
  await clock.advance(STALE_MS - 5000);
  assert.deepEqual(await sent(), ["Bearer sk-first-0123456789"]);
  await clock.advance(10_000);
  await stage.refuses("credential_unavailable", "/x", { key: "server" });
  await store.says({});
  await clock.advance(MARK_MS);
  assert.deepEqual(await sent(), ["Bearer sk-first-0123456789"]);
  assert.match(stage.gateway.log, /"code":"credential_unavailable","field":"route\[0\]\.credential\.secret"|"field":"route\[0\]\.credential\.secret"/);
});

test("what cannot stand in a header, or is not bound, is never sent", async (t) => {
  const { stage, store } = await start(t);
  for (const value of ["", "line\nbreak", " blank", "é"]) {
    await store.says({ value });
    await stage.refuses("credential_unavailable", "/x", { key: "server" });
    await stage.gateway.clock.advance(11_000);
  }
  await stage.refuses("credential_unavailable", "/other", { key: "server" });
});

test("each of many cold calls reads for itself, and none waits for another", async (t) => {
  const { stage, store } = await start(t);
  await store.says({ value: "sk-first-0123456789", waits: 300 });
  const answers = await Promise.all(Array.from({ length: 10 }, () => stage.call("/x", { key: "server" })));
  assert.deepEqual(answers.map(({ status }) => status), Array(10).fill(200));
});
