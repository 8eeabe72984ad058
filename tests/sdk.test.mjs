// Programs on servers keep their clients and change two things: the base URL and the key. None of them
// is taken for a browser.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import OpenAI from "openai";
import { startChatOrigin, WORDS } from "./harness/chat-origin.mjs";
import { request } from "./harness/client.mjs";
import { startKeyward } from "./harness/keyward.mjs";
import { createKeys } from "./harness/management.mjs";
import { startOrigin } from "./harness/origin.mjs";
import { startPython } from "./harness/python.mjs";

const PAUSE_MS = 150;
const CREDENTIAL = "sk-the-origins-own-credential-4711";
const TEXT = WORDS.join("");

const GATEWAY = `
[[route]]
path = "/openai/**"
strip_prefix = "/openai"
origin = "\${CHAT}"
credential = { secret = "OPENAI_API_KEY", header = "authorization", template = "Bearer {secret}" }

[[route]]
path = "/api/**"
strip_prefix = "/api"
origin = "\${ORIGIN}"
`;

const python = await startPython();
const chat = await startChatOrigin({ after }, CREDENTIAL, PAUSE_MS);
const origin = await startOrigin({ after });
const vars = { CHAT: chat.url, ORIGIN: origin.url, OPENAI_API_KEY: CREDENTIAL };
const gateway = await startKeyward({ after }, { gateway: GATEWAY, vars });
const { server } = await createKeys(gateway, "acme", { server: { kind: "private" } });
const FORGED = `${server.secret.slice(0, -1)}${server.secret.endsWith("0") ? "1" : "0"}`;
const BASE_URL = `${gateway.url}/openai/v1`;
const curl = promisify(execFile).bind(undefined, "curl");
const withoutCurl = await curl(["--version"]).then(
  () => false,
  () => process.env.CI !== "true" && "curl is not installed. Get it (Debian: sudo apt-get install curl).",
);

beforeEach(() => {
  chat.requests.length = 0;
  origin.forget();
});

const MESSAGES = [{ role: "user", content: "Where do keys stay?" }];
const client = (apiKey) => new OpenAI({ baseURL: BASE_URL, apiKey, maxRetries: 0 });

/** The stand-in got one call, with its own credential, and nothing of the client's key. */
function assertChatSaw() {
  const [seen, ...others] = chat.requests;
  assert.deepEqual(others, []);
  assert.equal(seen.headers.authorization, `Bearer ${CREDENTIAL}`);
  assert.deepEqual([seen.headers["keyward-key-id"], seen.headers["keyward-project"]], [server.key.id, "acme"]);
  assert.ok(!JSON.stringify(seen).includes(server.secret));
  return seen;
}

test("openai for Node completes a chat", async () => {
  const answer = await client(server.secret).chat.completions.create({ model: "stand-in", messages: MESSAGES });
  assert.equal(answer.choices[0].message.content, TEXT);
  assert.deepEqual(JSON.parse(assertChatSaw().body).messages, MESSAGES);
});

test("openai for Node streams a chat, word by word", async () => {
  const stream = await client(server.secret).chat.completions.create({ model: "stand-in", messages: MESSAGES, stream: true });
  const [words, times] = [[], []];
  for await (const { choices } of stream) {
    if (choices[0].delta.content) words.push(choices[0].delta.content);
    times.push(Date.now());
  }
  assert.deepEqual(words, WORDS);
  assert.ok(times.at(-1) - times[0] > 3 * PAUSE_MS, "the words came one after another");
  assertChatSaw();
});

test("openai for Node reports a refused key as its own error", async () => {
  await assert.rejects(client(FORGED).chat.completions.create({ model: "stand-in", messages: MESSAGES }), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    assert.equal(error.status, 401);
    return true;
  });
  assert.deepEqual(chat.requests, []);
});

test("openai for Python completes a chat", { skip: python.skip }, async () => {
  const answer = await python.run("openai_client.py", { base_url: BASE_URL, key: server.secret, stream: false });
  assert.deepEqual(answer, { text: TEXT });
  assertChatSaw();
});

test("openai for Python streams a chat, word by word", { skip: python.skip }, async () => {
  const answer = await python.run("openai_client.py", { base_url: BASE_URL, key: server.secret, stream: true });
  assert.deepEqual([answer.text, answer.pieces], [TEXT, WORDS.length + 1]);
  assert.ok(answer.last_ms - answer.first_ms > 3 * PAUSE_MS, "the words came one after another");
  assertChatSaw();
});

test("openai for Python reports a refused key as its own error", { skip: python.skip }, async () => {
  const answer = await python.run("openai_client.py", { base_url: BASE_URL, key: FORGED, stream: false });
  assert.deepEqual(answer, { status: 401, code: "key_invalid" });
  assert.deepEqual(chat.requests, []);
});

/** Server clients by name: each sends a POST with JSON and returns { status, text }. */
const CLIENTS = {
  "Node's fetch": {
    async post(url, headers, body) {
      const response = await fetch(url, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) });
      return { status: response.status, text: await response.text() };
    },
    sends: ["sec-fetch-mode", "cors"],
  },
  curl: {
    skip: withoutCurl,
    async post(url, headers, body) {
      const lines = Object.entries({ ...headers, "content-type": "application/json" });
      const asked = ["--silent", "--data", JSON.stringify(body), "--write-out", "\n%{http_code}", url];
      const { stdout } = await curl([...asked, ...lines.flatMap(([name, value]) => ["--header", `${name}: ${value}`])]);
      const end = stdout.lastIndexOf("\n");
      return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
    },
  },
  "Python's requests": inPython("requests"),
  "Python's httpx": inPython("httpx"),
};

function inPython(client) {
  const post = (url, headers, json) => python.run("http_clients.py", { client, method: "POST", url, headers, json });
  return { skip: python.skip, post };
}

for (const [name, { post, skip, sends }] of Object.entries(CLIENTS)) {
  test(`${name} calls with a private key and is not taken for a browser`, { skip }, async () => {
    for (const headers of [{ authorization: `Bearer ${server.secret}` }, { "x-api-key": server.secret }]) {
      const { status, text } = await post(`${gateway.url}/api/echo?a=1`, headers, { hello: "grüße" });
      assert.equal(status, 200, text);
      const { method, target, body } = JSON.parse(text);
      assert.deepEqual([method, target, JSON.parse(body)], ["POST", "/echo?a=1", { hello: "grüße" }]);
      assert.deepEqual(origin.last.values("keyward-kind"), ["private"]);
      if (sends) assert.deepEqual(origin.last.values(sends[0]), [sends[1]], "the case is a real one");
    }
  });
}

const PAGE = "https://app.example.com";
for (const headers of [
  { origin: PAGE },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "same-origin" },
  { origin: PAGE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
]) {
  test(`a private key is refused from a browser that sends ${JSON.stringify(headers)}`, async () => {
    const answer = await request(gateway.port, "/api/echo", { headers: { "x-api-key": server.secret, ...headers } });
    assert.deepEqual([answer.status, answer.json().code], [403, "private_key_in_browser"]);
    assert.equal(answer.header("access-control-allow-origin"), headers.origin === PAGE ? PAGE : undefined);
    assert.deepEqual(origin.requests, []);
  });
}

for (const headers of [{ "sec-fetch-mode": "cors" }, { "sec-fetch-mode": "navigate" }, { "sec-fetch-site": "none" }, { origin: "" }]) {
  test(`a private key is taken from a program that sends ${JSON.stringify(headers)}`, async () => {
    const answer = await request(gateway.port, "/api/echo", { headers: { "x-api-key": server.secret, ...headers } });
    assert.equal(answer.status, 200, answer.text);
  });
}

test("the log holds no secret", () => {
  for (const secret of [server.secret, CREDENTIAL]) assert.ok(!gateway.log.includes(secret));
});
