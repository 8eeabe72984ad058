// docs/llm-in-a-page.md in Chromium: a streamed answer of a language model through a page, without the
// provider's key in it.
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startShown } from "./docs/shown.mjs";
import { startChatOrigin, WORDS } from "./harness/chat-origin.mjs";
import { withoutChromium } from "./harness/chromium.mjs";
import { without } from "./harness/programs.mjs";
import { CLIENT } from "./harness/websites.mjs";

const SECRET = "sk-the-origins-own-credential-4711";
const PAUSE_MS = 250;

test("the LLM page of the documentation", { skip: withoutChromium || without("openssl"), timeout: 300_000 }, async (t) => {
  const chat = await startChatOrigin(t, SECRET, PAUSE_MS);
  const sites = ["shop.example", "other.example"];
  const { gateway, key, open } = await startShown(t, "docs/llm-in-a-page.md", { origin: chat.url, vars: { OPENAI_API_KEY: SECRET }, sites });
  /** The page, with a question asked; `window.shown` becomes each text that the visitor has seen. */
  const asked = async (host) => {
    chat.requests.length = 0;
    const page = await open(host);
    await page.evaluate(() => {
      window.shown = [];
      const answer = document.querySelector("#answer");
      new MutationObserver(() => window.shown.push(answer.textContent)).observe(answer, { childList: true });
    });
    await page.fill("input", "Where do keys stay?");
    await page.click("button");
    return page;
  };
  const text = (page, id) => page.evaluate((id) => document.querySelector(id).textContent, id);
  const ended = (page) => page.waitForFunction(() => document.querySelector("#status").textContent !== "…");

  await t.test("shows the answer word by word", async () => {
    const page = await asked("shop.example");
    await ended(page);
    assert.deepEqual([await text(page, "#answer"), await text(page, "#status")], [WORDS.join(""), ""]);
    const shown = [...new Set(await page.evaluate(() => window.shown))].filter(Boolean);
    assert.deepEqual(shown, WORDS.map((_, index) => WORDS.slice(0, index + 1).join("")));
    const [{ headers, body }, ...others] = chat.requests;
    assert.deepEqual([others, headers.authorization, headers["keyward-kind"]], [[], `Bearer ${SECRET}`, "public"]);
    assert.equal(JSON.parse(body).messages[0].content, "Where do keys stay?");
    assert.ok(!JSON.stringify(chat.requests).includes(key), "the provider gets no key of ours");
    assert.ok(!(await page.content()).includes(SECRET));
  });

  await t.test("stops when the visitor says so", async () => {
    const page = await asked("shop.example");
    await page.waitForFunction(() => document.querySelector("#answer").textContent !== "");
    await page.click("#stop");
    await ended(page);
    const stopped = await text(page, "#answer");
    assert.equal(await text(page, "#status"), "Stopped.");
    await sleep(2 * PAUSE_MS);
    assert.equal(await text(page, "#answer"), stopped);
    assert.notEqual(stopped, WORDS.join(""));
    assert.equal(chat.requests[0].left, true, "the provider's stream has ended too");
  });

  await t.test("says on another website why there is no answer", async () => {
    const page = await asked("other.example");
    await ended(page);
    assert.deepEqual([await text(page, "#answer"), await text(page, "#status")], ["", "The key does not allow calls from this website."]);
    assert.deepEqual(chat.requests, []);
  });

  await t.test("says when to come back to a visitor who asks too often", async () => {
    const headers = { origin: "https://shop.example", authorization: `Bearer ${key}`, "cf-connecting-ip": CLIENT };
    const call = { method: "POST", headers, body: JSON.stringify({ model: "any", messages: [] }) };
    // Two of ten have been made.
    for (let calls = 0; calls < 8; calls += 1) assert.equal((await fetch(`${gateway.url}/openai/v1/chat/completions`, call)).status, 200);
    const page = await asked("shop.example");
    await ended(page);
    assert.match(await text(page, "#status"), /^More calls have come .* Try again in [1-9]\d? seconds\.$/);
    assert.deepEqual(chat.requests, []);
  });

  assert.ok(![SECRET, key].some((secret) => gateway.log.includes(secret)), "a secret is in the log");
});
