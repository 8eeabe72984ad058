// Lists of keys: what each filter lets through, what needs attention, what a search finds, and
// pages that neither repeat nor miss a key while others come and go.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { request } from "./harness/client.mjs";
import { assertRefused } from "./harness/refused.mjs";
import { eventually, ManagementClient } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const stage = await startStage({ after }, { gateway: GATEWAY, clock: true });
const { clock } = stage.gateway;
await clock.stop();
const api = new ManagementClient(stage.gateway);
let serial = 0;

async function project() {
  const id = `p${(serial += 1)}`;
  await api.project(id);
  return id;
}

/** A project with keys by name. */
async function withKeys(fields) {
  const id = await project();
  const keys = {};
  for (const [name, own] of Object.entries(fields)) keys[name] = await api.key(id, { name, ...own });
  const found = async (query) => (await api.all(`/projects/${id}/keys`, query)).map(({ name }) => name);
  return { id, keys, found, path: (name) => `/projects/${id}/keys/${keys[name].key.id}` };
}

const at = (millis) => new Date(millis).toISOString();

describe("filters", () => {
  let one;

  before(async () => {
    one = await withKeys({
      page: { referrers: ["example.com"], owner: "ann" },
      server: { owner: "ann", scopes: ["chat:write"] },
      staging: { owner: "bob", environment: "test" },
      gone: { owner: "bob" },
      stopped: { status: "disabled", owner: "carl" },
      suspended: { owner: "dora" },
      deleted: { owner: "ann" },
    });
    await api.must("POST", `${one.path("gone")}/revoke`);
    await api.must("DELETE", one.path("deleted"));
    await api.must("POST", `/projects/${one.id}/owners:suspend`, { owner: "dora" });
  });

  test("narrow, each by itself and together, the newest first", async () => {
    for (const [query, names] of [
      ["limit=3", ["suspended", "stopped", "gone", "staging", "server", "page"]],
      ["status=active", ["staging", "server", "page"]],
      ["status=revoked", ["gone"]],
      ["status=disabled", ["stopped"]],
      ["status=suspended", ["suspended"]],
      ["status=deleted", ["deleted"]],
      ["owner=ann", ["server", "page"]],
      ["owner=an", []],
      ["environment=test", ["staging"]],
      ["kind=public", ["page"]],
      ["owner=bob&status=active", ["staging"]],
      ["owner=ann&kind=private&environment=live&q=serv", ["server"]],
    ]) {
      assert.deepEqual(await one.found(query), names, query);
    }
  });

  test("find a text in name, owner or id, in any case, wherever it stands", async () => {
    const texts = await withKeys({ "Ci für Köln": {}, "100% sure": {}, 'quo"ted': { owner: "O'Hara" }, "a_b": {}, "axb": {}, NEAR: {} });
    for (const [query, names] of [
      ["köln", ["Ci für Köln"]],
      ["100%", ["100% sure"]],
      ["%", ["100% sure"]],
      ['"', ['quo"ted']],
      ["o'hara", ['quo"ted']],
      ["a_b", ["a_b"]],
      ["ne", ["NEAR"]],
      ["NEAR", ["NEAR"]],
      ["* OR name:*", []],
      ["nobody has this", []],
    ]) {
      // Ids are random: a short text stands in one now and then.
      const byId = Object.keys(texts.keys).filter((name) => texts.keys[name].key.id.toLowerCase().includes(query.toLowerCase()));
      const expected = new Set([...names, ...byId]);
      assert.deepEqual(new Set(await texts.found(`q=${encodeURIComponent(query)}`)), expected, query);
    }
    const { id } = texts.keys.NEAR.key;
    for (const part of [id, id.slice(4, 12), id.slice(-2).toLowerCase()]) assert.ok((await texts.found(`q=${part}`)).includes("NEAR"), part);
    await api.patch(texts.path("NEAR"), { name: "FAR", owner: "someone" });
    assert.deepEqual([await texts.found("q=near"), await texts.found("q=far"), await texts.found("q=someone")], [[], ["FAR"], ["FAR"]], "what is found is what is written now");
    await api.must("DELETE", texts.path("NEAR"));
    assert.deepEqual(await texts.found("q=someone"), []);
  });

  test("that are unknown or wrong are refused, and named", async () => {
    for (const query of ["unused=90", "unused=0d", "unused=1.5d", "unused=d", "unused=100000d", "expiring=1w", "unrestricted=yes", "full_access=1", "kind=management", "environment=", "status=expired", "owned=ann"]) {
      for (const path of [`/projects/${one.id}/keys`, "/keys"]) assertRefused(await api.get(`${path}?${query}`), 400, "query_invalid", [query.split("=")[0]]);
    }
  });
});

describe("what needs attention", () => {
  test("is listed when any of the four applies, with those that do", async () => {
    const fields = {
      plain: { ips: ["192.0.2.0/24"], scopes: ["a:b"], expires_at: at(clock.now() + 400 * DAY) },
      open: { scopes: ["a:b"] },
      master: { ips: ["192.0.2.0/24"], scopes: ["*:*"] },
      ending: { paths: ["GET /v1/**"], expires_at: at(clock.now() + 100 * DAY) },
      web: { referrers: ["example.com"] },
      everything: { scopes: ["*:*"], expires_at: at(clock.now() + 95 * DAY) },
    };
    const { id, found } = await withKeys(fields);
    assert.deepEqual(await found("unrestricted=true"), ["everything", "open"]);
    assert.deepEqual(await found("full_access=true"), ["everything", "master"]);
    assert.deepEqual(await found("unused=1d"), [], "they have just been made");
    assert.deepEqual(await found("unrestricted=false"), Object.keys(fields).reverse(), "false asks for nothing");
    await clock.advance(91 * DAY);
    assert.deepEqual(await found("expiring=14d"), ["everything", "ending"]);
    assert.deepEqual(await found("expiring=5d"), ["everything"]);
    const attention = async (query) => Object.fromEntries((await api.all(`/projects/${id}/keys`, query)).map((key) => [key.name, key.attention?.toSorted()]));
    assert.deepEqual(await attention("unrestricted=true&expiring=14d&full_access=true"), {
      everything: ["expiring", "full_access", "unrestricted"],
      ending: ["expiring"],
      master: ["full_access"],
      open: ["unrestricted"],
    });
    assert.deepEqual(Object.keys(await attention("unused=90d")), Object.keys(fields).reverse());
    assert.deepEqual(await attention("full_access=true&q=mast"), { master: ["full_access"] }, "what else is asked for narrows");
    assert.equal((await attention("limit=100")).open, undefined, "who does not ask is not told");
  });

  test("of the end: to the second", async () => {
    const end = clock.now() + 10 * DAY;
    const { found } = await withKeys({ ending: { expires_at: at(end) } });
    await clock.advanceTo(end - DAY - 1);
    assert.deepEqual(await found("expiring=1d"), []);
    await clock.advance(1);
    assert.deepEqual(await found("expiring=1d"), ["ending"]);
    await clock.advance(DAY);
    assert.deepEqual(await found("expiring=1d"), [], "what has ended does not end soon");
  });

  test("of not being used: a key that the edge has let through counts as used", async () => {
    const { found, keys, path } = await withKeys({ used: {}, idle: {} });
    await clock.advance(40 * DAY);
    const call = () => request(stage.port, "/x", { headers: { "x-api-key": keys.used.secret } });
    const began = clock.now();
    assert.equal((await call()).status, 200);
    const ended = clock.now();
    // An isolate tells the meter within a lease, and the meter tells the registry soon after.
    await eventually(async () => {
      await clock.advance(10_000);
      return (await api.get(path("used"))).body.last_used_at !== undefined;
    }, 30_000);
    const { last_used_at } = (await api.get(path("used"))).body;
    const [from, until] = [began - MINUTE, ended];
    assert.ok(from < Date.parse(last_used_at) && Date.parse(last_used_at) <= until, "the minute of the call");
    assert.equal((await api.get(path("idle"))).body.last_used_at, undefined);
    assert.deepEqual([await found("unused=30d"), await found("unused=60d")], [["idle"], []]);
    await clock.advance(31 * DAY);
    assert.deepEqual(await found("unused=30d"), ["idle", "used"]);
  });
});

describe("pages", () => {
  const pages = async (path, query, between) => {
    const seen = [];
    let cursor = "";
    do {
      const page = await api.must("GET", `${path}?${query}${cursor}`);
      seen.push(...page.items);
      if (page.next_cursor) await between?.(page.items);
      cursor = page.next_cursor && `&cursor=${encodeURIComponent(page.next_cursor)}`;
    } while (cursor);
    return seen;
  };

  test("neither repeat nor miss a key under inserts, deletes and changes", async () => {
    const fields = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`key ${index}`, {}]));
    const { id, path, keys } = await withKeys(fields);
    const first = Object.keys(fields).reverse();
    const gone = new Set();
    const seen = await pages(`/projects/${id}/keys`, "limit=4&status=active", async (items) => {
      await api.key(id, { name: "newcomer" });
      await api.must("DELETE", path(items[0].name));
      await api.patch(path(items[1].name), { owner: "moved" });
      const ahead = first[first.indexOf(items.at(-1).name) + 2];
      if (ahead) {
        gone.add(ahead);
        await api.must("DELETE", `/projects/${id}/keys/${keys[ahead].key.id}`);
      }
    });
    assert.deepEqual(seen.map(({ name }) => name), first.filter((name) => !gone.has(name)));
  });

  test("of the account's keys hold those of every project, each with its own, once", async () => {
    const ids = [await project(), await project(), await project()];
    const made = [];
    for (let count = 0; count < 3; count += 1) for (const id of ids) made.push((await api.key(id, { owner: "of-the-account" })).key.id);
    const seen = await pages("/keys", "limit=2&owner=of-the-account", () => api.key(ids[0], { owner: "a newcomer" }));
    assert.deepEqual(seen.map(({ id }) => id).sort(), made.sort());
    for (const { id, project: own } of seen) assert.equal((await api.get(`/projects/${own}/keys/${id}`)).status, 200);
    const alive = await pages("/keys", "limit=100&unrestricted=true&q=of-the-account");
    assert.deepEqual(alive.map(({ attention }) => attention), made.map(() => ["unrestricted"]));
    const { secret } = await api.managementKey({ project: ids[1] });
    assert.deepEqual(new Set((await api.as(secret).all("/keys")).map(({ project: own }) => own)), new Set([ids[1]]));
  });

  test("of projects follow their status", async () => {
    const ids = [await project(), await project(), await project()];
    await api.must("POST", `/projects/${ids[0]}/suspend`);
    await api.must("POST", `/projects/${ids[1]}/archive`);
    const listed = async (query) => (await pages("/projects", query)).map(({ id }) => id).filter((id) => ids.includes(id));
    await eventually(async () => assert.deepEqual(await listed("limit=2"), [ids[2], ids[0]].toSorted().reverse()), 5000);
    assert.deepEqual(await listed("status=suspended"), [ids[0]]);
    assert.deepEqual(await listed("status=archived"), [ids[1]]);
    assert.deepEqual(await listed("status=active"), [ids[2]]);
  });
});
