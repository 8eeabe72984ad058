// The body guard: the injected secret never comes back in a body, and everything else does.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { measured } from "./harness/memory.mjs";
import { patternHash } from "./harness/pattern.mjs";
import { startStage } from "./harness/stage.mjs";

const SECRET = "sk-guarded/+&0123456789";
const STARS = "*".repeat(SECRET.length);
const LENGTH = 100_000_000;
const MOST_GROWTH = 32 * 1024 * 1024;

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
guard_body = true
credential = { secret = "GUARDED", header = "authorization", template = "Bearer {secret}" }

[[route]]
path = "/open/**"
strip_prefix = "/open"
origin = "\${ORIGIN}"
credential = { secret = "GUARDED", header = "authorization", template = "Bearer {secret}" }
`;

/** Writes each part by itself, so that they arrive apart. */
async function parted(response, parts, headers = {}) {
  response.writeHead(200, headers);
  response.flushHeaders();
  for (const part of parts) {
    response.write(part);
    await sleep(30);
  }
  response.end();
}

const coded = (coding, bytes) => (_, response) => response.writeHead(200, { "content-encoding": coding, "content-length": bytes.length }).end(bytes);
const TEXT = `before ${SECRET} after`;
const MASKED = `before ${STARS} after`;
// Some stand across the pieces in which it arrives.
const MANY = Array.from({ length: 20_000 }, (_, number) => `${number} ${SECRET} `).join("");
let sent = 0;

const stage = await startStage({ after }, {
  gateway: GATEWAY,
  keys: { server: { kind: "private" } },
  credentials: { GUARDED: SECRET },
  answers: {
    "/text": (_, response) => response.writeHead(200, { "content-length": TEXT.length, etag: '"1"' }).end(TEXT),
    "/slow": (_, response) => parted(response, [...TEXT].map((_, at) => TEXT.slice(at, at + 1)), { "content-length": TEXT.length }),
    "/cut": (_, response) => parted(response, [...TEXT].map((_, at) => TEXT.slice(at, at + 1))),
    "/events": (_, response) => parted(response, [`data: ${SECRET.slice(0, 6)}`, `${SECRET.slice(6)}\n\n`, "data: s\n\n", "data: end\n\n"], { "content-type": "text/event-stream" }),
    "/spelled": (_, response) => response.end([encodeURIComponent(SECRET), encodeURIComponent(SECRET).toLowerCase(), JSON.stringify({ at: SECRET }), JSON.stringify(SECRET).replaceAll("/", "\\/")].join("\n")),
    "/nearly": (_, response) => response.end(SECRET.slice(0, -1)),
    "/gzip": coded("gzip", gzipSync(TEXT)),
    "/br": coded("br", brotliCompressSync(TEXT)),
    "/deflate": coded("deflate", deflateSync(TEXT)),
    "/twice": coded("gzip, gzip", gzipSync(gzipSync(TEXT))),
    "/upper": coded("GZIP", gzipSync(TEXT)),
    "/behind": coded("identity, gzip", gzipSync(TEXT)),
    "/before": coded("gzip, identity", gzipSync(TEXT)),
    "/lines": coded(["gzip", "gzip"], gzipSync(gzipSync(TEXT))),
    "/other-lines": coded(["identity", "gzip"], gzipSync(TEXT)),
    "/identity": coded("identity", Buffer.from(TEXT)),
    "/broken": (request, response) => {
      const { searchParams: query } = new URL(request.url, "http://origin");
      response.writeHead(200, query.has("length") ? { "content-length": query.get("length") } : {});
      response.flushHeaders();
      response.write("x".repeat(query.get("sends") ?? 100));
      setTimeout(() => response.destroy(), 50);
    },
    "/many": (_, response) => response.end(MANY),
    "/endless": (_, response) => {
      const block = Buffer.alloc(65_536, "x");
      const go = () => {
        while (!response.destroyed && response.write(block)) sent += block.length;
        if (!response.destroyed) response.once("drain", go);
      };
      response.writeHead(200);
      go();
    },
  },
});
const key = "server";
const header = (answer, name) => answer.header(name);

test("the secret is overwritten, the length holds, and the rest stays", async () => {
  const answer = await stage.passes("/text", { key });
  assert.deepEqual([answer.status, answer.text], [200, MASKED]);
  assert.equal(header(answer, "content-length"), String(TEXT.length));
  assert.equal(header(answer, "etag"), '"1"');
  assert.equal((await stage.passes("/cut", { key })).text, MASKED);
  assert.equal((await stage.passes("/slow", { key })).text, MASKED);
  assert.equal((await stage.passes("/open/text", { key })).text, TEXT, "only where the route says so");
});

test("as URLs and JSON spell it, too; what only begins like it stays", async () => {
  const { text } = await stage.passes("/spelled", { key });
  assert.ok(!/guarded/.test(text), text);
  assert.match(text, /^\*+\n\*+\n\{"at":"\*+"\}\n"\*+"$/);
  assert.equal((await stage.passes("/nearly", { key })).text, SECRET.slice(0, -1));
});

test("the origin is asked for a whole body without a coding", async () => {
  const headers = { "accept-encoding": "br, gzip", range: "bytes=0-9", "if-range": '"1"' };
  const { seen } = await stage.passes("/echo", { key, headers });
  assert.deepEqual([seen.values("accept-encoding"), seen.values("range"), seen.values("if-range")], [["identity"], [], []]);
  const open = await stage.passes("/open/echo", { key, headers });
  assert.deepEqual(open.seen.values("range"), ["bytes=0-9"]);
});

test("a coding that can be read is searched, and no other is passed on", async () => {
  const gzip = await stage.passes("/gzip", { key });
  assert.deepEqual([gzip.status, gzip.text], [200, MASKED]);
  assert.equal(header(gzip, "content-encoding"), undefined);
  assert.equal((await stage.passes("/identity", { key })).text, MASKED);
  for (const target of ["/br", "/deflate", "/twice", "/upper", "/behind", "/before", "/lines", "/other-lines"]) {
    const answer = await stage.call(target, { key });
    assert.deepEqual([answer.status, JSON.parse(answer.text).code], [502, "answer_unguarded"], target);
    assert.equal(header(answer, "content-encoding"), undefined);
  }
});

test("a switch of protocols is not passed on", async () => {
  const headers = { connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  const answer = await stage.call("/socket", { key, headers });
  assert.deepEqual([answer.status, JSON.parse(answer.text).code], [502, "answer_unguarded"]);
});

test("answers without a body are what they were", async () => {
  for (const is of [204, 304]) {
    const answer = await stage.call(`/status?is=${is}`, { key });
    assert.deepEqual([answer.status, answer.text], [is, ""]);
  }
  const head = await stage.call("/text", { key, method: "HEAD" });
  assert.deepEqual([head.status, head.text, header(head, "content-length")], [200, "", String(TEXT.length)]);
  const empty = await stage.call("/bytes?length=0", { key });
  assert.deepEqual([empty.status, empty.text, header(empty, "content-length")], [200, "", "0"]);
});

test("events come when they are sent, but for the beginning of a secret", async () => {
  const request = http.get({ port: stage.port, path: "/events", headers: { "x-api-key": stage.keys.server } });
  const [response] = await once(request, "response");
  const parts = [];
  for await (const part of response) parts.push(part.toString());
  assert.equal(parts.join(""), `data: ${STARS}\n\ndata: s\n\ndata: end\n\n`);
  assert.ok(parts.length >= 3, JSON.stringify(parts));
  assert.equal(parts[0], "data: ");
});

test("a body that breaks off is not made to look whole, and one full of secrets has none", async () => {
  for (const path of ["/broken?length=200000", "/broken?length=200", "/broken"]) {
    const broken = await stage.call(path, { key });
    assert.deepEqual([broken.status, broken.complete], [200, false], path);
  }
  // Status and headers of a short one wait for it.
  await assert.rejects(stage.call("/broken?length=200&sends=0", { key }), /no answer/);
  const many = await stage.call("/many", { key });
  assert.equal(many.text, MANY.replaceAll(SECRET, STARS));
});

test("a large body is searched in little memory", async () => {
  for (const query of [`length=${LENGTH}`, `length=${LENGTH}&chunked=1`]) {
    const hash = createHash("sha256");
    const read = async () => {
      const response = await fetch(`http://127.0.0.1:${stage.port}/bytes?${query}`, { headers: { "x-api-key": stage.keys.server } });
      for await (const chunk of response.body) hash.update(chunk);
      return response;
    };
    const { before, peak, result } = await measured(stage.gateway.process.pid, read);
    assert.equal(hash.digest("hex"), patternHash(LENGTH));
    assert.equal(result.headers.get("content-length"), query.includes("chunked") ? null : String(LENGTH));
    assert.ok(peak - before < MOST_GROWTH, `from ${before} to ${peak} bytes`);
  }
});

test("a client that reads slowly slows the origin, and one that leaves ends it", async () => {
  const request = http.get({ port: stage.port, path: "/endless", headers: { "x-api-key": stage.keys.server } });
  const [response] = await once(request, "response");
  response.pause();
  await sleep(1000);
  const before = sent;
  await sleep(1000);
  assert.ok(sent - before < 4_000_000, `${sent - before} bytes more`);
  stage.origin.forget();
  request.destroy();
  const until = Date.now() + 10_000;
  while (stage.origin.left.length === 0 && Date.now() < until) await sleep(50);
  assert.equal(stage.origin.left.length, 1);
});
