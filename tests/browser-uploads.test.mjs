// Uploads in Chromium: forms, large bodies, bodies that are still being written, and refusals of them
// that the page can read.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { startChromium, withoutChromium } from "./harness/chromium.mjs";
import { watchExchanges } from "./harness/exchanges.mjs";
import { assertRefused, call, startScene } from "./harness/scene.mjs";
import { without } from "./harness/programs.mjs";
import { startWebsites } from "./harness/websites.mjs";

const LARGE = 8_000_000;
const GATE = "gate.example.com";
const SHOP = "shop.example";
const PAGE = '<!doctype html><title>A page</title><link rel="icon" href="data:,">';

test("uploads of a page", { skip: withoutChromium || without("openssl"), timeout: 120_000 }, async (t) => {
  const scene = await startScene(t);
  const { gateway, home, origin } = scene;
  const api = `${gateway.url}/api/echo`;
  await scene.createKeys({ elsewhere: { referrers: ["https://other.example"] }, shop: { referrers: [`https://${SHOP}`] } });

  await t.test("a form with a file arrives as it is, without a preflight where the key is in the query", async (t) => {
    const page = await scene.open(t);
    const exchanges = await watchExchanges(page);
    assert.deepEqual(await page.evaluate(sendForm, scene.tag("/form")), { status: 200 });
    assert.equal((await exchanges(1)).length, 1);
    assert.match(origin.last.values("content-type")[0], /^multipart\/form-data; boundary=/);
    assert.match(origin.last.text, /name="title"\r\n\r\ngrün\r\n.*name="file"; filename="a\.txt"\r\nContent-Type: text\/plain\r\n\r\nfile\r\n/s);
    scene.assertOriginSaw("POST /form");
  });

  await t.test("a body of 8 MB arrives whole, with its length", async (t) => {
    const page = await scene.open(t);
    const { status, hash } = await page.evaluate(upload, [api, scene.bearer(), LARGE]);
    assert.equal(status, 200);
    assert.deepEqual([origin.last.length, origin.last.hash, origin.last.values("content-length")], [LARGE, hash, [String(LARGE)]]);
  });

  for (const [name, length] of [["1 MB", 1_000_000], ["8 MB", LARGE]]) {
    await t.test(`the page reads why ${name} were refused, and its next call works`, async (t) => {
      const page = await scene.open(t);
      const refused = await page.evaluate(upload, [api, scene.bearer("elsewhere"), length]);
      assert.deepEqual([refused.error, refused.status, refused.code], [undefined, 403, "referrer_denied"]);
      scene.assertOriginSaw();
      assert.equal((await call(page, api, { headers: scene.bearer() })).status, 200);
    });
  }

  await t.test("Chromium writes no body bit by bit over HTTP/1.1, which is what a gateway on this machine speaks", async (t) => {
    const page = await scene.open(t);
    await page.evaluate(beginStream, [api, scene.bearer()]);
    assert.deepEqual(await page.evaluate(() => window.answer), { error: "TypeError" });
    scene.assertOriginSaw();
  });

  await t.test("over HTTP/2", async (t) => {
    const websites = await startWebsites(t, { [GATE]: gateway.port, [SHOP]: { "/": PAGE } });
    const browser = await startChromium(t, websites.args);
    const open = async () => {
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      await page.goto(`https://${SHOP}/`);
      origin.forget();
      return page;
    };
    const there = `https://${GATE}/api/echo`;

    await t.test("a body arrives at the origin while it is still being written", async () => {
      const page = await open();
      await page.evaluate(beginStream, [there, scene.bearer("shop")]);
      for (const limit = Date.now() + 5000; !(origin.last?.length > 0) && Date.now() < limit; ) await sleep(20);
      assert.equal(origin.last?.length, 5, "the first part");
      await page.evaluate(endStream);
      const { status, text } = await page.evaluate(() => window.answer);
      assert.deepEqual([status, JSON.parse(text).body], [200, "first, second"]);
      assert.deepEqual(origin.last.values("authorization").length, 1);
    });

    await t.test("the page reads why one was refused, when it has written it to its end", async () => {
      const page = await open();
      await page.evaluate(beginStream, [there, scene.bearer("elsewhere")]);
      await page.evaluate(endStream);
      const answer = await page.evaluate(() => window.answer);
      assertRefused(answer, 403, "referrer_denied");
      assert.deepEqual(origin.requests, []);
    });
  });

  scene.assertLogIsClean();
});

// What follows runs in the page.

async function sendForm(url) {
  const form = new FormData();
  form.set("title", "grün");
  form.set("file", new File(["file"], "a.txt", { type: "text/plain" }));
  const { status } = await fetch(url, { method: "POST", body: form });
  return { status };
}

async function upload([url, headers, length]) {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 7919) >> 3;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const response = await fetch(url, { method: "PUT", headers, body: new Blob([bytes]) });
    const { code } = await response.json();
    return { status: response.status, hash, code };
  } catch (error) {
    return { error: error.name };
  }
}

/** Sends a body of which only the first part is written; `window.answer` is what comes of it. */
function beginStream([url, headers]) {
  const { readable, writable } = new TransformStream();
  window.writer = writable.getWriter();
  window.writer.write(new TextEncoder().encode("first")).catch(() => {});
  window.answer = fetch(url, { method: "POST", headers, body: readable, duplex: "half" }).then(
    async (response) => ({ status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }),
    (error) => ({ error: error.name }),
  );
}

async function endStream() {
  await window.writer.write(new TextEncoder().encode(", second"));
  await window.writer.close();
}
