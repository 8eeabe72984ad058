// CORS in Chromium: what a page may send, what it may read, and what the browser remembers.
import assert from "node:assert/strict";
import test from "node:test";
import { withoutChromium } from "./harness/chromium.mjs";
import { watchExchanges } from "./harness/exchanges.mjs";
import { startPages } from "./harness/pages.mjs";
import { assertRefused, call, startScene } from "./harness/scene.mjs";

const APP = { "x-ios-bundle-identifier": "com.example.app" };

const more = (home) => `
[[route]]
path = "/cached/**"
strip_prefix = "/cached"
origin = "\${ORIGIN}"
key_in = ["query:key"]
cache = "origin"

[[route]]
path = "/visits/**"
strip_prefix = "/visits"
origin = "\${ORIGIN}"
key_in = ["query:key"]
cookies = true
[route.cors]
origins = ["${home}"]
`;

const answers = {
  "/tagged": (request, response) => {
    const known = request.headers["if-none-match"] === '"v1"';
    response.writeHead(known ? 304 : 200, { etag: '"v1"' }).end(known ? undefined : "tagged");
  },
  "/image.svg": (_, response) => {
    response.writeHead(200, { "content-type": "image/svg+xml", "cache-control": "max-age=60" });
    response.end('<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"/>');
  },
  "/busy": (_, response) => response.writeHead(503, { "retry-after": "7", "x-inner": "1" }).end("busy"),
};

test("CORS in a browser", { skip: withoutChromium }, async (t) => {
  const scene = await startScene(t, answers, { more });
  const { gateway, home, origin } = scene;
  // Another origin of the same site: both share the browser's cache.
  const twin = (await startPages(t)).at("localhost");
  const api = (path) => `${gateway.url}/api${path}`;
  await scene.createKeys({
    limited: { referrers: [home], limits: { rate: [{ name: "burst", limit: 50, window_s: 60 }] } },
    both: { referrers: [home, twin] },
    app: { apps: { ios: [APP["x-ios-bundle-identifier"]] } },
  });
  const asked = (exchanges) => exchanges.map(({ sent }) => sent["access-control-request-method"]);

  await t.test("a simple call takes no preflight", async (t) => {
    const page = await scene.open(t);
    const exchanges = await watchExchanges(page);
    for (const [method, init] of [["GET", {}], ["HEAD", {}], ["POST", { body: "text" }]]) {
      const answer = await call(page, scene.tag("/echo"), { method, ...init });
      assert.deepEqual([answer.status, answer.type, answer.text === ""], [200, "cors", method === "HEAD"]);
    }
    assert.deepEqual(asked(await exchanges(3)), [undefined, undefined, undefined]);
    scene.assertOriginSaw("GET /echo", "HEAD /echo", "POST /echo");
  });

  await t.test("a preflight is remembered until another method asks", async (t) => {
    const page = await scene.open(t);
    const exchanges = await watchExchanges(page);
    for (const method of ["PATCH", "PATCH", "DELETE", "DELETE"]) {
      assert.equal((await call(page, api("/echo"), { method, headers: { ...scene.bearer(), "x-custom": "1" } })).status, 200);
    }
    const seen = await exchanges(6);
    assert.deepEqual(asked(seen).filter(Boolean), ["PATCH", "DELETE"]);
    assert.ok(seen.every(({ headers }) => headers["access-control-max-age"] === undefined || headers["access-control-max-age"] === "7200"));
    scene.assertOriginSaw("PATCH /echo", "PATCH /echo", "DELETE /echo", "DELETE /echo");
  });

  await t.test("a page reads how the limits of its key stand", async (t) => {
    const page = await scene.open(t);
    const { headers } = await call(page, api("/echo"), { headers: scene.bearer("limited") });
    assert.equal(headers["ratelimit-policy"], '"burst";q=50;w=60');
    assert.match(headers.ratelimit, /^"burst";r=49;t=\d+$/);
  });

  await t.test("a page reads when the origin itself wants to be asked again", async (t) => {
    const page = await scene.open(t);
    const answer = await call(page, api("/busy"), { headers: scene.bearer() });
    assert.deepEqual([answer.status, answer.text, answer.headers["retry-after"], answer.headers["x-inner"]], [503, "busy", "7", undefined]);
  });

  await t.test("an answer that has not changed is read from the browser's cache", async (t) => {
    const page = await scene.open(t);
    const exchanges = await watchExchanges(page);
    for (const _ of "12") {
      const answer = await call(page, scene.tag("/tagged"), { cache: "no-cache" });
      assert.deepEqual([answer.status, answer.text], [200, "tagged"]);
    }
    assert.deepEqual((await exchanges(2)).map(({ status }) => status), [200, 304]);
  });

  const cached = (path) => `${gateway.url}/cached${path}${path.includes("?") ? "&" : "?"}key=${scene.keys.both}`;
  await t.test("what the browser has cached for one website does not shut out another", async (t) => {
    const page = await scene.open(t);
    const url = cached(`/headers?cache-control=${encodeURIComponent("public, max-age=60")}`);
    for (const _ of "12") assert.equal((await call(page, url)).status, 200);
    assert.equal(origin.requests.length, 1, "it is cached");
    await page.goto(twin);
    assert.equal((await call(page, url)).status, 200);
    assert.equal(origin.requests.length, 2);
  });

  await t.test("an image that was loaded without CORS does not shut out a script", async (t) => {
    const page = await scene.open(t);
    const url = cached("/image.svg");
    const width = await page.evaluate(async (url) => {
      const image = Object.assign(new Image(), { src: url });
      await image.decode();
      return image.naturalWidth;
    }, url);
    assert.equal(width, 7);
    assert.match((await call(page, url)).text, /^<svg/);
  });

  await t.test("what a server was given from a cache that is shared does not shut out a page", async () => {
    const answer = await fetch(`${gateway.url}/cached/echo?key=${scene.keys.both}`, { headers: { origin: home } });
    assert.equal(answer.headers.get("vary"), "Origin");
  });

  await t.test("an origin that shows its timing shows it to the page that the key allows", async (t) => {
    const page = await scene.open(t);
    const timing = async (path) => {
      const url = scene.tag(path);
      assert.equal((await call(page, url)).status, 200);
      return page.evaluate((url) => performance.getEntriesByName(url)[0].requestStart, url);
    };
    assert.equal(await timing("/headers"), 0);
    assert.notEqual(await timing(`/headers?timing-allow-origin=${encodeURIComponent("https://elsewhere.example")}`), 0);
  });

  await t.test("an EventSource with cookies is for an origin that the route lists", async (t) => {
    for (const [address, expected] of [[home, "{\"event\":1}"], [twin, "error"]]) {
      const page = await scene.open(t, address);
      await page.context().addCookies([{ name: "visit", value: "1", url: gateway.url.replace("127.0.0.1", "localhost") }]);
      const url = `${gateway.url.replace("127.0.0.1", "localhost")}/visits/events?count=1&key=${scene.keys.both}`;
      assert.equal(await page.evaluate(firstEvent, url), expected);
      assert.deepEqual(origin.last.values("cookie"), ["visit=1"]);
    }
  });

  await t.test("a page that says it is an app reads nothing: an app's key names no website", async (t) => {
    const page = await scene.open(t);
    const headers = { ...APP, ...scene.bearer("app") };
    assert.equal((await call(page, api("/echo"), { headers })).error, "TypeError");
    assertRefused(await call(page, api("/echo"), { headers: scene.bearer("app") }), 403, "app_denied");
  });

  scene.assertLogIsClean();
});

test("a gateway in a local network, and a page of the internet", { skip: withoutChromium }, async (t) => {
  // Chromium takes the address of the pages for one of the internet.
  const args = (pages) => [`--ip-address-space-overrides=${new URL(pages.at("127.0.0.1")).host}=public`];
  const scene = await startScene(t, {}, { args });
  const api = `${scene.gateway.url}/api/echo`;

  await t.test("the browser sends nothing while the visitor has not permitted it", async (t) => {
    const page = await scene.open(t);
    assert.equal((await call(page, api, { headers: scene.bearer() })).error, "TypeError");
    assert.equal((await call(page, scene.tag("/echo"))).error, "TypeError");
    scene.assertOriginSaw();
  });

  await t.test("with the permission a call works as any other, and nobody asks for a private network", async (t) => {
    const page = await scene.open(t, scene.home, { permissions: ["local-network-access"] });
    const exchanges = await watchExchanges(page);
    assert.equal((await call(page, api, { headers: scene.bearer() })).status, 200);
    assert.equal((await call(page, scene.tag("/echo"))).status, 200);
    const seen = await exchanges(3);
    assert.deepEqual(seen.filter(({ sent }) => "access-control-request-private-network" in sent), []);
    scene.assertOriginSaw("GET /echo", "GET /echo");
    assertRefused(await call(page, api), 401, "key_missing");
  });

  scene.assertLogIsClean();
});

// What follows runs in the page.

function firstEvent(url) {
  return new Promise((resolve) => {
    const source = new EventSource(url, { withCredentials: true });
    const end = (found) => {
      source.close();
      resolve(found);
    };
    source.onmessage = ({ data }) => end(data);
    source.onerror = () => end("error");
  });
}
