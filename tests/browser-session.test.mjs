// clients/session.mjs in Chromium: it exchanges the key when it is needed, renews it before it ends, and
// gives it to nobody but the gateway.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { startChromium, withoutChromium } from "./harness/chromium.mjs";
import { startPages } from "./harness/pages.mjs";
import { startStage } from "./harness/stage.mjs";

const MODULE = await readFile(new URL("../clients/session.mjs", import.meta.url), "utf8");
const GATEWAY = `
[[route]]
path = "/v1/**"
origin = "\${ORIGIN}"
accepts = ["session"]
`;

test("the module is small, and needs nothing", () => {
  const lines = MODULE.split("\n").filter((line) => line.trim() && !line.trim().startsWith("//"));
  assert.ok(lines.length <= 40, `${lines.length} lines`);
  assert.ok(!/\bimport\b/.test(MODULE));
});

test("a page with session keys", { skip: withoutChromium, timeout: 120_000 }, async (t) => {
  const pages = await startPages(t);
  const home = pages.at("localhost");
  const stage = await startStage(t, { gateway: GATEWAY, keys: { page: { referrers: [home] } }, clock: true });
  const browser = await startChromium(t);

  /** A page of a website that has the module, with the key; `exchanges` are those it has made. */
  async function open(t, address = home) {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(address);
    const exchanges = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/_keyward/v1/session") && request.method() === "POST") exchanges.push(request);
    });
    await page.evaluate(
      async ([module, gateway, key]) => {
        const { session } = await import(URL.createObjectURL(new Blob([module], { type: "text/javascript" })));
        window.keyward = session({ gateway, key });
      },
      [MODULE, stage.gateway.url, stage.keys.page],
    );
    stage.origin.forget();
    return { page, exchanges };
  }

  /** Calls through the module, in the page: { status, text } or { error, code }. */
  const call = (page, target, init) =>
    page.evaluate(
      async ([target, init]) => {
        try {
          const answer = await window.keyward.fetch(target, init);
          return { status: answer.status, text: await answer.text() };
        } catch (error) {
          return { error: error.name, code: error.code };
        }
      },
      [target, init],
    );

  await t.test("exchanges its key once for many calls", async (t) => {
    const { page, exchanges } = await open(t);
    const answers = await page.evaluate(() => Promise.all([1, 2, 3, 4].map(async (n) => (await window.keyward.fetch(`/v1/echo?${n}`)).status)));
    assert.deepEqual(answers, [200, 200, 200, 200]);
    assert.equal((await call(page, "/v1/echo", { method: "PUT", headers: { "content-type": "application/json" }, body: "{}" })).status, 200);
    assert.equal(exchanges.length, 1);
    assert.equal(stage.origin.requests.length, 5);
    assert.equal(stage.origin.last.text, "{}");
    assert.deepEqual(stage.origin.last.values("keyward-kind"), ["public"]);
    const direct = await page.evaluate(async ([url, key]) => (await (await fetch(url, { headers: { authorization: `Bearer ${key}` } })).json()).code, [`${stage.gateway.url}/v1/echo`, stage.keys.page]);
    assert.equal(direct, "session_required");
  });

  await t.test("renews it before it ends", async (t) => {
    const { page, exchanges } = await open(t);
    await call(page, "/v1/echo");
    await page.clock.fastForward(269_000);
    await call(page, "/v1/echo");
    assert.equal(exchanges.length, 1);
    await page.clock.fastForward(2000);
    assert.equal((await call(page, "/v1/echo")).status, 200);
    assert.equal(exchanges.length, 2);
  });

  await t.test("and once more where it has ended all the same", async (t) => {
    const { page, exchanges } = await open(t);
    await call(page, "/v1/echo");
    await stage.gateway.clock.advance(301_000);
    assert.equal((await call(page, "/v1/echo")).status, 200);
    assert.equal(exchanges.length, 2);
  });

  await t.test("gives it to no other website, and no other website gets one", async (t) => {
    const { page } = await open(t);
    assert.deepEqual(await call(page, pages.at("127.0.0.1")), { error: "TypeError", code: undefined });
    const { page: other } = await open(t, pages.at("127.0.0.1"));
    assert.deepEqual(await call(other, "/v1/echo"), { error: "Error", code: "referrer_denied" });
    assert.deepEqual(stage.origin.requests, []);
    const stolen = await page.evaluate(() => window.keyward.key());
    const used = await other.evaluate(async ([url, key]) => (await (await fetch(url, { headers: { authorization: `Bearer ${key}` } })).json()).code, [`${stage.gateway.url}/v1/echo`, stolen]);
    assert.equal(used, "referrer_denied");
  });

  stage.assertNoSecret(stage.gateway.log);
});
