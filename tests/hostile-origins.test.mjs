// Origins that break off, answer what nobody has asked for, lead away, or send the secret back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefusal, assertSingleHeaders } from "./harness/problem.mjs";
import { startStage } from "./harness/stage.mjs";
import { startWireOrigin } from "./harness/wire-origin.mjs";

const CREDENTIAL = "s3cr/et+key value=1";
const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
credential = { secret = "CREDENTIAL", header = "authorization", template = "Bearer {secret}" }

[[route]]
path = "/cookies/**"
strip_prefix = "/cookies"
origin = "\${ORIGIN}"
cookies = true

[[route]]
path = "/query/**"
strip_prefix = "/query"
origin = "\${ORIGIN}"
credential = { secret = "CREDENTIAL", query = "token" }

[[route]]
path = "/short/**"
strip_prefix = "/short"
origin = "\${ORIGIN}/base"

[[route]]
path = "/cached/**"
strip_prefix = "/cached"
origin = "\${ORIGIN}"
cache = "origin"
`;

const head = (status, ...lines) => [`HTTP/1.1 ${status}`, ...lines, "", ""].join("\r\n");
const whole = (...lines) => `${head("200 OK", ...lines, "content-length: 2")}ok`;

/** Answers by path that are no answer: each is `origin_unreachable`. */
const BROKEN = {
  "/closes": (socket) => socket.destroy(),
  "/ends": (socket) => socket.end(),
  "/resets": (socket) => socket.resetAndDestroy(),
  "/rubbish": "hello, this is no HTTP\r\n\r\n",
  "/half-a-head": (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le"),
  "/tls": "\x15\x03\x01\x00\x02\x02\x46",
  "/two-lengths": head("200 OK", "content-length: 2", "content-length: 3"),
  "/switches": head("101 Switching Protocols", "connection: upgrade", "upgrade: other"),
  "/switches-to-websocket": head("101 Switching Protocols", "connection: upgrade", "upgrade: websocket", "sec-websocket-accept: x"),
};

/** Answers that end before they are whole. */
const CUT = {
  "/cut-length": (socket) => socket.end(`${head("200 OK", "content-length: 1000")}${"x".repeat(10)}`),
  "/cut-chunks": (socket) => socket.end(`${head("200 OK", "transfer-encoding: chunked")}a\r\n${"x".repeat(10)}\r\n`),
  "/cut-events": (socket) => socket.end(`${head("200 OK", "content-type: text/event-stream", "transfer-encoding: chunked")}9\r\ndata: 1\n\n\r\n`),
};

const encoded = encodeURIComponent(CREDENTIAL);
/** The secret in an answer's header: a name for the test, and the header. */
const ECHOES = {
  raw: ["x-echo", CREDENTIAL],
  "within a value": ["x-echo", `authorization=Bearer ${CREDENTIAL}; x`],
  "percent-encoded": ["x-echo", encoded],
  "percent-encoded in lower case": ["x-echo", encoded.toLowerCase()],
  "as a form": ["x-echo", encoded.replaceAll("%20", "+")],
  "encoded where nothing needs it": ["x-echo", [...Buffer.from(CREDENTIAL)].map((byte) => `%${byte.toString(16)}`).join("")],
  "encoded twice": ["x-echo", encodeURIComponent(`/next?token=${encoded}`)],
  "in Location": ["location", `https://elsewhere.example/?token=${encoded}`],
  "in Location on its own host": ["location", `/x?token=${encoded}`],
  "in Set-Cookie": ["set-cookie", `token=${encoded}; Path=/`],
  "in Link": ["link", `</x?token=${encoded}>; rel="next"`],
  "in WWW-Authenticate": ["www-authenticate", `Bearer error_description="${CREDENTIAL}"`],
  "in ETag": ["etag", `"${CREDENTIAL}"`],
  "in Content-Disposition": ["content-disposition", `attachment; filename="${CREDENTIAL}"`],
};

const REDIRECTS = [301, 302, 303, 307, 308];
const redirect = (status, to) => `${head(`${status} Moved`, `location: ${to}`, "content-length: 0")}`;

test("origins that harm", async (t) => {
  const elsewhere = await startWireOrigin(t);
  const answers = { ...BROKEN, ...CUT };
  const origin = await startWireOrigin(t, answers);
  const keys = { plain: { kind: "private" }, page: { any_referrer: true } };
  const stage = await startStage(t, { gateway: GATEWAY, keys, credentials: { CREDENTIAL }, origin });
  let paths = 0;
  /** The gateway's answer when the origin answers with this text. */
  const answered = (text, { prefix = "", base = "", key = "plain", ...call } = {}) => {
    const path = `/case-${(paths += 1)}`;
    answers[base + path] = text;
    return stage.passes(prefix + path, { key, ...call });
  };

  for (const path of Object.keys(BROKEN)) {
    await t.test(`${path} is origin_unreachable`, async () => {
      for (const call of [{}, { method: "POST", body: "x".repeat(1000) }, { method: "HEAD" }]) {
        if (call.method === "HEAD" && path === "/two-lengths") continue; // Nothing follows, so nothing can be read twice.
        assertRefusal(await stage.call(path, { key: "plain", ...call }), "origin_unreachable", call);
      }
      const page = "https://app.example";
      assertRefusal(await stage.call(path, { key: "page", headers: { origin: page } }), "origin_unreachable", { page });
    });
  }

  for (const path of Object.keys(CUT)) {
    await t.test(`${path} arrives as far as it came, and is seen to be cut`, async () => {
      const answer = await stage.passes(path, { key: "plain" });
      assert.deepEqual([answer.status, answer.complete], [200, false]);
      assert.match(answer.text, /^(xxxxxxxxxx|data: 1\n\n)$/);
      assert.equal((await stage.passes("/x", { key: "plain" })).text, "ok");
    });
  }

  for (const [status, reason] of [["204 No Content", "204"], ["304 Not Modified", "304"], ["205 Reset Content", "205"]]) {
    await t.test(`${reason} arrives without a body, and the connection goes on`, async () => {
      const lines = ['etag: "a"', "x-a: b", ...(reason === "205" ? ["content-length: 0"] : [])];
      const answer = await answered(head(status, ...lines), { headers: { "if-none-match": '"a"' } });
      assert.deepEqual([`${answer.status}`, answer.text, answer.header("etag"), answer.header("x-a")], [reason, "", '"a"', "b"]);
    });
  }
  await t.test("a 103 before the answer is not the answer", async () => {
    const answer = await answered(head("103 Early Hints", "link: </a>") + whole("x-a: b"));
    assert.deepEqual([answer.status, answer.text], [200, "ok"]);
  });

  for (const status of REDIRECTS) {
    await t.test(`${status} to another host is handed on and never followed`, async () => {
      const to = `${elsewhere.url}/x?y#z`;
      for (const call of [{}, { method: "POST", body: "x" }]) {
        const answer = await answered(redirect(status, to), call);
        assert.deepEqual([answer.status, answer.header("location")], [status, to]);
      }
      assert.deepEqual(elsewhere.requests, []);
    });
    await t.test(`${status} to its own host leads back to the gateway`, async () => {
      const answer = await answered(redirect(status, `${origin.url}/x?y#z`), { host: "gate.example:8787" });
      assert.deepEqual([answer.status, answer.header("location")], [status, "http://gate.example:8787/x?y#z"]);
    });
  }
  const own = origin.url.replace("http:", "");
  for (const [name, to, expected, where] of [
    ["a path", "/x", "/x", {}],
    ["a relative path", "x/../y", "x/../y", {}],
    ["a query", "?a=b", "?a=b", {}],
    ["no scheme", `${own}/x`, "http://gate.example/x", {}],
    ["upper case", `${origin.url.toUpperCase()}/X`, "http://gate.example/X", {}],
    ["the host alone", origin.url, "http://gate.example/", {}],
    ["a port that begins like its own", `${origin.url}0/x`, `${origin.url}0/x`, {}],
    ["a host that begins like its own", `${origin.url}.evil.example/x`, `${origin.url}.evil.example/x`, {}],
    ["a user before its host", `${origin.url.replace("//", "//a@")}/x`, `${origin.url.replace("//", "//a@")}/x`, {}],
    ["below the base", `${origin.url}/base/x`, "http://gate.example/short/x", { prefix: "/short", base: "/base" }],
    ["a path below the base", "/base/x?y", "http://gate.example/short/x?y", { prefix: "/short", base: "/base" }],
    ["the base itself", "/base", "http://gate.example/short/", { prefix: "/short", base: "/base" }],
    ["a path that would begin like another host", "/base//evil.example/x", "http://gate.example/short//evil.example/x", { prefix: "/short", base: "/base" }],
    ["a path beside the base", `${origin.url}/basement/x`, `${origin.url}/basement/x`, { prefix: "/short", base: "/base" }],
  ]) {
    await t.test(`Location with ${name}: ${expected.replace(origin.url, "(origin)")}`, async () => {
      const answer = await answered(redirect(302, to), { host: "gate.example", ...where });
      assert.equal(answer.header("location"), expected);
    });
  }

  for (const [name, [header, value]] of Object.entries(ECHOES)) {
    await t.test(`the secret sent back ${name} goes, with its header`, async () => {
      for (const prefix of ["", "/query"]) {
        for (const key of ["plain", "page"]) {
          const answer = await answered(whole(`${header}: harmless`, `${header}: ${value}`, "x-kept: kept"), { prefix, key });
          assert.deepEqual([answer.status, answer.text, answer.header("x-kept")], [200, "ok", "kept"]);
          assert.deepEqual(answer.values(header), []);
          stage.assertNoSecret(JSON.stringify(answer.lines));
        }
      }
    });
  }

  await t.test("headers that only the gateway gives, and those of the origin's connection, go", async () => {
    const theirs = ["keyward-key-id: forged", "access-control-allow-origin: *", "access-control-allow-credentials: true", "keep-alive: timeout=5", "proxy-authenticate: Basic", "proxy-connection: keep-alive", "te: trailers", "trailer: x-end"];
    for (const key of ["plain", "page"]) {
      const answer = await answered(whole(...theirs), { key });
      for (const line of theirs) assert.equal(answer.header(line.split(":")[0]), undefined, line);
    }
  });
  await t.test("cookies pass for private keys, and for public ones where the route says so", async () => {
    const cookies = ["a=1; Path=/", "b=2; HttpOnly"];
    const text = whole(...cookies.map((cookie) => `set-cookie: ${cookie}`));
    for (const [key, prefix, expected] of [["plain", "", cookies], ["page", "", []], ["page", "/cookies", cookies]]) {
      const answer = await answered(text, { key, prefix, headers: { cookie: "c=3" } });
      assert.deepEqual(answer.values("set-cookie"), expected, key + prefix);
      assert.deepEqual(answer.seen.values("cookie"), expected.length ? ["c=3"] : [], key + prefix);
    }
  });
  for (const [theirs, expected] of [
    [[], "private"],
    [["cache-control: public, max-age=60"], "private, max-age=60"],
    [["cache-control: max-age=60", "cache-control: s-maxage=600"], "private, max-age=60"],
    [["cache-control: no-store"], "no-store"],
    [["cache-control: private, max-age=5"], "private, max-age=5"],
    [["cache-control: PUBLIC, S-MaxAge=9", "cdn-cache-control: max-age=99", "surrogate-control: max-age=99"], "private"],
  ]) {
    await t.test(`no shared cache keeps an answer with ${theirs.join(" and ") || "nothing said"}`, async () => {
      for (const key of ["plain", "page"]) {
        const answer = await answered(whole(...theirs), { key });
        assert.deepEqual([answer.header("cache-control"), answer.header("cdn-cache-control"), answer.header("surrogate-control")], [expected, undefined, undefined]);
        assertSingleHeaders(answer);
      }
      const cached = await answered(whole(...theirs), { prefix: "/cached" });
      assert.equal(cached.values("cache-control").join(", "), theirs.filter((line) => line.startsWith("cache")).map((line) => line.split(": ")[1]).join(", "));
    });
  }
  await t.test("values that are not UTF-8 and long ones arrive byte for byte", async () => {
    const values = { "x-bin": "caf\xe9 \xff \xc3\xa9", "x-long": "v".repeat(20_000) };
    for (const key of ["plain", "page"]) {
      const answer = await answered(whole(...Object.entries(values).map((line) => line.join(": "))), { key });
      for (const [name, value] of Object.entries(values)) assert.equal(answer.header(name), value);
    }
  });
  await t.test("no secret is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
