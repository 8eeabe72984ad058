// Web sockets pass through the gateway; a handshake is a request like any other, with one exception:
// its `Origin` does not make a browser of the holder of a private key.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { startKeyward } from "./harness/keyward.mjs";
import { createKeys } from "./harness/management.mjs";
import { startPython } from "./harness/python.mjs";
import { startSocketOrigin } from "./harness/socket-origin.mjs";

const PAGE = "https://app.example.com";
const CREDENTIAL = "the-origins-own-credential-4711";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
key_in = ["bearer", "header:x-api-key", "query:key"]
credential = { secret = "CREDENTIAL", header = "x-origin-token" }

[[route]]
path = "/cookies"
origin = "\${ORIGIN}"
cookies = true
key_in = ["query:key"]
`;

const python = await startPython();
const origin = await startSocketOrigin({ after }, {
  headers: [
    "Set-Cookie: session=1",
    "Set-Cookie: other=2",
    `X-Debug: token ${CREDENTIAL}`,
    "Keyward-Key-Id: forged",
    "Access-Control-Allow-Origin: *",
    "X-Kept: kept",
  ],
  refuse: (target) => (target === "/refused" ? 418 : undefined),
});
const gateway = await startKeyward({ after }, { gateway: GATEWAY, vars: { ORIGIN: origin.url, CREDENTIAL } });
const { server, page } = await createKeys(gateway, "acme", {
  server: { kind: "private", owner: "jane", scopes: ["chat:write"] },
  page: { kind: "public", referrers: [PAGE] },
});
const ADDRESS = gateway.url.replace("http", "ws");
const BEARER = { authorization: `Bearer ${server.secret}` };

beforeEach(() => void (origin.handshakes.length = 0));

/** An open socket, with `accepted`: the answer to its handshake. */
async function open(t, path, { protocols = [], ...options } = {}) {
  const socket = new WebSocket(ADDRESS + path, protocols, options);
  t.after(() => socket.terminate());
  const [accepted] = await Promise.all([once(socket, "upgrade"), once(socket, "open")]);
  return Object.assign(socket, { accepted: accepted[0] });
}

async function echo(socket, message) {
  socket.send(message);
  const [data, isBinary] = await once(socket, "message");
  return isBinary ? data : data.toString();
}

/** The status and the problem's code of a refused handshake. */
async function refused(path, options) {
  const socket = new WebSocket(ADDRESS + path, options);
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  const text = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode, text, code: text.startsWith("{") ? JSON.parse(text).code : undefined };
}

/** How the origin has seen the socket with this target end. */
async function closedAtOrigin(path) {
  let found;
  for (let tries = 0; !found && tries < 250; tries += 1) {
    found = origin.closed.find(({ target }) => target === path);
    await sleep(20);
  }
  return [found?.code, found?.reason];
}

test("text and bytes of any size come back, in their order", async (t) => {
  const socket = await open(t, "/", { headers: BEARER });
  assert.equal(await echo(socket, "grüße"), "grüße");
  for (const size of [0, 1, 70_000, 900_000]) {
    const bytes = randomBytes(size);
    assert.ok((await echo(socket, bytes)).equals(bytes), `${size} bytes`);
  }
  const arrived = [];
  socket.on("message", (data) => arrived.push(Number(data)));
  const numbers = Array.from({ length: 500 }, (_, index) => index);
  for (const number of numbers) socket.send(String(number));
  while (arrived.length < numbers.length) await once(socket, "message");
  assert.deepEqual(arrived, numbers);
});

test("the origin chooses among the client's subprotocols", async (t) => {
  const socket = await open(t, "/", { headers: BEARER, protocols: ["chat.v1", "chat.v2"] });
  assert.equal(socket.protocol, "chat.v2");
  assert.deepEqual(origin.handshakes[0].values("sec-websocket-protocol").join(", ").split(/, */), ["chat.v1", "chat.v2"]);
});

for (const [code, reason] of [[1000, "done"], [1001, ""], [3000, "library"], [4999, "gründlich"]]) {
  test(`a close with ${code} reaches the other side, whichever begins`, async (t) => {
    const closing = await open(t, `/closing/${code}`, { headers: BEARER });
    closing.close(code, reason);
    assert.deepEqual(await closedAtOrigin(`/closing/${code}`), [code, reason]);

    const closed = await open(t, `/closed/${code}`, { headers: BEARER });
    closed.send(`close ${code} ${reason}`);
    const [received, text] = await once(closed, "close");
    assert.deepEqual([received, text.toString()], [code, reason]);
  });
}

test("a close without a code stays one", async (t) => {
  const socket = await open(t, "/silent", { headers: BEARER });
  socket.close();
  assert.deepEqual(await closedAtOrigin("/silent"), [1005, ""]);
});

test("the origin hears of a client that is gone without a word", async (t) => {
  const socket = await open(t, "/gone", { headers: BEARER });
  socket.terminate();
  assert.deepEqual(await closedAtOrigin("/gone"), [1006, ""]);
});

test("the handshake carries who is calling and the origin's credential, and no key", async (t) => {
  const forged = { "keyward-key-id": "boss", keyward_owner: "boss", "x-origin-token": "guess" };
  await open(t, "/room?a=1&a=2", { headers: { ...BEARER, ...forged, "x-other": "stays" } });
  const [seen] = origin.handshakes;
  assert.equal(seen.target, "/room?a=1&a=2");
  const expected = {
    "keyward-key-id": [server.key.id],
    "keyward-project": ["acme"],
    "keyward-environment": ["live"],
    "keyward-kind": ["private"],
    "keyward-owner": ["jane"],
    "keyward-scopes": ["chat:write"],
    keyward_owner: [],
    authorization: [],
    "x-origin-token": [CREDENTIAL],
    "x-other": ["stays"],
  };
  for (const [name, values] of Object.entries(expected)) assert.deepEqual(seen.values(name), values, name);
  assert.ok(!JSON.stringify(seen.lines).includes(server.secret));
});

test("the handshake's Origin does not make a browser of the holder of a private key", async (t) => {
  const socket = await open(t, "/", { headers: { ...BEARER, origin: "http://127.0.0.1" } });
  assert.equal(await echo(socket, "hello"), "hello");
});

test("a page's socket works with its public key in the query, which the origin never sees", async (t) => {
  const socket = await open(t, `/room?key=${page.secret}&x=1`, { headers: { origin: PAGE, cookie: "session=1" } });
  assert.equal(await echo(socket, "hello"), "hello");
  const [seen] = origin.handshakes;
  assert.equal(seen.target, "/room?x=1");
  assert.deepEqual([seen.values("keyward-kind"), seen.values("cookie")], [["public"], []]);
  assert.ok(!JSON.stringify(seen.lines).includes(page.secret));
});

for (const [name, path, headers, status, code] of [
  ["no key", "/", {}, 401, "key_missing"],
  ["a forged key", "/", { authorization: `Bearer ${server.secret.slice(0, -1)}${server.secret.endsWith("0") ? "1" : "0"}` }, 401, "key_invalid"],
  ["a page's key from another website", `/?key=${page.secret}`, { origin: "https://evil.example" }, 403, "referrer_denied"],
  ["a page's key without an Origin", `/?key=${page.secret}`, {}, 403, "referrer_denied"],
  ["a private key in the query", `/?key=${server.secret}`, {}, 403, "kind_not_accepted"],
  ["two different keys", `/?key=${page.secret}`, { ...BEARER, origin: PAGE }, 400, "key_ambiguous"],
  ["a key as subprotocol", "/", { "sec-websocket-protocol": server.secret }, 401, "key_missing"],
]) {
  test(`a handshake with ${name} is refused before the origin hears of it`, async () => {
    const answer = await refused(path, { headers });
    assert.deepEqual([answer.status, answer.code], [status, code]);
    assert.deepEqual(origin.handshakes, []);
  });
}

test("a handshake that the origin refuses is refused with the origin's answer", async () => {
  const { status, text } = await refused("/refused", { headers: BEARER });
  assert.deepEqual([status, text], [418, "refused by the origin"]);
});

for (const [name, path, cookies] of [["", "/", undefined], [", but cookies where the route allows them", "/cookies", ["session=1", "other=2"]]]) {
  test(`the accepted handshake is cleaned of what a page must not get${name}`, async (t) => {
    const { accepted } = await open(t, `${path}?key=${page.secret}`, { headers: { origin: PAGE } });
    const names = ["set-cookie", "keyward-key-id", "x-kept"];
    assert.deepEqual(names.map((header) => accepted.headers[header]), [cookies, undefined, "kept"]);
    assert.notEqual(accepted.headers["access-control-allow-origin"], "*");
  });
}

test("the accepted handshake does not show the origin's credential", async (t) => {
  const { accepted } = await open(t, "/", { headers: BEARER });
  assert.ok(!JSON.stringify(accepted.rawHeaders).includes(CREDENTIAL));
  assert.deepEqual([accepted.headers["x-debug"], accepted.headers["x-kept"]], [undefined, "kept"]);
});

for (const client of ["websockets", "websocket-client"]) {
  test(`Python's ${client} speaks through the gateway with a private key`, { skip: python.skip }, async () => {
    const given = { client, url: `${ADDRESS}/room`, protocol: "chat.v1", message: "grüße" };
    const met = await python.run("websocket_clients.py", { ...given, headers: BEARER });
    assert.deepEqual(met, { protocol: "chat.v1", echo: "grüße", close: [4001, "enough"] });
    assert.deepEqual(origin.handshakes[0].values("keyward-key-id"), [server.key.id]);
    assert.deepEqual(await python.run("websocket_clients.py", { ...given, headers: {} }), { status: 401 });
  });
}

test("the log holds no secret", () => {
  for (const secret of [server.secret, page.secret, CREDENTIAL]) assert.ok(!gateway.log.includes(secret));
});
