// docs/a-map-widget.md in Chromium: the page that it shows, on both websites and on a third one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import test from "node:test";
import { startShown } from "./docs/shown.mjs";
import { withoutChromium } from "./harness/chromium.mjs";
import { without } from "./harness/programs.mjs";
import { CLIENT } from "./harness/websites.mjs";

const SECRET = "the-map-providers-own-key-4711";
const PLACES = [
  { name: "Harbour", left: 100, top: 90 },
  { name: "Market", left: 290, top: 260 },
];

/** A provider of maps that answers to its own key only; `requests` is what has arrived. */
async function startMaps(t) {
  const requests = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://maps");
    requests.push({ path: pathname, target: request.url, headers: request.headers });
    if (request.headers["x-maps-key"] !== SECRET) return response.writeHead(401).end();
    const [, x, y] = /^\/tiles\/2\/(\d)\/(\d)$/.exec(pathname) ?? [];
    if (x) return response.writeHead(200, { "content-type": "image/svg+xml" }).end(tile(x, y));
    if (pathname === "/places") return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ places: PLACES }));
    response.writeHead(404).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close(server.closeAllConnections()));
  return { requests, url: `http://127.0.0.1:${server.address().port}` };
}

const tile = (x, y) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128"><rect width="128" height="128" fill="${(Number(x) + Number(y)) % 2 ? "#cfe8c5" : "#bcd9ee"}"/><text x="8" y="20" font-size="12">2/${x}/${y}</text></svg>`;

/** What the page shows: its status, the names on the map, and the width of each tile. */
const shown = (page) =>
  page.evaluate(async () => {
    const tiles = [...document.images];
    await Promise.allSettled(tiles.map((tile) => tile.decode()));
    const marks = [...document.querySelectorAll("#map span")].map((mark) => mark.textContent);
    return { status: document.querySelector("#status").textContent, marks, tiles: tiles.map((tile) => tile.naturalWidth) };
  });

test("the map widget of the documentation", { skip: withoutChromium || without("openssl"), timeout: 300_000 }, async (t) => {
  const maps = await startMaps(t);
  const sites = ["shop.example", "blog.example", "other.example"];
  const { gateway, key, open } = await startShown(t, "docs/a-map-widget.md", { origin: maps.url, vars: { MAPS_KEY: SECRET }, sites });
  const loaded = async (host) => {
    maps.requests.length = 0;
    const page = await open(host);
    await page.waitForFunction(() => document.querySelector("#status").textContent !== "");
    return page;
  };

  for (const host of sites.slice(0, 2)) {
    await t.test(`is shown on ${host}`, async () => {
      const page = await loaded(host);
      assert.deepEqual(await shown(page), { status: "2 shops", marks: ["Harbour", "Market"], tiles: Array(9).fill(128) });
      assert.equal(maps.requests.length, 10);
      const seen = JSON.stringify(maps.requests);
      assert.ok(!seen.includes(key), "the provider gets no key of ours");
      assert.ok(maps.requests.every(({ headers }) => headers["keyward-kind"] === "public"));
      assert.ok(!(await page.content()).includes(SECRET));
    });
  }

  await t.test("shows a third website why there is no map, and the provider hears nothing of it", async () => {
    const page = await loaded("other.example");
    assert.deepEqual(await shown(page), { status: "No map: The key does not allow calls from this website.", marks: [], tiles: [] });
    const refused = await page.evaluate(async (src) => {
      const tile = Object.assign(new Image(), { src });
      return tile.decode().then(() => "shown", () => "broken");
    }, `https://gate.example.com/maps/tiles/2/1/1?key=${key}`);
    assert.equal(refused, "broken");
    assert.deepEqual(maps.requests, []);
  });

  await t.test("tells a visitor to wait whose address has made its 300 calls", async () => {
    const headers = { origin: "https://shop.example", "x-api-key": key, "cf-connecting-ip": CLIENT };
    let [status, calls] = [200, 0];
    while (status === 200 && calls < 310) {
      calls += 1;
      const answer = await fetch(`${gateway.url}/maps/places`, { headers });
      await answer.text();
      status = answer.status;
    }
    // Two pages have made ten each.
    assert.deepEqual([status, calls], [429, 281]);
    const page = await loaded("shop.example");
    assert.match((await shown(page)).status, /^Try again in [1-9]\d? seconds\.$/);
    assert.deepEqual(maps.requests, []);
  });

  assert.ok(![SECRET, key].some((secret) => gateway.log.includes(secret)), "a secret is in the log");
});
