// Requests as no honest client sends them, byte by byte on the wire. The origin sees nothing of them,
// or exactly what was checked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, request } from "./harness/client.mjs";
import { startStage } from "./harness/stage.mjs";
import { startWireOrigin } from "./harness/wire-origin.mjs";

const GATEWAY = `
[[route]]
path = "/p/**"
origin = "\${ORIGIN}"
`;
const KEYS = {
  plain: { kind: "private" },
  segment: { kind: "private", paths: ["* /p/*"] },
  getter: { kind: "private", paths: ["GET /p/**"] },
  page: { referrers: ["https://app.example"] },
  office: { kind: "private", ips: ["192.0.2.0/24"] },
};

/** Bytes that stand for themselves in a path (RFC 3986 `pchar` without % and ;), and two that the URL standard leaves alone. */
const PLAIN = /^[A-Za-z0-9._~!$&'()*+,=:@|[\]-]$/;
const UNRESERVED = /^[A-Za-z0-9._~-]$/;

const hex = (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;

/** What the origin may see of a byte in the middle of a segment, or null: nothing. */
function canonical(byte, encoded) {
  const text = String.fromCharCode(byte);
  if (byte < 0x21 || byte === 0x7f) return encoded && byte === 0x20 ? "%20" : null;
  if (byte >= 0x80 || "/\\;".includes(text)) return null;
  if (!encoded && "?#%".includes(text)) return null;
  return (encoded ? UNRESERVED : PLAIN).test(text) ? text : hex(byte);
}

test("requests as no honest client sends them", async (t) => {
  const origin = await startWireOrigin(t);
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS, origin });
  const { plain } = stage.keys;

  for (const [form, spell] of [["raw", (byte) => String.fromCharCode(byte)], ["encoded", hex], ["encoded in lower case", (byte) => hex(byte).toLowerCase()]]) {
    await t.test(`every byte ${form} in a path: nothing, or the path that was checked`, async () => {
      for (let byte = 0; byte < 256; byte += 1) {
        const encoded = form !== "raw";
        if (!encoded && "?#".includes(String.fromCharCode(byte))) continue; // The path ends there.
        origin.forget();
        const answer = await stage.call(`/p/a${spell(byte)}z`, { key: "segment" });
        const expected = canonical(byte, encoded);
        const seen = origin.requests.map(({ target }) => target);
        if (expected === null) assert.deepEqual([answer.status, seen], [byte === 0x2f && !encoded ? 403 : 400, []], hex(byte));
        // The runtime's own parser refuses some that a URL must not have raw; that is as good.
        else if (answer.status !== 400 || encoded || PLAIN.test(expected)) assert.deepEqual([answer.status, seen], [200, [`/p/a${expected}z`]], hex(byte));
        else assert.deepEqual(seen, [], hex(byte));
      }
    });
  }

  for (const [target, expected] of [
    ["*", 400],
    ["http://evil.example/p/a", "/p/a"],
    ["HTTPS://user:pass@evil.example:99/p/a?b", "/p/a?b"],
    ["http://evil.example/p/../admin", 400],
    ["http://evil.example", 404],
    ["ftp://evil.example/p/a", "/p/a"],
    ["evil.example:443", 404],
    ["p/a", 400],
    ["?/p/a", 400],
    ["/p/a#b", "/p/a"],
    ["/p/a%23b", "/p/a%23b"],
    ["/p/\xc3\xa9", "/p/%C3%A9"],
    ["/p/\xe9", 400],
    ["/p/a b", 400],
    ["/p/a\x00b", 400],
    ["/p/a\tb", 400],
    [`/p/${"a".repeat(60_000)}`, `/p/${"a".repeat(60_000)}`],
    [`/p/${"a".repeat(70_000)}`, 414],
    [`/p/${"a/".repeat(20_000)}b`, `/p/${"a/".repeat(20_000)}b`],
  ]) {
    await t.test(`the target ${target.slice(0, 60)}: ${String(expected).slice(0, 60)}`, async () => {
      origin.forget();
      const answer = await stage.call(target, { key: "plain" });
      const seen = origin.requests.map(({ target }) => target);
      assert.deepEqual([answer.status, seen], typeof expected === "number" ? [expected, []] : [200, [expected]]);
    });
  }
  await t.test("OPTIONS * is for no path", () => stage.refuses("path_ambiguous", "*", { key: "plain", method: "OPTIONS" }));

  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE", "LOCK", "REPORT", "MKCOL", "SEARCH"]) {
    await t.test(`${method} arrives as ${method}, and only GET rules of a key cover GET and HEAD`, async () => {
      const { seen } = await stage.passes("/p/a", { key: "plain", method });
      assert.equal(seen.method, method);
      if (["GET", "HEAD"].includes(method)) await stage.passes("/p/a", { key: "getter", method });
      else await stage.refuses("path_denied", "/p/a", { key: "getter", method });
    });
  }
  for (const method of ["get", "Get", "gEt", "post", "FOO", "TRACK", "DEBUG", "GETGETGETGETGET", "G\xe9T", "GE/T", "PRI", "CONNECT", "TRACE"]) {
    await t.test(`${method} never arrives`, async () => {
      for (const key of ["plain", "getter"]) {
        origin.forget();
        const answer = await stage.call("/p/a", { key, method });
        assert.ok(answer.status >= 400, `${answer.status}`);
        assert.deepEqual(origin.requests, []);
      }
    });
  }

  const NOT_UTF8 = "caf\xe9 \xff\xfe\x80 \xc3\xa9";
  await t.test("header values that are not UTF-8 arrive byte for byte", async () => {
    const headers = [["x-bin", NOT_UTF8], ["user-agent", NOT_UTF8], ["cookie", `a=${NOT_UTF8}`], ["x-tab", "a\tb"]];
    const { seen } = await stage.passes("/p/a", { key: "plain", headers });
    for (const [name, value] of headers) assert.deepEqual(seen.values(name), [value], name);
  });
  await t.test("headers that decide are refused when they are not UTF-8, or decide nothing", async () => {
    await stage.refuses("referrer_denied", "/p/a", { key: "page", headers: { origin: `https://app.example${NOT_UTF8}` } });
    await stage.refuses("referrer_denied", "/p/a", { key: "page", headers: { referer: `https://app.example/${NOT_UTF8}` } });
    await stage.refuses("ip_denied", "/p/a", { key: "office", headers: { "cf-connecting-ip": `192.0.2.1${NOT_UTF8}` } });
    await stage.refuses("private_key_in_browser", "/p/a", { key: "plain", headers: { origin: NOT_UTF8 } });
    const { seen } = await stage.passes("/p/a", { key: "plain", headers: { "cdn-loop": NOT_UTF8, via: NOT_UTF8, "sec-fetch-site": NOT_UTF8 } });
    assert.match(seen.values("cdn-loop")[0], /, keyward-[0-9a-z]+$/);
  });

  await t.test("64 KB in one header arrive", async () => {
    const value = "v".repeat(65_536);
    assert.deepEqual((await stage.passes("/p/a", { key: "plain", headers: { "x-big": value } })).seen.values("x-big"), [value]);
  });
  await t.test("64 KB in 64 headers arrive", async () => {
    const headers = Array.from({ length: 64 }, (_, n) => [`x-big-${n}`, `${n}`.repeat(512)]);
    const { seen } = await stage.passes("/p/a", { key: "plain", headers });
    for (const [name, value] of headers) assert.deepEqual(seen.values(name), [value]);
  });
  await t.test("200 headers arrive, and 200 lines of one", async () => {
    const headers = Array.from({ length: 200 }, (_, n) => [`x-${n}`, `${n}`]);
    const { seen } = await stage.passes("/p/a", { key: "plain", headers });
    for (const [name, value] of headers) assert.deepEqual(seen.values(name), [value]);
    const same = await stage.passes("/p/a", { key: "plain", headers: headers.map(([, value]) => ["x-same", value]) });
    assert.deepEqual(same.seen.values("x-same").join(", ").split(", ").length, 200);
  });
  await t.test("a head beyond what is read is refused whole", async () => {
    await stage.refuses("head_too_large", "/p/a", { key: "plain", headers: { "x-big": "v".repeat(140_000) } });
    await stage.refuses("head_too_large", "/p/a", { headers: { "x-big": "\xe9".repeat(140_000) } });
    origin.forget();
    const answer = await stage.call("/p/a", { key: "plain", headers: { "x-big": "v".repeat(1_000_000) } });
    assert.deepEqual([answer.status, origin.requests], [431, []]);
  });
  for (const [name, line] of [
    ["a NUL in a value", ["x-a", "a\0b"]],
    ["a bare line feed in a value", ["x-a", "a\nkeyward-key-id: forged"]],
    ["a bare carriage return in a value", ["x-a", "a\rb"]],
    ["a blank in a name", ["keyward-key-id ", "forged"]],
    ["a folded line", ["x-a", "a\r\n keyward-key-id: forged"]],
    ["a name beyond ASCII", ["x-\xe9", "a"]],
  ]) {
    await t.test(`${name} forges nothing`, async () => {
      origin.forget();
      await stage.call("/p/a", { key: "plain", headers: [line] });
      for (const { head } of origin.requests) assert.ok(!head.includes("forged"), head);
    });
  }

  await t.test("a body on GET, HEAD, DELETE and OPTIONS arrives", async () => {
    const behind = await startStage(t, { gateway: GATEWAY, keys: { plain: { kind: "private" } } });
    for (const method of ["GET", "DELETE", "OPTIONS", "HEAD"]) {
      const { seen, status } = await behind.passes("/p/a", { key: "plain", method, body: "hello" });
      assert.deepEqual([status, seen.method, seen.text], [200, method, "hello"]);
      const chunked = { method, headers: { "transfer-encoding": "chunked" }, body: "5\r\nhello\r\n0\r\n\r\n" };
      // The runtime drops a GET's body of unknown length; what it sends is a whole request all the same.
      const dropped = ["GET", "HEAD"].includes(method);
      assert.equal((await behind.passes("/p/a", { key: "plain", ...chunked })).seen.text, dropped ? "" : "hello");
    }
    await behind.refuses("key_missing", "/p/a", { body: "hello" });
  });

  await t.test("two lengths are refused or agreed on: nothing is smuggled", async () => {
    const smuggled = `GET /p/smuggled HTTP/1.1\r\nhost: x\r\nx-api-key: ${plain}\r\n\r\n`;
    for (const headers of [
      [["content-length", "5"], ["content-length", "0"]],
      [["content-length", "+5"]],
      [["content-length", "5, 5"]],
      [["transfer-encoding", "chunked, identity"], ["content-length", "5"]],
      [["transfer-encoding", "xchunked"], ["content-length", "5"]],
    ]) {
      origin.forget();
      await stage.call("/p/a", { key: "plain", method: "POST", headers, body: smuggled });
      assert.ok(origin.requests.every(({ target }) => target === "/p/a"), JSON.stringify(origin.requests));
    }
  });

  await t.test("requests that come at once are answered in their order", async () => {
    const connection = await connect(stage.port);
    const line = (target, key) => `GET ${target} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\n\r\n`;
    connection.write(line("/p/1", plain) + line("/p/2", "forged") + line("/nowhere", plain) + line("/p/3", plain));
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await connection.response()).status);
    connection.close();
    assert.deepEqual(statuses, [200, 401, 404, 200]);
  });

  await t.test("no secret is in the log, and the gateway still works", async () => {
    stage.assertNoSecret(stage.gateway.log);
    assert.equal((await request(stage.port, "/_keyward/healthz")).status, 200);
  });
});
