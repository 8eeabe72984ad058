// What a visitor sees first: npm start, the three calls that it prints, and the demo page in Chromium.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { freePorts } from "../scripts/ports.mjs";
import { startChromium, withoutChromium } from "./harness/chromium.mjs";
import { demoPorts, startDemo } from "./harness/demo.mjs";
import { temporaryFolder } from "./harness/folder.mjs";

/** Set it to keep the pictures of the page. */
const SCREENSHOTS = process.env.KEYWARD_SCREENSHOTS;
const VIEWS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 } },
  "small phone, dark": { viewport: { width: 320, height: 568 }, colorScheme: "dark" },
};
const withoutCurl = spawnSync("curl", ["--version"]).status === 0 || process.env.CI === "true" ? false : "curl is not installed";

test("npm start", async (t) => {
  const ports = await demoPorts();
  const state = await temporaryFolder(t);
  const demo = await startDemo(t, ports, state);
  const { page: home, gateway, curls } = demo.printed;

  await t.test("prints three calls that do what it says", { skip: withoutCurl }, () => {
    const answers = curls.map((line) => spawnSync(`${line} -s -w '\\n%{http_code}'`, { shell: true, encoding: "utf8" }).stdout);
    assert.equal(answers.length, 3);
    assert.match(answers[0], /"Hello from the origin\."[^]*\n200$/);
    assert.match(answers[1], /"referrer_denied"[^]*\n403$/);
    assert.match(answers[2], /"key_invalid"[^]*\n401$/);
  });

  await t.test("shows a page that calls the API", { skip: withoutChromium }, (t) => pageTests(t, home));

  await t.test("says which port is in use, and what to do, when it is started twice", async (t) => {
    const again = startDemo(t, ports, state);
    await assert.rejects(again, new RegExp(`port ${ports.gateway}, for the gateway, is in use[^]*npm start -- --port`));
  });

  await t.test("ends with Ctrl-C, and leaves no port open", async () => {
    await demo.interrupt();
    await freePorts(ports.gateway);
  });

  await t.test("finds its keys again when it is started again", async (t) => {
    const again = await startDemo(t, ports, state);
    assert.deepEqual(again.printed, { page: home, gateway, curls });
    await again.interrupt();
  });
});

async function pageTests(t, home) {
  const browser = await startChromium(t);
  const folder = SCREENSHOTS ?? (await temporaryFolder(t));
  mkdirSync(folder, { recursive: true });

  const open = async (t, address, view = VIEWS.desktop) => {
    const context = await browser.newContext(view);
    t.after(() => context.close());
    const page = await context.newPage();
    page.errors = [];
    page.on("pageerror", (error) => page.errors.push(error.message));
    await page.goto(address);
    await page.locator("html[data-ready]").waitFor({ state: "attached" });
    return page;
  };
  const part = (page, name) => page.locator(`[data-call=${name}]`);
  const send = (page, name) => part(page, name).getByRole("button", { name: "Send" }).click();
  const sendAll = async (page) => {
    for (const name of ["hello", "messages", "events"]) await send(page, name);
    await page.waitForFunction(() => [...document.querySelectorAll("[data-call]")].every((part) => part.querySelector(".status") && !part.querySelector("button").disabled));
  };
  const shown = (page, name) => part(page, name).locator("output").innerText();

  await t.test("a GET shows the origin's credential in the place of the key", async (t) => {
    const page = await open(t, home);
    const key = await page.locator("#key").inputValue();
    assert.match(key, /^kw_pk_live_/);
    await send(page, "hello");
    await part(page, "hello").locator(".received").waitFor();
    await part(page, "hello").locator("summary").click();
    const text = await shown(page, "hello");
    assert.match(text, /^200 OK\s+Hello from the origin\./);
    assert.match(text, /authorization\s+Bearer \(the origin's own credential\)/);
    assert.match(text, /keyward-kind\s+public/);
    assert.ok(!text.includes(key.slice(15, 30)), "the API has received the key");
  });

  await t.test("a POST shows the JSON that the API has received", async (t) => {
    const page = await open(t, home);
    await send(page, "messages");
    await part(page, "messages").locator(".received").waitFor();
    assert.match(await shown(page, "messages"), /^201 Created[^]*"text": "Good news from a page"/);
  });

  await t.test("events are shown while the stream is still open", async (t) => {
    const page = await open(t, home);
    await send(page, "events");
    const events = part(page, "events").getByRole("listitem");
    await events.nth(0).waitFor();
    assert.ok(await part(page, "events").getByRole("button").isDisabled(), "the stream has ended before its first event was shown");
    await events.nth(4).waitFor();
    assert.match(await events.nth(4).innerText(), /^Event 5 of 5/);
  });

  for (const [name, code] of [["Forged key", "401 key_invalid"], ["No key", "401 key_missing"]]) {
    await t.test(`${name}: the page shows ${code}`, async (t) => {
      const page = await open(t, home);
      await page.getByRole("button", { name }).click();
      await sendAll(page);
      for (const call of ["hello", "messages", "events"]) assert.ok((await shown(page, call)).startsWith(code));
    });
  }

  await t.test("from another origin the page shows why it is refused", async (t) => {
    const page = await open(t, home);
    await page.getByRole("link", { name: "Open this page from another origin" }).click();
    await page.waitForURL("http://127.0.0.1:*/**");
    await page.locator("html[data-ready]").waitFor({ state: "attached" });
    await sendAll(page);
    for (const call of ["hello", "messages", "events"]) {
      assert.match(await shown(page, call), /^403 referrer_denied\s+The key does not allow calls from this website\./);
    }
    await page.screenshot({ path: join(folder, "another origin.png"), fullPage: true });
    await page.getByRole("link", { name: "Go back to the right one" }).click();
    await page.waitForURL(`${home}/`);
  });

  for (const [name, view] of Object.entries(VIEWS)) {
    await t.test(`everything fits on a screen: ${name}`, async (t) => {
      const page = await open(t, home, view);
      await sendAll(page);
      for (const summary of await page.locator("summary").all()) await summary.click();
      const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(content <= screen, `${content} pixels of content on ${screen}`);
      assert.deepEqual(page.errors, []);
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    });
  }
}
