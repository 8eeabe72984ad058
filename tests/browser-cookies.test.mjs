// Cookies in Chromium: they pass only where the route says so, and pages read credentialed answers
// only where it lists their origin.
import assert from "node:assert/strict";
import test from "node:test";
import { withoutChromium } from "./harness/chromium.mjs";
import { assertRefused, call, startScene } from "./harness/scene.mjs";

test("cookies", { skip: withoutChromium }, async (t) => {
  const scene = await startScene(t);
  const { home, origin, pages } = scene;
  const other = pages.at("app.localhost");
  // The same host name as the page: another origin, but the same site, so that the browser sends cookies.
  const gateway = scene.gateway.url.replace("127.0.0.1", "localhost");
  const cookie = encodeURIComponent("visit=1; Path=/");
  await scene.createKeys({ both: { kind: "public", referrers: [home, other] } });
  const cookies = async (page) => (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`);

  await t.test("pass both ways in a credentialed call of an origin that the route lists", async (t) => {
    const page = await scene.open(t);
    const init = { credentials: "include", headers: scene.bearer() };
    const first = await call(page, `${gateway}/cookies/headers?set-cookie=${cookie}`, init);
    assert.equal(first.status, 200);
    assert.deepEqual(await cookies(page), ["visit=1"]);
    const second = await call(page, `${gateway}/cookies/echo`, { ...init, method: "POST", body: "{}" });
    assert.equal(second.status, 200);
    assert.deepEqual(origin.last.values("cookie"), ["visit=1"]);
    scene.assertOriginSaw(`GET /headers?set-cookie=${cookie}`, "POST /echo");
  });

  await t.test("stay out of a call that asks for none", async (t) => {
    const page = await scene.open(t);
    await page.context().addCookies([{ name: "visit", value: "1", url: gateway }]);
    assert.equal((await call(page, `${gateway}/cookies/echo`, { headers: scene.bearer() })).status, 200);
    assert.deepEqual(origin.last.values("cookie"), []);
  });

  await t.test("are not for an origin that the key allows and the route does not list", async (t) => {
    const page = await scene.open(t, other);
    const answer = await call(page, `${gateway}/cookies/echo`, { credentials: "include", headers: scene.bearer("both") });
    assert.equal(answer.error, "TypeError");
    scene.assertOriginSaw();
    const without = await call(page, `${gateway}/cookies/echo`, { headers: scene.bearer("both") });
    assert.equal(without.status, 200);
    scene.assertOriginSaw("GET /echo");
  });

  await t.test("are not for a route that lists no origins", async (t) => {
    const page = await scene.open(t);
    const answer = await call(page, `${gateway}/api/echo`, { credentials: "include", headers: scene.bearer() });
    assert.equal(answer.error, "TypeError");
    scene.assertOriginSaw();
  });

  await t.test("are dropped both ways where a page needs no permission to send them", async (t) => {
    const page = await scene.open(t);
    await page.context().addCookies([{ name: "session", value: "secret", url: gateway }]);
    const url = scene.tag(`/headers?set-cookie=${cookie}`).replace(scene.gateway.url, gateway);
    const answer = await call(page, url, { mode: "no-cors", credentials: "include" });
    assert.equal(answer.type, "opaque");
    scene.assertOriginSaw(`GET /headers?set-cookie=${cookie}`);
    assert.deepEqual(origin.last.values("cookie"), []);
    assert.deepEqual(await cookies(page), ["session=secret"]);
  });

  await t.test("do not open a refusal to a credentialed call, not even on a route that lists the origin", async (t) => {
    const page = await scene.open(t);
    const forged = { authorization: `Bearer ${scene.keys.public.slice(0, -1)}` };
    const url = `${gateway}/cookies/echo`;
    assert.equal((await call(page, url, { credentials: "include", headers: forged })).error, "TypeError");
    assertRefused(await call(page, url, { headers: forged }), 401, "key_invalid");
    scene.assertOriginSaw();
  });

  scene.assertLogIsClean();
});
