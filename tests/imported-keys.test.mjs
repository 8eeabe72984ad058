// Keys that were made elsewhere: they hold where a route takes them, and what is tried there costs
// the keys of this deployment nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fault } from "./harness/kv.mjs";
import { nameFor, nameOf, recordOf, sealed } from "./harness/record.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[gateway]
memory_records = 3

[[route]]
path = "/native/**"
origin = "\${ORIGIN}"

[[route]]
path = "/any/**"
origin = "\${ORIGIN}"
imported_keys = true
key_in = ["bearer", "header:x-api-key", "query:key"]

[[route]]
path = "/staging/**"
origin = "\${ORIGIN}"
imported_keys = true
environments = ["staging"]
`;
const PAGE = "https://app.example";
const LEGACY = "Legacy/key+of~28=characters!";
const UNKNOWN = "no-such-key-anywhere-at-all";

/** A stage in whose KV records can be put by secret, and reads counted by secret. */
async function start(t, options = {}) {
  const keys = { one: { kind: "private" }, two: { kind: "private" } };
  const stage = await startStage(t, { gateway: GATEWAY, keys, ...options });
  return Object.assign(stage, {
    put(secret, fields) {
      const name = nameFor(secret);
      stage.kv.put(name, sealed(name, recordOf({ imported: true, ...fields })));
      stage.secrets.push(secret);
    },
    readsOf: (secret) => stage.kv.recorded("get").filter(({ name }) => name === nameFor(secret)).length,
  });
}

/** All that a caller sees of an answer, but for what differs with every request. */
function visible({ status, lines, text }) {
  const { request_id: _, ...problem } = JSON.parse(text);
  return { status, problem, lines: lines.filter(([name]) => name.toLowerCase() !== "content-length") };
}

test("imported keys", { concurrency: true, timeout: 60_000 }, async (t) => {
  await Promise.all([
    t.test("the harness names records as the registry does", async (t) => {
      const stage = await start(t);
      assert.equal(nameFor(stage.keys.one), nameOf(stage.kv, stage.created.one));
    }),

    t.test("an imported key is read once and passes with its identity, its secret does not", async (t) => {
      const stage = await start(t);
      stage.put(LEGACY, { owner: "o-7", version: 3 });
      for (let n = 0; n < 5; n += 1) {
        const { seen } = await stage.passes("/any/x", { key: LEGACY });
        assert.deepEqual(["key-id", "project", "kind", "owner"].map((name) => seen.values(`keyward-${name}`).join()), ["key_imported000000000000", "acme", "private", "o-7"]);
        assert.ok(!JSON.stringify(seen.lines).includes(LEGACY));
      }
      await stage.passes("/any/x", { headers: { authorization: `Bearer ${LEGACY}` } });
      assert.equal(stage.readsOf(LEGACY), 1);
    }),

    t.test("elsewhere it is refused as a forged key is, also when it is in memory", async (t) => {
      const stage = await start(t);
      stage.put(LEGACY);
      const forged = `${stage.keys.one.slice(0, -1)}${stage.keys.one.endsWith("0") ? "1" : "0"}`;
      const refusal = async (key) => visible(await stage.refuses("key_invalid", "/native/x", { key }));
      const before = await refusal(LEGACY);
      assert.equal(stage.reads, 0);
      await stage.passes("/any/x", { key: LEGACY });
      assert.deepEqual(await refusal(LEGACY), before);
      assert.deepEqual(await refusal(forged), before);
      assert.deepEqual(visible(await stage.refuses("key_invalid", "/any/x", { key: UNKNOWN })), before);
      await stage.passes("/any/x", { key: LEGACY });
      assert.equal(stage.readsOf(LEGACY), 1);
    }),

    t.test("what the record says, it says for an imported key", async (t) => {
      const stage = await start(t);
      const restrictions = { referrers: ["app.example"] };
      const keys = {
        "imported-public-key-0001": { kind: "public", restrictions },
        "imported-revoked-key-001": { status: "revoked" },
        "imported-expired-key-001": { expires_at: 1 },
        "imported-limited-key-001": { restrictions: { paths: ["GET /any/open"] } },
      };
      for (const [secret, fields] of Object.entries(keys)) stage.put(secret, fields);
      const [open, revoked, expired, limited] = Object.keys(keys);
      await stage.passes(`/any/x?key=${open}`, { headers: { origin: PAGE } });
      await stage.refuses("referrer_denied", `/any/x?key=${open}`, { headers: { origin: "https://evil.example" }, page: "https://evil.example" });
      await stage.refuses("key_revoked", "/any/x", { key: revoked });
      await stage.refuses("key_expired", "/any/x", { key: expired });
      await stage.refuses("path_denied", "/any/x", { key: limited });
      await stage.passes("/any/open", { key: limited });
      stage.put(LEGACY);
      await stage.refuses("private_key_in_browser", "/any/x", { key: LEGACY, headers: { origin: PAGE }, page: PAGE });
      await stage.refuses("kind_not_accepted", `/any/x?key=${encodeURIComponent(LEGACY)}`);
    }),

    t.test("a native secret that was imported holds everywhere, and one that was not imported needs its tag", async (t) => {
      const stage = await start(t);
      stage.put(stage.keys.one, {});
      await stage.passes("/native/x", { key: "one" });
      stage.put(LEGACY, { imported: undefined });
      await stage.refuses("key_invalid", "/any/x", { key: LEGACY });
      for (const kind of ["mk", "dk"]) {
        const shaped = stage.keys.two.replace("_sk_", `_${kind}_`);
        stage.put(shaped, {});
        await stage.refuses("key_invalid", "/any/x", { key: shaped });
        assert.equal(stage.readsOf(shaped), 0);
      }
    }),

    t.test("a flood of strings pushes no key out of memory, and each is remembered for 10 s", async (t) => {
      const stage = await start(t, { clock: true });
      const { clock } = stage.gateway;
      await clock.stop();
      stage.put(LEGACY);
      for (const [path, key] of [["/native/x", "one"], ["/native/x", "two"], ["/any/x", LEGACY]]) await stage.passes(path, { key });
      const warm = stage.reads;
      const flood = Array.from({ length: 60 }, (_, n) => `${UNKNOWN}-${n}`);
      for (const repetition of [1, 2]) {
        for (const key of flood) assert.equal((await stage.call("/any/x", { key })).status, 401);
        assert.equal(stage.reads, warm + flood.length, `repetition ${repetition}`);
        await clock.advance(4999);
      }
      for (const [path, key] of [["/native/x", "one"], ["/native/x", "two"], ["/any/x", LEGACY]]) await stage.passes(path, { key });
      assert.equal(stage.reads, warm + flood.length);
      await clock.advance(2);
      await stage.refuses("key_invalid", "/any/x", { key: flood[0] });
      assert.equal(stage.readsOf(flood[0]), 2);
    }),

    t.test("while KV fails nothing is known of a strange string, and a forged key is refused as ever elsewhere", async (t) => {
      const stage = await start(t);
      await stage.passes("/any/x", { key: "one" });
      stage.kv.break("get", fault.fail());
      await stage.refuses("store_unavailable", "/any/x", { key: UNKNOWN });
      await stage.refuses("key_invalid", "/native/x", { key: UNKNOWN });
      await stage.passes("/any/x", { key: "one" });
    }),

    t.test("nothing tells a deleted key from an unknown one: not the answer, nor what it costs as time passes", async (t) => {
      const stage = await start(t, { clock: true });
      const { clock } = stage.gateway;
      await clock.stop();
      stage.put(LEGACY, { status: "deleted" });
      for (const step of [0, 9000, 2000, 15_000, 60_000, 600_000]) {
        await clock.advance(step);
        for (const path of ["/any/x", "/staging/x", "/native/x"]) {
          for (const options of [{}, { headers: { origin: PAGE }, page: PAGE }, { method: "HEAD" }, { method: "POST", body: "text" }]) {
            const answers = [];
            for (const key of [LEGACY, UNKNOWN]) answers.push(await stage.refuses("key_invalid", path, { key, ...options }));
            const seen = answers.map((answer) => (options.method === "HEAD" ? answer.lines.map(([name]) => name) : visible(answer)));
            assert.deepEqual(seen[0], seen[1], `${path} ${JSON.stringify(options)}`);
          }
        }
        assert.equal(stage.readsOf(LEGACY), stage.readsOf(UNKNOWN), `after ${step} ms`);
      }
    }),

    t.test("a deleted key's version holds against a replica that lags behind", async (t) => {
      const stage = await start(t, { clock: true });
      const { clock } = stage.gateway;
      await clock.stop();
      stage.put(LEGACY, { version: 5, status: "deleted" });
      await stage.refuses("key_invalid", "/any/x", { key: LEGACY });
      stage.put(LEGACY, { version: 4 });
      for (const step of [10_000, 200_000]) {
        await clock.advance(step);
        await stage.refuses("key_invalid", "/any/x", { key: LEGACY });
      }
      stage.put(LEGACY, { version: 6 });
      await clock.advance(10_000);
      await stage.passes("/any/x", { key: LEGACY });
    }),
  ]);
});
