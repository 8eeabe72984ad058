// A panic of a module is the end of one request: those beside it go on, and the next one finds a
// module that works, with nothing lost but what the isolate remembered. The gateway and the control
// plane are two modules; a panic of one is nothing to the other.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { breakable } from "./harness/breaking.mjs";
import { SECRETS, startKeyward } from "./harness/keyward.mjs";
import { fault } from "./harness/kv.mjs";
import { createKeys, management } from "./harness/management.mjs";
import { startOrigin } from "./harness/origin.mjs";

const CREDENTIAL = "the-origins-own-credential-4711";
const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
credential = { secret = "CREDENTIAL", header = "x-origin-token" }
`;

const origin = await startOrigin({ after });
const gateway = await startKeyward({ after }, { gateway: GATEWAY, vars: { ORIGIN: origin.url, CREDENTIAL }, change: breakable });
const { server } = await createKeys(gateway, "acme", { server: { kind: "private" } });
const MANAGER = { authorization: `Bearer ${await gateway.managementKey()}` };

/** Each way to break a module: which one, and the call that does it. */
const BREAKS = {
  "the decision": ["gateway", "/echo", { "x-api-key": server.secret, "x-break": "handle" }],
  "the planning of an answer": ["gateway", "/headers?x-break=answer", { "x-api-key": server.secret }],
  "a future of the management API": ["control", "/_keyward/v1/projects", { ...MANAGER, "x-break-control": "panic" }],
  "an exception that Rust does not expect": ["control", "/_keyward/v1/projects", { ...MANAGER, "x-break-control": "exception" }],
};
const CONTROL = "a future of the management API";

async function call(path, headers = { "x-api-key": server.secret }, init = {}) {
  const response = await fetch(gateway.url + path, { ...init, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** How many instances of each module there have been. */
async function instances() {
  const count = async (...parameters) => Number((await call(...parameters)).headers.get("instances"));
  return {
    gateway: await count("/echo", { "x-break": "count" }),
    control: await count("/_keyward/v1/projects", { "x-break-control": "count" }),
  };
}

/** The instances that there were before the test, and as many more of one module. */
const more = (module, count) => ({ ...before, [module]: before[module] + count });

async function breakModule(name = "the decision") {
  const started = Date.now();
  const [, ...parameters] = BREAKS[name];
  const answer = await call(...parameters);
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [500, "application/problem+json"]);
  assert.equal(JSON.parse(answer.text).code, "internal_error");
  assert.ok(Date.now() - started < 2000, "at once");
}

let before;
beforeEach(async () => void (before = await instances()));

for (const [name, [module]] of Object.entries(BREAKS)) {
  test(`a panic in ${name} is a 500 for that request, and the next ones are served`, async () => {
    await breakModule(name);
    for (let index = 0; index < 10; index += 1) {
      assert.equal((await call(`/echo?${index}`)).status, 200);
      assert.equal((await call("/_keyward/v1/projects", MANAGER)).status, 200);
    }
    assert.deepEqual(await instances(), more(module, 1));
  });
}

test("after a panic the origin still gets the credential, and a forged key is still refused", async () => {
  await call("/echo");
  await breakModule();
  const forged = `${server.secret.slice(0, -1)}${server.secret.endsWith("0") ? "1" : "0"}`;
  assert.equal((await call("/echo", { "x-api-key": forged })).status, 401);
  assert.equal((await call("/echo")).status, 200);
  assert.deepEqual(origin.last.values("x-origin-token"), [CREDENTIAL]);
  assert.deepEqual(origin.last.values("keyward-key-id"), [server.key.id]);
});

for (const traffic of [false, true]) {
  test(`neighbours of a panic finish, ${traffic ? "with" : "without"} other requests meanwhile`, async () => {
    const earlier = origin.requests.length;
    const slow = call("/slow?ms=2000");
    const events = call("/events?count=10&every=200");
    const upload = call("/echo", { "x-api-key": server.secret }, { method: "POST", body: slowly("part", 10), duplex: "half" });
    // The upload is not over for longer than these need to arrive.
    await until(() => origin.requests.length >= earlier + 2);
    await breakModule();
    if (traffic) for (let index = 0; index < 20; index += 1) assert.equal((await call("/echo")).status, 200);
    const [waited, streamed, uploaded] = await Promise.all([slow, events, upload]);
    assert.deepEqual([waited.status, waited.text], [200, "slow"]);
    assert.equal(waited.headers.get("cache-control"), "private", "its answer is cleaned as any other");
    assert.equal(streamed.text.match(/^id: /gm).length, 10);
    assert.equal(JSON.parse(uploaded.text).body, "part".repeat(10));
  });
}

async function* slowly(part, count) {
  for (let index = 0; index < count; index += 1) {
    yield Buffer.from(part);
    await sleep(150);
  }
}

test("neighbours that wait for KV, or are refused while they still send, finish as well", async (t) => {
  const { cold, limited } = await createKeys(gateway, "acme", { cold: {}, limited: { limits: { rate: [{ limit: 100, window_s: 60 }] } } });
  const forged = `${server.secret.slice(0, -1)}${server.secret.endsWith("0") ? "1" : "0"}`;
  t.after(gateway.kv.break("get", fault.slow(1000)));
  const reading = [cold, limited].map(({ secret }) => call("/echo", { "x-api-key": secret }));
  const refused = call("/echo", { "x-api-key": forged }, { method: "POST", body: slowly("part", 10), duplex: "half" });
  await sleep(300);
  await breakModule();
  assert.deepEqual((await Promise.all(reading)).map(({ status }) => status), [200, 200]);
  assert.equal((await refused).status, 401);
  assert.deepEqual(await instances(), more("gateway", 1));
});

test("an open web socket outlives a panic", async (t) => {
  const socket = new WebSocket(gateway.url.replace("http", "ws"), { headers: { "x-api-key": server.secret } });
  t.after(() => socket.terminate());
  await once(socket, "open");
  await breakModule();
  socket.send("still here");
  assert.equal(String((await once(socket, "message"))[0]), "still here");
});

test("ten panics under load cost no neighbour its answer", async () => {
  let running = true;
  let answers = 0;
  const statuses = {};
  const load = Array.from({ length: 8 }, async () => {
    while (running) {
      const { status } = await call("/echo");
      statuses[status] = (statuses[status] ?? 0) + 1;
      answers += 1;
    }
  });
  for (let index = 0; index < 10; index += 1) {
    const earlier = answers;
    await until(() => answers > earlier + 20);
    await breakModule();
  }
  running = false;
  await Promise.all(load);
  assert.deepEqual(Object.keys(statuses), ["200"], JSON.stringify(statuses));
  assert.deepEqual(await instances(), more("gateway", 10));
});

test("the registries work after a panic: a new key is published and serves", async () => {
  await breakModule(CONTROL);
  const { late } = await createKeys(gateway, "acme", { late: {} });
  assert.equal(late.publication, "published");
  assert.equal((await call("/echo", { "x-api-key": late.secret })).status, 200);
});

test("a panic in a registry costs one call", async () => {
  const broken = await call("/_keyward/v1/projects", { ...MANAGER, "x-break-control": "registry" });
  assert.ok(broken.status === 500 || broken.status === 503, broken.text);
  assert.equal((await call("/_keyward/v1/projects", MANAGER)).status, 200);
  assert.equal((await call("/echo")).status, 200);
});

test("a change that a panic interrupts is answered at once, and published all the same", async (t) => {
  const published = () => new Set(gateway.kv.recorded("put").filter(({ applied }) => applied).map(({ name }) => name)).size;
  const earlier = published();
  const slow = gate();
  t.after(gateway.kv.break("put", fault.slow(slow.opened)));
  const api = management(gateway);
  const creating = api.createKey("acme", { name: "interrupted" });
  const refused = assert.rejects(creating, (error) => error.status === 500 && error.problem.code === "internal_error");
  await until(writing);
  await breakModule(CONTROL);
  await refused;
  slow.open();
  const { items } = await api.listKeys("acme", "q=interrupted");
  assert.deepEqual(items.map(({ name }) => name), ["interrupted"]);
  await until(() => published() === earlier + 1);
});

test("what the lost instance waited for does not reach the new one", async (t) => {
  const slow = gate();
  t.after(gateway.kv.break("put", fault.slow(slow.opened), { times: 2 }));
  const creating = management(gateway).createKey("acme", { name: "waiting" }).catch((error) => error);
  await until(writing);
  await breakModule(CONTROL);
  await creating;
  // The old instance's write ends before anybody calls the new one.
  slow.open();
  await until(() => !writing());
  await sleep(300);
  for (let index = 0; index < 10; index += 1) assert.equal((await call("/_keyward/v1/projects", MANAGER)).status, 200);
  assert.deepEqual(await instances(), more("control", 1));
});

test("a panic of the control plane costs the gateway nothing that it remembers", async () => {
  await call("/echo");
  const reads = () => gateway.kv.recorded("get").length;
  const earlier = reads();
  await breakModule(CONTROL);
  assert.equal((await call("/echo")).status, 200);
  assert.equal(reads(), earlier);
});

test("a panic of the gateway interrupts no change of the control plane", async (t) => {
  const slow = gate();
  t.after(gateway.kv.break("put", fault.slow(slow.opened)));
  const creating = management(gateway).createKey("acme", { name: "undisturbed" });
  await until(writing);
  await breakModule();
  slow.open();
  assert.equal((await creating).publication, "published");
  assert.deepEqual(await instances(), more("gateway", 1));
});

test("the log names the place of a panic, and quotes nothing", async () => {
  await breakModule(CONTROL);
  await until(() => gateway.log.includes('"internal_error"'));
  assert.match(gateway.log, /"file":"worker-[\d.]+\/src\/delay.rs"/);
  for (const secret of [server.secret, CREDENTIAL, "quoted-by-a-panic", ...Object.values(SECRETS)]) {
    assert.ok(!gateway.log.includes(secret), secret);
  }
});

/** Whether a write has come to KV that is not answered yet. */
function writing() {
  return gateway.kv.recorded("put").some(({ answered }) => answered === null);
}

/** A promise with its key: `open()` lets all pass who wait for `opened`. */
function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { opened, open };
}

/** Waits until something is true. */
async function until(happened) {
  const limit = Date.now() + 30_000;
  while (!happened()) {
    assert.ok(Date.now() < limit, "it has not happened within 30 s");
    await sleep(20);
  }
}
