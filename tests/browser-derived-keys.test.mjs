// Derived keys in Chromium: minted on a server, or in a page by the same client, and used by pages.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { derive } from "../clients/derive.mjs";
import { ROOT } from "./harness/build.mjs";
import { withoutChromium } from "./harness/chromium.mjs";
import { assertRefused, call, startScene } from "./harness/scene.mjs";

const vectors = JSON.parse(readFileSync(join(ROOT, "clients/vectors.json"), "utf8"));

test("derived keys in a browser", { skip: withoutChromium }, async (t) => {
  const scene = await startScene(t);
  const { gateway, origin } = scene;
  const api = (path) => `${gateway.url}/api${path}`;
  await scene.createKeys({ parent: { kind: "private", scopes: ["orders:*"] } });
  const keyed = async (fields) => ({ authorization: `Bearer ${await derive(scene.keys.parent, fields)}` });

  await t.test("a page of the website that one names calls with it, after a preflight", async (t) => {
    const page = await scene.open(t);
    const headers = { ...(await keyed({ referrers: [scene.home], user: "user-17" })), "content-type": "application/json" };
    const answer = await call(page, api("/echo"), { method: "PUT", headers, body: "{}" });
    assert.deepEqual([answer.status, answer.type], [200, "cors"]);
    scene.assertOriginSaw("PUT /echo");
    assert.deepEqual(origin.last.values("keyward-user"), ["user-17"]);
    assert.deepEqual(origin.last.values("keyward-kind"), ["derived"]);
  });

  await t.test("any page calls with one that says so, and none with one that names no website, or its parent", async (t) => {
    const page = await scene.open(t);
    assert.equal((await call(page, api("/echo"), { headers: await keyed({ anyReferrer: true }) })).status, 200);
    origin.forget();
    assertRefused(await call(page, api("/echo"), { headers: await keyed() }), 403, "referrer_denied");
    assertRefused(await call(page, api("/echo"), { headers: scene.bearer("parent") }), 403, "private_key_in_browser");
    scene.assertOriginSaw();
  });

  await t.test("a page reads why it is refused", async (t) => {
    const page = await scene.open(t);
    for (const [code, status, fields] of [
      ["referrer_denied", 403, { referrers: ["https://shop.example"] }],
      ["wider_than_parent", 403, { scopes: ["cart:write"] }],
      ["referrer_denied", 403, { scopes: ["orders:read"] }],
      ["path_denied", 403, { anyReferrer: true, paths: ["GET /api/orders/**"] }],
      ["key_expired", 401, { now: Date.now() - 60_000, expiresIn: 1000 }],
      ["key_not_yet_valid", 401, { notBefore: new Date(Date.now() + 60_000) }],
    ]) {
      assertRefused(await call(page, api("/echo"), { headers: await keyed(fields) }), status, code);
    }
    scene.assertOriginSaw();
  });

  await t.test("the client mints in a browser what it mints elsewhere", async (t) => {
    const page = await scene.open(t);
    const text = readFileSync(join(ROOT, "clients/derive.mjs"), "utf8");
    const made = await page.evaluate(
      async ([text, vectors]) => {
        const { derive } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
        return Promise.all(vectors.map(({ now, fields: { secret, expires_in, not_before, any_referrer, ...fields } }) => derive(secret, { ...fields, now, ...(any_referrer && { anyReferrer: true }), ...(expires_in && { expiresIn: expires_in }), ...(not_before && { notBefore: new Date(not_before) }) })));
      },
      [text, vectors],
    );
    assert.deepEqual(made, vectors.map(({ key }) => key));
  });

  scene.assertLogIsClean();
});
