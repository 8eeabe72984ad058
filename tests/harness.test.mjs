// The harness itself: a small worker instead of the gateway, so that a failure here is the harness's own.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { compatibility } from "./harness/build.mjs";
import { bind, config, disk, external, worker } from "./harness/capnp.mjs";
import { temporaryFolder } from "./harness/folder.mjs";
import { fault, startKv } from "./harness/kv.mjs";
import { memoryKv } from "./harness/modules.mjs";
import { eventually } from "./harness/registry.mjs";
import { startWorkerd } from "./harness/workerd.mjs";

const SMALL_WORKER = `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  fetch() {
    const sql = this.ctx.storage.sql;
    sql.exec("CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY)");
    sql.exec("INSERT INTO calls DEFAULT VALUES");
    return Response.json(sql.exec("SELECT count(*) AS calls FROM calls").one());
  }
}
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/count") return env.COUNTER.getByName("one").fetch(request);
    const { method, parameters } = await request.json();
    console.log("kv", method);
    return Response.json((await env.KEYS[method](...parameters)) ?? null);
  },
};`;

async function startSmall(t, kv) {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, "objects"));
  await writeFile(join(folder, "small.mjs"), SMALL_WORKER);
  const small = worker({
    modules: [{ name: "small.mjs", file: "small.mjs" }],
    bindings: [bind.kv("KEYS", "kv"), bind.object("COUNTER", "Counter")],
    objects: ["Counter"],
    objectsDisk: "objects",
    compatibility: await compatibility(),
  });
  const file = join(folder, "workerd.capnp");
  const service = kv === "memory" ? await memoryKv(folder) : external(kv.address);
  await writeFile(file, config({ objects: disk(join(folder, "objects")), kv: service, small }, { http: "small" }));
  const process = await startWorkerd(t, file, ["http"]);
  const call = async (method, ...parameters) => {
    const body = JSON.stringify({ method, parameters });
    const response = await fetch(`http://127.0.0.1:${process.ports.http}`, { method: "POST", body });
    if (!response.ok) throw new Error(`KV ${method} has failed`);
    return response.json();
  };
  const count = async () => (await (await fetch(`http://127.0.0.1:${process.ports.http}/count`)).json()).calls;
  return { process, call, count };
}

for (const kind of ["recording", "memory"]) {
  test(`the ${kind} KV answers like the platform's`, async (t) => {
    const { call } = await startSmall(t, kind === "memory" ? kind : await startKv(t));
    assert.equal(await call("get", "a/b ü"), null);
    await call("put", "a/b ü", "one", { metadata: { version: 1 }, expirationTtl: 600 });
    await call("put", "a/c", "two", {});
    assert.equal(await call("get", "a/b ü"), "one");
    const found = await call("getWithMetadata", "a/b ü");
    assert.deepEqual([found.value, found.metadata], ["one", { version: 1 }]);
    const first = await call("list", { prefix: "a/", limit: 1 });
    assert.deepEqual([first.keys[0].name, first.list_complete], ["a/b ü", false]);
    const last = await call("list", { prefix: "a/", limit: 1, cursor: first.cursor });
    assert.deepEqual([last.keys[0].name, last.list_complete], ["a/c", true]);
    await call("delete", "a/c");
    assert.equal(await call("get", "a/c"), null);
  });
}

test("the KV records what was asked and is seen from the test", async (t) => {
  const kv = await startKv(t);
  const { call } = await startSmall(t, kv);
  await call("put", "name", "text");
  assert.equal(kv.text("name"), "text");
  kv.put("name", "changed");
  assert.equal(await call("get", "name"), "changed");
  assert.deepEqual(kv.operations.map(({ operation, name }) => [operation, name]), [["put", "name"], ["get", "name"]]);
});

test("each fault does what its name says", async (t) => {
  const kv = await startKv(t);
  const { call } = await startSmall(t, kv);
  const put = async (behaviour, text) => {
    kv.break("put", behaviour, { times: 1 });
    const started = Date.now();
    const done = await call("put", "name", text).then(() => true, () => false);
    return { done, ms: Date.now() - started, stored: kv.text("name") };
  };
  assert.equal((await put(fault.fail(), "1")).done, false);
  assert.equal(kv.text("name"), undefined);
  assert.equal((await put(fault.drop(), "2")).done, false);
  assert.equal(kv.text("name"), undefined);
  const slow = await put(fault.slow(200), "3");
  assert.ok(slow.done && slow.ms >= 200 && slow.stored === "3");
  assert.deepEqual((({ done, stored }) => ({ done, stored }))(await put(fault.errorAfterApplying(), "4")), { done: false, stored: "4" });
  const late = await put(fault.applyLate(2000), "5");
  assert.ok(late.done && late.stored === "4");
  await eventually(() => kv.text("name") === "5", 2000);
  let answered = false;
  const waiting = put(fault.answerLate(2000), "6").finally(() => (answered = true));
  await eventually(() => kv.text("name") === "6", 2000);
  assert.ok(!answered, "it is there before the answer");
  assert.ok((await waiting).ms >= 2000);
  assert.ok((await put(undefined, "7")).done, "a fault ends after its times");
});

test("a killed process comes back on the same disk, and its output is kept", async (t) => {
  const { process, call, count } = await startSmall(t, await startKv(t));
  assert.equal(await count(), 1);
  await call("get", "name");
  await process.restart();
  assert.equal(await count(), 2);
  assert.match(process.stdout, /kv get/);
});

test("a configuration that workerd refuses is an error with its text", async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, "workerd.capnp");
  await writeFile(file, "nonsense");
  await assert.rejects(startWorkerd(t, file, ["http"]), /workerd has ended[^]*nonsense|workerd has ended[^]*error/);
});
