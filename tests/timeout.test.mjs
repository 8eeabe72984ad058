// Origins that do not answer: what the client hears, and when.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { startKeyward } from "./harness/keyward.mjs";
import { createKeys } from "./harness/management.mjs";
import { startOrigin } from "./harness/origin.mjs";

const TIMEOUT_MS = 500;
/** What a busy machine may add. */
const LATE_MS = 1500;
const PAGE = "https://app.example.com";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/limited/**"
strip_prefix = "/limited"
origin = "\${ORIGIN}"
timeout_ms = ${TIMEOUT_MS}

[[route]]
path = "/closed/**"
origin = "\${CLOSED}"

[[route]]
path = "/limited-closed/**"
origin = "\${CLOSED}"
timeout_ms = ${TIMEOUT_MS}

[[route]]
path = "/silent/**"
origin = "\${SILENT}"
timeout_ms = ${TIMEOUT_MS}

[[route]]
path = "/unknown/**"
origin = "http://origin.invalid"
`;

const origin = await startOrigin({ after }, {
  // The headers come at once, the body over a time that is longer than the limit.
  "/trickle": async (_, response) => {
    response.writeHead(200, { "content-length": 8 });
    for (const letter of "trickled") {
      response.write(letter);
      await sleep(TIMEOUT_MS / 4);
    }
    response.end();
  },
});
// Takes connections, and never answers.
const silent = createServer((socket) => after(() => socket.destroy())).listen(0, "127.0.0.1");
after(() => silent.close());
await once(silent, "listening");
const vars = { ORIGIN: origin.url, SILENT: `http://127.0.0.1:${silent.address().port}`, CLOSED: await closedAddress() };
const gateway = await startKeyward({ after }, { gateway: GATEWAY, vars });
const { server, page } = await createKeys(gateway, "acme", {
  server: { kind: "private" },
  page: { kind: "public", referrers: [PAGE] },
});

/** An address at which nobody listens. */
async function closedAddress() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return `http://127.0.0.1:${port}`;
}

async function call(path, init = {}) {
  const started = Date.now();
  const response = await fetch(gateway.url + path, { ...init, headers: { "x-api-key": server.secret, ...init.headers } });
  const ms = Date.now() - started;
  return { response, ms, text: await response.text() };
}

function assertProblem({ response, text }, status, code) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  const problem = JSON.parse(text);
  assert.deepEqual([problem.status, problem.code], [status, code]);
  assert.ok(!text.includes("127.0.0.1") && !text.includes("origin.invalid"), "the origin's address stays unknown");
}

for (const method of ["GET", "POST", "PUT", "DELETE"]) {
  test(`an origin that never answers a ${method} is a 504 when the route's time is over`, async () => {
    const body = ["POST", "PUT"].includes(method) ? "x".repeat(100_000) : undefined;
    const answer = await call("/limited/hang", { method, body });
    assertProblem(answer, 504, "origin_timeout");
    assert.ok(answer.ms >= TIMEOUT_MS && answer.ms < TIMEOUT_MS + LATE_MS, `after ${answer.ms} ms`);
  });
}

test("the origin's connection ends with the route's time", async () => {
  origin.forget();
  await call("/limited/hang");
  for (let tries = 0; origin.left.length === 0 && tries < 100; tries += 1) await sleep(20);
  assert.deepEqual(origin.left.map(({ path }) => path), ["/hang"]);
});

test("a HEAD that the origin never answers is a 504 without a body", async () => {
  const { response, text } = await call("/limited/hang", { method: "HEAD" });
  assert.deepEqual([response.status, text], [504, ""]);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
});

test("a web socket handshake that the origin never answers is a 504", async () => {
  assert.equal(await handshake("/silent/x"), 504);
});

test("a page reads why the origin did not answer", async () => {
  for (const [path, status, code] of [["/limited/hang", 504, "origin_timeout"], ["/closed/x", 502, "origin_unreachable"]]) {
    const answer = await call(path, { headers: { "x-api-key": page.secret, origin: PAGE } });
    assertProblem(answer, status, code);
    assert.equal(answer.response.headers.get("access-control-allow-origin"), PAGE);
  }
});

for (const [name, path] of [
  ["where nobody listens", "/closed/x"],
  ["where nobody listens, on a route with a time-out,", "/limited-closed/x"],
  ["whose name is unknown", "/unknown/x"],
  ["that closes the connection without an answer", "/drop"],
]) {
  test(`an origin ${name} is a 502 at once`, async () => {
    for (const init of [{}, { method: "POST", body: "x".repeat(100_000) }]) {
      const answer = await call(path, init);
      assertProblem(answer, 502, "origin_unreachable");
      assert.ok(answer.ms < LATE_MS, `after ${answer.ms} ms`);
    }
  });
}

test("a web socket handshake where nobody listens is a 502", async () => {
  assert.equal(await handshake("/closed/x"), 502);
});

test("no route has a time-out unless it names one", async () => {
  const { response, text, ms } = await call("/slow?ms=4000");
  assert.deepEqual([response.status, text], [200, "slow"]);
  assert.ok(ms >= 4000);
});

test("an answer within the route's time is handed on", async () => {
  const { response, text } = await call(`/limited/slow?ms=${TIMEOUT_MS / 5}`);
  assert.deepEqual([response.status, text], [200, "slow"]);
});

test("the route's time does not cut a body that comes slowly", async () => {
  const { response, text } = await call("/limited/trickle");
  assert.deepEqual([response.status, text], [200, "trickled"]);
});

test("the log says nothing about origins that did not answer but codes", () => {
  for (const value of [server.secret, page.secret, origin.url]) assert.ok(!gateway.log.includes(value));
});

/** The status with which a web socket's handshake is refused. */
async function handshake(path) {
  const socket = new WebSocket(gateway.url.replace("http", "ws") + path, { headers: { "x-api-key": server.secret } });
  socket.on("error", () => {});
  const [request, response] = await once(socket, "unexpected-response");
  request.destroy();
  return response.statusCode;
}
