// What Chromium tells about where a call comes from, and what follows: sandboxed frames, pages that
// hide their address, images and scripts, rules with a path.
import assert from "node:assert/strict";
import test from "node:test";
import { withoutChromium } from "./harness/chromium.mjs";
import { watchExchanges } from "./harness/exchanges.mjs";
import { assertRefused, call, startScene } from "./harness/scene.mjs";

const POST = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
const HIDDEN = "?policy=no-referrer";

test("where a call comes from", { skip: withoutChromium }, async (t) => {
  const scene = await startScene(t, {
    "/image.svg": (_, response) => {
      response.writeHead(200, { "content-type": "image/svg+xml" });
      response.end('<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"/>');
    },
    "/script.js": (_, response) => response.writeHead(200, { "content-type": "text/javascript" }).end("window.ran = true;"),
  });
  const { gateway, home, origin, pages } = scene;
  const elsewhere = pages.at("127.0.0.1");
  const api = `${gateway.url}/api/echo`;
  await scene.createKeys({
    own: { kind: "public", referrers: [gateway.url] },
    app: { kind: "public", referrers: [`${home}/app/*`] },
    any: { kind: "public", any_referrer: true },
  });

  await t.test("a sandboxed frame has the origin null: it is refused, and null is not reflected", async (t) => {
    const frame = await sandboxed(await scene.open(t));
    const exchanges = await watchExchanges(frame);
    assert.equal((await call(frame, scene.tag("/echo"))).error, "TypeError");
    assert.equal((await call(frame, api, { headers: scene.bearer() })).error, "TypeError");
    assert.equal((await call(frame, api, { ...POST, headers: { ...POST.headers, ...scene.bearer() } })).error, "TypeError");
    scene.assertOriginSaw();
    const seen = await exchanges(3);
    assert.deepEqual(seen.map(({ status }) => status), [403, 204, 204]);
    for (const { sent, headers } of seen) {
      assert.equal(sent.origin, "null");
      assert.deepEqual(Object.keys(headers).filter((name) => name === "access-control-allow-origin"), []);
      assert.match(headers.vary, /\bOrigin\b/);
    }
  });

  await t.test("a sandboxed frame cannot read the answer to a key for any website either", async (t) => {
    const frame = await sandboxed(await scene.open(t));
    const exchanges = await watchExchanges(frame);
    assert.equal((await call(frame, scene.tag("/echo", "any"))).error, "TypeError");
    const [{ sent, status, headers }] = await exchanges(1);
    assert.deepEqual([sent.origin, status, headers["access-control-allow-origin"]], ["null", 200, undefined]);
    scene.assertOriginSaw("GET /echo");
  });

  await t.test("a sandboxed frame that keeps its origin is the website that it is on", async (t) => {
    const frame = await sandboxed(await scene.open(t), "allow-scripts allow-same-origin");
    assert.equal((await call(frame, api, { headers: scene.bearer() })).status, 200);
    scene.assertOriginSaw("GET /echo");
  });

  for (const [name, init] of [["GET", {}], ["POST", POST]]) {
    await t.test(`a page with no-referrer still tells its origin in a ${name} of fetch to another origin`, async (t) => {
      const page = await scene.open(t, `${home}/${HIDDEN}`);
      const answer = await call(page, api, { ...init, headers: { ...init.headers, ...scene.bearer() } });
      assert.equal(answer.status, 200);
      assert.deepEqual(origin.last.values("referer"), []);
      scene.assertOriginSaw(`${name} /echo`);
    });
  }

  await t.test("a page on the gateway's own origin is known by its Referer, as its GET carries no Origin", async (t) => {
    const page = await scene.open(t, `${gateway.url}/_keyward/healthz`);
    const exchanges = await watchExchanges(page);
    assert.equal((await call(page, api, { headers: scene.bearer("own") })).status, 200);
    scene.assertOriginSaw("GET /echo");
    const [{ sent }] = await exchanges(1);
    assert.deepEqual([sent.origin, sent.referer], [undefined, `${gateway.url}/_keyward/healthz`]);
  });

  await t.test("a page on the gateway's own origin that hides its address is refused, and reads why", async (t) => {
    const page = await scene.open(t, `${gateway.url}/_keyward/healthz`);
    const answer = await call(page, api, { headers: scene.bearer("own"), referrerPolicy: "no-referrer" });
    assertRefused(answer, 403, "referrer_denied");
    scene.assertOriginSaw();
  });

  await t.test("an image and a script are known by their Referer, and load", async (t) => {
    const page = await scene.open(t);
    assert.deepEqual(await page.evaluate(image, scene.tag("/image.svg?size=7")), { width: 7, height: 5 });
    assert.equal(await page.evaluate(script, scene.tag("/script.js")), true);
    scene.assertOriginSaw("GET /image.svg?size=7", "GET /script.js");
    assert.deepEqual(origin.last.values("origin"), []);
  });

  for (const [name, address] of [["another website", elsewhere], ["a page with no-referrer", `${home}/${HIDDEN}`]]) {
    await t.test(`an image, a script and a call without CORS of ${name} are refused`, async (t) => {
      const page = await scene.open(t, address);
      const exchanges = await watchExchanges(page);
      assert.equal(await page.evaluate(image, scene.tag("/image.svg")), null);
      assert.equal(await page.evaluate(script, scene.tag("/script.js")), false);
      assert.equal((await call(page, scene.tag("/echo"), { mode: "no-cors" })).type, "opaque");
      scene.assertOriginSaw();
      assert.deepEqual((await exchanges(3)).map(({ status }) => status), [403, 403, 403]);
    });
  }

  await t.test("a script that asks with CORS is known by its Origin, also from a page with no-referrer", async (t) => {
    const page = await scene.open(t, `${home}/${HIDDEN}`);
    assert.equal(await page.evaluate(script, [scene.tag("/script.js"), "anonymous"]), true);
    scene.assertOriginSaw("GET /script.js");
  });

  await t.test("a rule with a path takes the page only if it shows its path, as browsers do not by default", async (t) => {
    const page = await scene.open(t, `${home}/app/start`);
    assertRefused(await call(page, api, { headers: scene.bearer("app") }), 403, "referrer_denied");
    scene.assertOriginSaw();
    const shown = await call(page, api, { headers: scene.bearer("app"), referrerPolicy: "no-referrer-when-downgrade" });
    assert.equal(shown.status, 200);
    scene.assertOriginSaw("GET /echo");
  });

  await t.test("a rule with a path keeps out the website's other pages", async (t) => {
    const page = await scene.open(t, `${home}/application?policy=unsafe-url`);
    assertRefused(await call(page, api, { headers: scene.bearer("app") }), 403, "referrer_denied");
    scene.assertOriginSaw();
  });

  scene.assertLogIsClean();
});

/** A sandboxed frame in a page. */
async function sandboxed(page, sandbox = "allow-scripts") {
  const element = await page.evaluateHandle(
    (sandbox) =>
      new Promise((resolve) => {
        const frame = Object.assign(document.createElement("iframe"), { sandbox, srcdoc: "<p>A frame</p>", onload: () => resolve(frame) });
        document.body.append(frame);
      }),
    sandbox,
  );
  return element.contentFrame();
}

// What follows runs in the page.

function image(src) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => resolve(null);
    image.src = src;
  });
}

function script(given) {
  const [src, crossOrigin = null] = [given].flat();
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.onload = () => resolve(window.ran === true);
    script.onerror = () => resolve(false);
    script.crossOrigin = crossOrigin;
    script.src = src;
    document.head.append(script);
  });
}
