// npm start as a visitor meets it: what it prints works, a second start reuses everything, and
// nothing stays behind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { freePorts } from "../scripts/ports.mjs";
import { ROOT } from "./harness/build.mjs";
import { startChromium, withoutChromium } from "./harness/chromium.mjs";
import { temporaryFolder } from "./harness/folder.mjs";

const START_MS = 120_000;
const SECOND_START_MS = 30_000;

/** Three free ports in a row; the first is where npm start is told to begin. */
async function firstPort() {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await freePorts(first).catch(() => undefined);
    if (free) return first;
  }
}

class Demo {
  output = "";
  #child;

  constructor(port, state) {
    this.port = port;
    this.#child = spawn(process.execPath, ["scripts/start.mjs", "--port", String(port), "--state", state], { cwd: ROOT });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.setEncoding("utf8").on("data", (part) => (this.output += part));
    this.ended = once(this.#child, "exit").then(([code]) => code);
  }

  async ready() {
    const limit = AbortSignal.timeout(START_MS);
    while (!this.output.includes("Ctrl-C ends everything")) {
      const ended = await Promise.race([this.ended, new Promise((done) => setTimeout(done, 50, "running"))]);
      assert.equal(ended, "running", this.output);
      assert.ok(!limit.aborted, this.output);
    }
  }

  interrupt() {
    this.#child.kill("SIGINT");
    return this.ended;
  }

  /** The curl lines that were printed, as { url, headers }. */
  get lines() {
    return [...this.output.matchAll(/^ +curl (\S+)(.*)$/gm)].map(([, url, rest]) => {
      const headers = [...rest.matchAll(/-H "([^:]+): ([^"]+)"/g)].map(([, name, value]) => [name, value]);
      return { url, headers: Object.fromEntries(headers) };
    });
  }

  /** The secret in the n-th line. */
  key(index) {
    return this.lines[index].headers.Authorization.slice("Bearer ".length);
  }
}

describe("npm start", () => {
  const cleanups = [];
  const t = { after: (action) => cleanups.unshift(action) };
  let state;
  let demo;

  before(async () => {
    state = await temporaryFolder(t);
    demo = new Demo(await firstPort(), state);
    await demo.ready();
  });

  after(async () => {
    await demo.interrupt();
    for (const cleanup of cleanups) await cleanup();
  });

  it("prints three lines that do what they say", async () => {
    const answers = await Promise.all(demo.lines.map(({ url, headers }) => fetch(url, { headers })));
    const codes = await Promise.all(answers.map(async (answer) => [answer.status, (await answer.json()).code]));
    assert.deepEqual(codes, [[200, undefined], [403, "referrer_denied"], [401, "key_invalid"]]);
  });

  it("starts an API that answers only to its own credential, and never shows it or a key", async () => {
    const direct = await fetch(`http://127.0.0.1:${demo.port + 1}/hello`, { headers: { authorization: `Bearer ${demo.key(0)}` } });
    assert.equal(direct.status, 401);
    const [{ url, headers }] = demo.lines;
    const text = await (await fetch(url, { headers })).text();
    assert.ok(!text.includes(demo.key(0)));
    assert.equal(JSON.parse(text).received.headers.authorization, "Bearer (the origin's own credential)");
  });

  it("says which port is in use and how to take another", async () => {
    const second = new Demo(demo.port, state);
    assert.equal(await second.ended, 1);
    assert.match(second.output, new RegExp(`port ${demo.port}, for the gateway, is in use[^]*npm start -- --port`));
  });

  describe("the page", { skip: withoutChromium }, () => {
    let browser;
    before(async () => (browser = await startChromium(t)));

    const open = async (host) => {
      const page = await browser.newPage();
      await page.goto(`http://${host}:${demo.port + 2}/`);
      await page.waitForSelector("[data-ready]");
      return page;
    };
    const send = async (page, call) => {
      await page.click(`[data-call=${call}] button`);
      await page.waitForSelector(`[data-call=${call}] button:not([disabled])`);
      return page.textContent(`[data-call=${call}] output`);
    };

    it("asks, sends JSON after a preflight and reads an event stream", async () => {
      const page = await open("localhost");
      assert.match(await send(page, "hello"), /200 OK.*Hello from the origin/);
      assert.match(await send(page, "messages"), /201 Created.*The origin has your message.*Good news/s);
      assert.match(await send(page, "events"), /200 OK.*Event 1 of 5.*Event 5 of 5/);
    });

    it("shows the detail of the refusal when it comes from another origin", async () => {
      const page = await open("127.0.0.1");
      assert.match(await send(page, "messages"), /403 referrer_denied.*does not allow calls from this website/);
    });

    it("shows that a private key does not belong into a page", async () => {
      const page = await open("localhost");
      await page.fill("#key", demo.key(0));
      assert.match(await send(page, "hello"), /403 private_key_in_browser/);
    });

    it("shows the refusal of a forged key and of none", async () => {
      const page = await open("localhost");
      await page.click("[data-key=forged]");
      assert.match(await send(page, "hello"), /401 key_invalid/);
      await page.click("[data-key=none]");
      assert.match(await send(page, "hello"), /401 key_missing/);
    });

    it("fits on a phone", async () => {
      const page = await open("localhost");
      await page.setViewportSize({ width: 360, height: 740 });
      await send(page, "hello");
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    });
  });

  it("ends everything on Ctrl-C, and reuses its keys at the next start", async () => {
    const keys = [demo.key(0), demo.key(1)];
    assert.equal(await demo.interrupt(), 0, demo.output);
    await freePorts(demo.port);
    const started = Date.now();
    demo = new Demo(demo.port, state);
    await demo.ready();
    assert.ok(Date.now() - started < SECOND_START_MS, `the second start took ${Date.now() - started} ms`);
    assert.deepEqual([demo.key(0), demo.key(1)], keys);
    const [{ url, headers }] = demo.lines;
    assert.equal((await fetch(url, { headers })).status, 200);
  });
});

it("npm start refuses what is no port", async (t) => {
  const demo = new Demo("99999", await temporaryFolder(t));
  assert.equal(await demo.ended, 1);
  assert.match(demo.output, /99999 is not a port/);
});
