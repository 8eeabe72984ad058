// Clients that send too much, too slowly, or leave: they harm nobody but themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "./harness/client.mjs";
import { fault } from "./harness/kv.mjs";
import { assertRefusal } from "./harness/problem.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/down/**"
origin = "http://127.0.0.1:1"
`;
const KEYS = { plain: { kind: "private" }, cold: { kind: "private" } };
const MEGABYTE = "x".repeat(1_000_000);
/** So long the gateway reads away what a refused client still sends. */
const DRAIN_MS = 5000;

/** Waits until a condition holds. */
async function until(condition, what) {
  for (const limit = Date.now() + 30_000; !condition(); await sleep(10)) assert.ok(Date.now() < limit, `not in 30 s: ${what}`);
}

test("clients that send too much, too slowly, or leave", async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS });
  const { origin } = stage;
  const headers = { "x-api-key": stage.keys.plain };
  const stillWorks = () => stage.passes("/still/works", { key: "plain" });

  await t.test("a POST of 1 MB is refused early, and the next requests on the same connection work", async () => {
    origin.forget();
    const connection = await connect(stage.port);
    for (const [target, call, code] of [
      ["/x", {}, "key_missing"],
      ["/x", { headers: { "x-api-key": "kw_sk_live_forged" } }, "key_invalid"],
      ["/a//b", { headers }, "path_ambiguous"],
      ["/_keyward/nothing", { headers }, "endpoint_unknown"],
    ]) {
      for (let round = 0; round < 2; round += 1) assertRefusal(await connection.request(target, { method: "POST", body: MEGABYTE, ...call }), code);
      const chunked = { "transfer-encoding": "chunked", ...call.headers };
      const body = `${MEGABYTE.length.toString(16)}\r\n${MEGABYTE}\r\n0\r\n\r\n`;
      assertRefusal(await connection.request(target, { method: "PUT", body, headers: chunked }), code);
    }
    assert.deepEqual(origin.requests, []);
    const passed = await connection.request("/x", { method: "POST", body: MEGABYTE, headers });
    assert.deepEqual([passed.status, origin.last.length], [200, MEGABYTE.length]);
    connection.close();
  });

  await t.test("a body far larger than is read away ends the connection at most", async () => {
    origin.forget();
    const connection = await connect(stage.port);
    connection.write("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 50000000\r\n\r\n");
    for (let sent = 0; sent < 8 && !connection.ended; sent += 1) connection.write(MEGABYTE);
    const answer = await connection.response().catch(() => undefined);
    if (answer) assertRefusal(answer, "key_missing");
    connection.close();
    assert.deepEqual(origin.requests, []);
    await stillWorks();
  });

  await t.test("who is refused and leaves in the middle of the body is forgotten", async () => {
    for (let round = 0; round < 20; round += 1) {
      const connection = await connect(stage.port);
      connection.write("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nxxxx");
      connection.close();
    }
    await stillWorks();
  });

  await t.test("who leaves in the middle of an upload ends the origin's request too", async () => {
    origin.forget();
    const connection = await connect(stage.port);
    connection.write(`POST /echo HTTP/1.1\r\nhost: x\r\nx-api-key: ${stage.keys.plain}\r\ncontent-length: 1000000\r\n\r\n${MEGABYTE.slice(0, 100_000)}`);
    await until(() => origin.requests.length === 1, "the upload has begun");
    connection.close();
    await until(() => origin.requests[0].broken, "the origin's request ends");
    assert.ok(origin.requests[0].length <= 100_000, "nothing was made up");
    await stillWorks();
  });

  await t.test("who leaves in the middle of an answer ends the origin's answer too", async () => {
    origin.forget();
    const connection = await connect(stage.port);
    connection.write(`GET /events?count=1000&every=20 HTTP/1.1\r\nhost: x\r\nx-api-key: ${stage.keys.plain}\r\n\r\n`);
    assert.equal((await connection.head()).status, 200);
    await connection.take();
    connection.close();
    await until(() => origin.left.length === 1, "the origin's answer ends");
    await stillWorks();
  });

  await t.test("who leaves before the answer leaves nothing behind but the origin's work", async () => {
    origin.forget();
    for (let round = 0; round < 10; round += 1) {
      const connection = await connect(stage.port);
      connection.write(`GET /slow?ms=300 HTTP/1.1\r\nhost: x\r\nx-api-key: ${stage.keys.plain}\r\n\r\n`);
      await until(() => origin.requests.length > round, "the request has arrived");
      connection.close();
    }
    await sleep(400);
    await stillWorks();
  });

  await t.test("who leaves while KV is read takes nobody else's answer away", async () => {
    const repair = stage.kv.break("get", fault.slow(500));
    const line = `GET /x HTTP/1.1\r\nhost: x\r\nx-api-key: ${stage.keys.cold}\r\n\r\n`;
    const leaver = await connect(stage.port);
    leaver.write(line);
    await sleep(100);
    const stayer = stage.call("/x", { key: "cold" });
    await sleep(100);
    leaver.close();
    assert.equal((await stayer).status, 200);
    repair();
    await stillWorks();
  });

  await t.test("half a head is no request", async () => {
    origin.forget();
    for (const half of ["", "G", "GET / HT", `GET /x HTTP/1.1\r\nx-api-key: ${stage.keys.plain}\r\n`, "\r\n\r\n", "\0\0\0\0", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"]) {
      const connection = await connect(stage.port);
      connection.write(half);
      await sleep(20);
      connection.close();
    }
    assert.deepEqual(origin.requests, []);
    await stillWorks();
  });

  await t.test("a body that goes to an origin that is down does not hide the refusal", async () => {
    for (const body of ["x", MEGABYTE]) {
      for (const method of ["POST", "GET"]) assertRefusal(await stage.call("/down/x", { key: "plain", method, body }), "origin_unreachable");
    }
  });

  await t.test("who is refused and never sends the body gets the answer all the same", async () => {
    const begun = Date.now();
    const answers = await Promise.all(
      ["content-length: 1000000", "transfer-encoding: chunked"].map(async (framing) => {
        const connection = await connect(stage.port);
        connection.write(`POST /x HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n`);
        const answer = await connection.response();
        connection.close();
        return answer;
      }),
    );
    for (const answer of answers) assertRefusal(answer, "key_missing");
    assert.ok(Date.now() - begun < DRAIN_MS + 3000);
  });

  await t.test("no secret is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
