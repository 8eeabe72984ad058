// A page in Chromium that calls the API through the gateway, from the website that its key allows.
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withoutChromium } from "./harness/chromium.mjs";
import { call, CREDENTIAL, startScene } from "./harness/scene.mjs";

const JSON_TYPE = { "content-type": "application/json" };

test("a page of an allowed website", { skip: withoutChromium }, async (t) => {
  let release;
  const scene = await startScene(t, {
    /** An event, and another one when the test says so. */
    "/held": async (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: first\n\n");
      await new Promise((done) => (release = done));
      response.end("data: second\n\n");
    },
  });
  const { gateway, origin } = scene;
  const api = (path) => `${gateway.url}/api${path}`;

  await t.test("gets an answer, and the origin gets its own credential instead of the key", async (t) => {
    const page = await scene.open(t);
    const answer = await call(page, api("/echo?a=1"), { headers: scene.bearer() });
    assert.equal(answer.status, 200);
    assert.equal(answer.type, "cors");
    assert.equal(answer.headers["cache-control"], "private");
    assert.equal(JSON.parse(answer.text).target, "/echo?a=1");
    scene.assertOriginSaw("GET /echo?a=1");
    assert.deepEqual(origin.last.values("authorization"), [`Bearer ${CREDENTIAL}`]);
    assert.deepEqual(origin.last.values("keyward-kind"), ["public"]);
    assert.deepEqual(origin.last.values("keyward-project"), ["acme"]);
  });

  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    await t.test(`sends JSON with ${method} after a preflight that the origin never sees`, async (t) => {
      const page = await scene.open(t);
      const body = JSON.stringify({ text: "größer als 😀" });
      const headers = { ...JSON_TYPE, "x-custom": "1", "x-api-key": scene.keys.public };
      const answer = await call(page, api("/echo"), { method, headers, body });
      assert.equal(answer.status, 200);
      scene.assertOriginSaw(`${method} /echo`);
      assert.equal(origin.last.text, body);
      assert.deepEqual(origin.last.values("x-custom"), ["1"]);
      assert.deepEqual(origin.last.values("x-api-key"), []);
    });
  }

  await t.test("reads an event while the stream is still open", async (t) => {
    const page = await scene.open(t);
    const first = await page.evaluate(readFirst, [api("/held"), { headers: scene.bearer() }]);
    assert.equal(first, "data: first\n\n");
    release();
    assert.equal(await page.evaluate(readRest), "data: second\n\n");
    scene.assertOriginSaw("GET /held");
  });

  await t.test("listens with an EventSource on a route that takes the key from the query", async (t) => {
    const page = await scene.open(t);
    const events = await page.evaluate(listen, [scene.tag("/events?count=3"), 3]);
    assert.deepEqual(events, ['{"event":1}', '{"event":2}', '{"event":3}']);
    assert.equal(origin.requests[0].target, "/events?count=3");
  });

  await t.test("talks over a WebSocket on a route that takes the key from the query", async (t) => {
    const page = await scene.open(t);
    const answer = await page.evaluate(talk, [scene.tag("/socket").replace("http:", "ws:"), "hello"]);
    assert.equal(answer, "hello");
    scene.assertOriginSaw("GET /socket");
  });

  await t.test("uploads three megabytes unchanged", async (t) => {
    const page = await scene.open(t);
    const { status, hash } = await page.evaluate(upload, [api("/echo"), scene.bearer(), 3_000_000]);
    assert.equal(status, 200);
    scene.assertOriginSaw("PUT /echo");
    assert.equal(origin.last.length, 3_000_000);
    assert.equal(origin.last.hash, hash);
  });

  await t.test("reads the response headers that the route exposes, and no others", async (t) => {
    const page = await scene.open(t);
    const sent = new URLSearchParams({
      "x-total": "42",
      "x-inner": "1",
      "access-control-allow-origin": "https://elsewhere.example",
      "access-control-expose-headers": "x-inner",
      vary: "accept",
    });
    const { status, headers } = await call(page, api(`/headers?${sent}`), { headers: scene.bearer() });
    assert.equal(status, 200);
    assert.equal(headers["x-total"], "42");
    assert.equal(headers["x-inner"], undefined);
  });

  await t.test("follows the origin's redirect through the gateway, with its key", async (t) => {
    const page = await scene.open(t);
    const to = encodeURIComponent(`${origin.url}/echo?moved`);
    const answer = await call(page, api(`/redirect?to=${to}`), { headers: scene.bearer() });
    assert.equal(answer.status, 200);
    assert.equal(answer.url, api("/echo?moved"));
    scene.assertOriginSaw(`GET /redirect?to=${to}`, "GET /echo?moved");
    assert.deepEqual(origin.last.values("authorization"), [`Bearer ${CREDENTIAL}`]);
  });

  await t.test("leaves a keepalive call behind when it closes", async (t) => {
    const page = await scene.open(t);
    const headers = { ...JSON_TYPE, ...scene.bearer() };
    // A preflight has to be answered before the page may go.
    await call(page, api("/slow?ms=0"), { method: "POST", headers, body: "{}" });
    const arrived = arrival(origin, "/left");
    await page.evaluate(([url, init]) => void fetch(url, init), [api("/left"), { method: "POST", headers, body: '{"bye":1}', keepalive: true }]);
    await page.close();
    assert.equal((await arrived).text, '{"bye":1}');
  });

  await t.test("sends a beacon on a route that takes the key from the query", async (t) => {
    const page = await scene.open(t);
    const arrived = arrival(origin, "/beacon");
    assert.equal(await page.evaluate((url) => navigator.sendBeacon(url, "bye"), scene.tag("/beacon")), true);
    assert.equal((await arrived).text, "bye");
    scene.assertOriginSaw("POST /beacon");
  });

  scene.assertLogIsClean();
});

/** The request to a path, when it has arrived whole. */
async function arrival(origin, path) {
  for (const limit = Date.now() + 10_000; Date.now() < limit; await sleep(20)) {
    const found = origin.requests.find((request) => request.path === path && request.hash);
    if (found) return found;
  }
  throw new Error(`nothing has arrived at ${path}`);
}

// What follows runs in the page.

async function readFirst([url, init]) {
  const response = await fetch(url, init);
  window.reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  return (await window.reader.read()).value;
}

async function readRest() {
  let text = "";
  for (let part = await window.reader.read(); !part.done; part = await window.reader.read()) text += part.value;
  return text;
}

function listen([url, count]) {
  return new Promise((resolve, reject) => {
    const events = [];
    const source = new EventSource(url);
    source.onerror = () => reject(new Error("the event stream has failed"));
    source.onmessage = ({ data }) => {
      if (events.push(data) < count) return;
      source.close();
      resolve(events);
    };
  });
}

function talk([url, text]) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send(text);
    socket.onmessage = ({ data }) => {
      socket.close();
      resolve(data);
    };
    socket.onerror = () => reject(new Error("the WebSocket has failed"));
  });
}

async function upload([url, headers, length]) {
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 7919) >> 3);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const { status } = await fetch(url, { method: "PUT", headers, body: new Blob([bytes]) });
  return { status, hash: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
