// Bodies stream both ways: whole, with their length, at the receiver's speed, and without being kept.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { request } from "./harness/client.mjs";
import { startKeyward } from "./harness/keyward.mjs";
import { fault } from "./harness/kv.mjs";
import { createKeys } from "./harness/management.mjs";
import { measured } from "./harness/memory.mjs";
import { startOrigin } from "./harness/origin.mjs";
import { patternHash, patternStream } from "./harness/pattern.mjs";

const LENGTH = 100_000_000;
/** Far below a body's length, and above what sockets and the collector's whims take. */
const MOST_GROWTH = 32 * 1024 * 1024;
/** What the buffers of four sockets on loopback may hold. */
const MOST_IN_SOCKETS = 160_000_000;
const TIMEOUT_MS = 400;
/** So long a record is fresh; the next use refreshes it in the background. */
const FRESH_MS = 10_100;

const TEXT = "The gateway hands this on as it is. ".repeat(1000);
const ENCODED = { gzip: gzipSync(TEXT), br: brotliCompressSync(TEXT) };

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/deaf"
origin = "\${DEAF}"

[[route]]
path = "/limited/**"
strip_prefix = "/limited"
origin = "\${ORIGIN}"
timeout_ms = ${TIMEOUT_MS}
`;

let written = 0;
function* endless() {
  for (const block = Buffer.alloc(65_536); ; written += block.length) yield block;
}

const origin = await startOrigin({ after }, {
  "/endless": (_, response) => void pipeline(Readable.from(endless()), response).catch(() => {}),
  "/encoded": (_, response, { query }) => {
    const encoding = query.get("encoding");
    response.writeHead(200, { "content-encoding": encoding, "content-type": "text/plain" }).end(ENCODED[encoding]);
  },
});
// Reads a request's head, and never its body.
const deaf = http.createServer(() => {}).listen(0, "127.0.0.1");
after(() => deaf.closeAllConnections());
after(() => deaf.close());
await once(deaf, "listening");
const vars = { ORIGIN: origin.url, DEAF: `http://127.0.0.1:${deaf.address().port}` };
// The second isolate has no meters: there KV alone is asked about an eventual key.
const gateway = await startKeyward({ after }, { gateway: GATEWAY, vars, isolates: 2, without: (isolate) => (isolate === 1 ? ["METERS"] : []) });
const [, withoutMeters] = gateway.urls;
const { server } = await createKeys(gateway, "acme", { server: { kind: "private" } });
const keys = await createKeys(gateway, "eventual", { slow: {}, silent: {} }, { revocation: "eventual" });
await fetch(gateway.url, { headers: { "x-api-key": server.secret } });
for (const { secret } of Object.values(keys)) await fetch(withoutMeters, { headers: { "x-api-key": secret } });
const warmed = Date.now();

/** A request to the gateway: { request, response: a promise }. */
function send(method, path, headers = {}) {
  const request = http.request({ port: gateway.port, host: "127.0.0.1", method, path, headers: { "x-api-key": server.secret, ...headers } });
  const response = once(request, "response").then(([response]) => response);
  return { request, response };
}

async function upload(path, length, headers) {
  const { request, response } = send("POST", path, headers);
  await pipeline(patternStream(length), request);
  return JSON.parse(await text(await response));
}

async function download(path) {
  const { request, response } = send("GET", path);
  request.end();
  const hash = createHash("sha256");
  const { headers } = await response;
  let length = 0;
  for await (const chunk of await response) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { headers, length, hash: hash.digest("hex") };
}

async function text(stream) {
  return Buffer.concat(await stream.toArray()).toString();
}

/** Nothing that is allocated once takes part in a measurement. */
async function warm() {
  await upload("/echo", 1_000_000, {});
  await download("/bytes?length=1000000");
}

/** Runs `act` and demands that the gateway's memory has not grown with the body. */
async function withoutGrowth(t, act) {
  await warm();
  const { before, peak, result } = await measured(gateway.process.pid, act);
  t.diagnostic(`resident memory: ${mb(before)} before, ${mb(peak)} at most`);
  assert.ok(peak - before < MOST_GROWTH, `from ${mb(before)} to ${mb(peak)}`);
  return result;
}

const mb = (bytes) => `${Math.round(bytes / 1e6)} MB`;

test("100 MB with a length go up byte for byte, with their length, and are not kept", async (t) => {
  const arrived = await withoutGrowth(t, () => upload("/echo", LENGTH, { "content-length": LENGTH }));
  assert.deepEqual([arrived.length, arrived.hash], [LENGTH, patternHash(LENGTH)]);
  const lengths = arrived.headers.filter(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  assert.deepEqual(lengths.map(([name, value]) => [name.toLowerCase(), value]), [["content-length", String(LENGTH)]]);
});

test("100 MB in chunks go up byte for byte, and are not kept", async (t) => {
  const arrived = await withoutGrowth(t, () => upload("/echo", LENGTH, { "transfer-encoding": "chunked" }));
  assert.deepEqual([arrived.length, arrived.hash], [LENGTH, patternHash(LENGTH)]);
  assert.ok(!arrived.headers.some(([name]) => /^content-length$/i.test(name)));
});

test("100 MB with a length come down byte for byte, with their length, and are not kept", async (t) => {
  const arrived = await withoutGrowth(t, () => download(`/bytes?length=${LENGTH}`));
  assert.deepEqual([arrived.length, arrived.hash], [LENGTH, patternHash(LENGTH)]);
  assert.deepEqual([arrived.headers["content-length"], arrived.headers["transfer-encoding"]], [String(LENGTH), undefined]);
});

test("100 MB in chunks come down byte for byte, and are not kept", async (t) => {
  const arrived = await withoutGrowth(t, () => download(`/bytes?length=${LENGTH}&chunked=1`));
  assert.deepEqual([arrived.length, arrived.hash], [LENGTH, patternHash(LENGTH)]);
  assert.deepEqual([arrived.headers["content-length"], arrived.headers["transfer-encoding"]], [undefined, "chunked"]);
});

test("an origin waits for a client that does not read", async (t) => {
  await withoutGrowth(t, async () => {
    const { request, response } = send("GET", "/endless");
    t.after(() => request.destroy());
    request.end();
    (await response).on("error", () => {}).pause();
    await settled(() => written);
    const waiting = written;
    assert.ok(waiting < MOST_IN_SOCKETS, `the origin could write ${mb(waiting)}`);
    (await response).resume();
    await until(() => written > waiting + LENGTH);
  });
});

test("a client waits for an origin that does not read", async (t) => {
  await withoutGrowth(t, async () => {
    const { request, response } = send("POST", "/deaf", { "transfer-encoding": "chunked" });
    t.after(() => request.destroy());
    response.catch(() => {});
    written = 0;
    pipeline(Readable.from(endless()), request).catch(() => {});
    await settled(() => written);
    assert.ok(written < MOST_IN_SOCKETS, `the client could send ${mb(written)}`);
  });
});

for (const encoding of Object.keys(ENCODED)) {
  for (const accepted of [encoding, undefined]) {
    test(`a body in ${encoding} comes down as it is, ${accepted ? "to a client that accepts it" : "also unasked"}`, async () => {
      const headers = { "x-api-key": server.secret, ...(accepted && { "accept-encoding": accepted }) };
      const response = await request(gateway.port, `/encoded?encoding=${encoding}`, { headers });
      assert.equal(response.header("content-encoding"), encoding);
      assert.ok(response.complete && response.bytes.equals(ENCODED[encoding]));
    });
  }

  test(`a body in ${encoding} goes up as it is`, async () => {
    const headers = { "x-api-key": server.secret, "content-encoding": encoding };
    const response = await request(gateway.port, "/echo", { method: "POST", headers, body: ENCODED[encoding] });
    const { hash, headers: arrived } = response.json();
    assert.equal(hash, createHash("sha256").update(ENCODED[encoding]).digest("hex"));
    assert.ok(arrived.some(([name, value]) => /^content-encoding$/i.test(name) && value === encoding));
  });
}

test("the first event of a stream arrives while the origin holds the next one back", async (t) => {
  const { request, response } = send("GET", "/events?count=2&every=20000");
  t.after(() => request.destroy());
  const started = Date.now();
  request.end();
  const { value } = await (await response)[Symbol.asyncIterator]().next();
  assert.equal(String(value), 'id: 1\ndata: {"event":1}\n\n');
  assert.ok(Date.now() - started < 20_000, `after ${Date.now() - started} ms`);
});

// KV answers in time, or never: then the gateway gives up after 2 s, while the stream still runs.
for (const [name, time] of [["slow", 1800], ["silent", 6000]]) {
  test(`an event stream outlives the time-out of its route while a refresh waits for a ${name} KV`, async (t) => {
    const { [name]: holder } = keys;
    await sleep(Math.max(0, warmed + FRESH_MS - Date.now()));
    t.after(gateway.kv.break("get", fault.slow(time), { times: 1 }));
    const reads = gateway.kv.recorded("get").length;
    const started = Date.now();
    const response = await fetch(`${withoutMeters}/limited/events?count=16&every=200`, { headers: { "x-api-key": holder.secret } });
    const pending = gateway.kv.recorded("get").slice(reads);
    assert.deepEqual(pending.map(({ answered }) => answered), [null], "a refresh is under way");
    const events = (await response.text()).match(/^id: \d+$/gm);
    assert.deepEqual(events, Array.from({ length: 16 }, (_, index) => `id: ${index + 1}`));
    assert.ok(Date.now() - started > 3000 && 3000 > 6 * TIMEOUT_MS);
  });
}

/** Waits until a number has stopped to change. */
async function settled(value) {
  let last;
  await until(async () => {
    last = value();
    await sleep(500);
    return value() === last;
  });
}

/** Waits until something is true. */
async function until(happened) {
  const limit = Date.now() + 30_000;
  while (!(await happened())) {
    assert.ok(Date.now() < limit, "it has not happened within 30 s");
    await sleep(20);
  }
}
