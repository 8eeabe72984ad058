// Isolate memory in front of KV: how often KV is read, and what happens when it fails, is slow, or
// holds what nobody who may has written. What needs time to pass is in gateway-records-aging.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, request } from "./harness/client.mjs";
import { SECRETS } from "./harness/keyward.mjs";
import { fault } from "./harness/kv.mjs";
import { assertRefusal } from "./harness/problem.mjs";
import { closed, minted, nameFor, nameOf, opened, sealed } from "./harness/record.mjs";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;
const PAGE = "https://app.example";
const plain = { kind: "private" };
const names = (...keys) => Object.fromEntries(keys.map((key) => [key, plain]));

/** A stage in which a test can ask for the reads of one key's name. */
async function start(t, keys, options = {}) {
  const stage = await startStage(t, { gateway: GATEWAY, keys, ...options });
  const name = (key) => nameOf(stage.kv, stage.created[key]);
  const reads = (key) => stage.kv.recorded("get").filter((read) => read.name === name(key)).length;
  const only = (key) => ({ only: (asked) => asked === name(key) });
  return Object.assign(stage, { name, readsOf: reads, only });
}

/** Values that stand where a key's record stood; `other` is another key's value, as genuine as its own. */
const TAMPERED = {
  "an empty value": () => "",
  "no record at all": () => "hello",
  "a truncated record": ({ value }) => value.slice(0, -1),
  "one more byte": ({ value }) => `${value} `,
  "another key's record": ({ other }) => other,
  "another status": ({ parts }) => closed({ ...parts, json: parts.json.replace('"active"', '"active" ') }),
  "another project": ({ parts }) => closed({ ...parts, json: parts.json.replace('"acme"', '"globex"') }),
  "a higher version": ({ parts }) => closed({ ...parts, json: parts.json.replace(/"version":\d+/, '"version":99') }),
  "no restrictions": ({ parts }) => closed({ ...parts, json: parts.json.replace(/"restrictions":\{[^}]*\}/, '"restrictions":{"scopes":["*:*"]}') }),
  "no MAC": ({ parts }) => closed({ ...parts, mac: "" }),
  "another MAC": ({ parts }) => closed({ ...parts, mac: parts.mac.replace(/^./, (c) => (c === "A" ? "B" : "A")) }),
  "a padded MAC": ({ parts }) => closed({ ...parts, mac: `${parts.mac}=` }),
  "an unknown entry of the secret": ({ parts }) => closed({ ...parts, entry: "zz" }),
  "a later schema": ({ parts }) => closed({ ...parts, schema: "2" }),
  "a schema with a zero": ({ parts }) => closed({ ...parts, schema: "01" }),
  "a genuine record of a later schema": ({ name, record }) => sealed(name, { ...record, schema: 2 }, 2),
  "a genuine record with a restriction that is not known": ({ name, record }) =>
    sealed(name, { ...record, restrictions: { ...record.restrictions, countries: ["de"] } }),
  "a genuine record with a field that is not known": ({ name, record }) => sealed(name, { ...record, max_uses: 1 }),
  "a genuine record with a rule that is not known": ({ name, record }) => sealed(name, { ...record, restrictions: { ips: ["192.0.2.0/99"] } }),
  "a genuine record with a status that is not known": ({ name, record }) => sealed(name, { ...record, status: "sleeping" }),
};

test("isolate memory in front of KV", { concurrency: true }, async (t) => {
  await Promise.all([
    t.test("a cold key is read once, a warm one never, on however many routes and calls", async (t) => {
      const stage = await start(t, names("one", "two"));
      for (let n = 0; n < 20; n += 1) {
        for (const key of ["one", "two"]) await stage.passes(`/${n}`, { key, method: n % 2 ? "GET" : "DELETE" });
      }
      assert.deepEqual([stage.readsOf("one"), stage.readsOf("two"), stage.reads], [1, 1, 2]);
    }),

    t.test("each isolate reads for itself", async (t) => {
      const stage = await start(t, names("one"), { isolates: 2 });
      const [first, second] = stage.gateway.urls.map((url) => Number(new URL(url).port));
      for (const [port, reads] of [[first, 1], [first, 1], [second, 2], [second, 2], [first, 2]]) {
        const answer = await request(port, "/x", { headers: { "x-api-key": stage.keys.one } });
        assert.deepEqual([answer.status, stage.reads], [200, reads]);
      }
    }),

    t.test("a forged key is never read, and an unknown one once in a while", async (t) => {
      const stage = await start(t, names("one", "gone"));
      await stage.api.deleteKey("acme", stage.created.gone.key.id);
      const { one } = stage.keys;
      for (const key of [`${one}0`, one.slice(0, -1), one.replace("_sk_", "_pk_"), one.replace("live", "test"), one.replace("kw_", "kx_"), "x"]) {
        await stage.refuses("key_invalid", "/x", { key });
      }
      assert.equal(stage.reads, 0);
      for (let n = 0; n < 10; n += 1) await stage.refuses("key_invalid", "/x", { key: "gone" });
      assert.equal(stage.readsOf("gone"), 1, "that there is none is remembered");
      const never = minted("private", "0123456789abcdefghijABCD");
      for (let n = 0; n < 10; n += 1) await stage.refuses("key_invalid", "/x", { key: never });
      assert.deepEqual(stage.kv.recorded("get").map(({ name }) => name), [stage.name("gone"), nameFor(never)]);
    }),

    t.test("each cold request reads for itself, and one that fails takes no other with it", async (t) => {
      const stage = await start(t, names("one"));
      stage.kv.break("get", { before: 300, apply: "never", status: 500 }, { times: 1 });
      stage.kv.break("get", fault.slow(300));
      const answers = await Promise.all(Array.from({ length: 8 }, () => stage.call("/x", { key: "one" })));
      assert.equal(stage.readsOf("one"), 8);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 200, 200, 503]);
    }),

    t.test("a cold request whose read hangs, or whose client has left, keeps no other waiting", async (t) => {
      const stage = await start(t, names("hangs", "leaves"));
      const seen = async (key, reads) => {
        while (stage.readsOf(key) < reads) await sleep(5);
      };
      for (const key of ["hangs", "leaves"]) stage.kv.break("get", fault.slow(60_000), { times: 1, ...stage.only(key) });
      const hanging = stage.call("/x", { key: "hangs" });
      const left = await connect(stage.port);
      left.write(`GET /x HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${stage.keys.leaves}\r\n\r\n`);
      await Promise.all([seen("hangs", 1), seen("leaves", 1)]);
      left.close();
      stage.kv.break("get", fault.slow(300));
      for (const key of ["hangs", "leaves"]) {
        const answers = await Promise.all(Array.from({ length: 8 }, () => stage.call("/x", { key })));
        assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
        assert.equal(stage.readsOf(key), 9);
      }
      // By memory, if the others' answers have come before its read is given up.
      assert.ok([200, 503].includes((await hanging).status));
    }),

    ...Object.entries({
      "answers 500": fault.fail(500),
      "answers 429": fault.fail(429),
      "closes the connection": fault.drop(),
      "takes longer than 2 s": fault.slow(6000),
    }).map(([name, behaviour]) =>
      t.test(`a KV that ${name}: store_unavailable for a cold key, and nothing for a warm one`, async (t) => {
        const stage = await start(t, names("cold", "warm"));
        await stage.passes("/x", { key: "warm" });
        const repair = stage.kv.break("get", behaviour);
        stage.origin.forget();
        const begun = Date.now();
        const cold = stage.call("/cold", { key: "cold", headers: { origin: PAGE } });
        const warm = await stage.call("/warm", { key: "warm" });
        assert.ok(Date.now() - begun < 1900, "a warm key waits for nothing");
        const refused = await cold;
        assert.ok(Date.now() - begun < 5500, "a cold key waits for 2 s at most");
        assertRefusal(refused, "store_unavailable", { page: PAGE });
        assert.deepEqual([warm.status, stage.origin.requests.map(({ target }) => target)], [200, ["/warm"]]);
        repair();
        await stage.passes("/x", { key: "cold" });
      }),
    ),

    t.test("what nobody who may has written, or what is not understood: store_unavailable, and nothing of it is remembered", async (t) => {
      const stage = await start(t, names("one", "two", ...Object.keys(TAMPERED)));
      for (const [what, change] of Object.entries(TAMPERED)) {
        const name = stage.name(what);
        const value = stage.kv.text(name);
        const parts = opened(value);
        assert.equal(sealed(name, JSON.parse(parts.json)), value, "the harness seals as the registry does");
        const changed = change({ value, parts, name, record: JSON.parse(parts.json), other: stage.kv.text(stage.name("two")) });
        assert.notEqual(changed, value);
        stage.kv.put(name, changed);
        for (let n = 0; n < 2; n += 1) await stage.refuses("store_unavailable", "/x", { key: what });
        assert.equal(stage.readsOf(what), 2, what);
        stage.kv.put(name, value);
        await stage.passes("/x", { key: what });
      }
    }),

    t.test("memory is bounded: who was used longest ago is read again", async (t) => {
      const stage = await start(t, names("a", "b", "c"), { gateway: `[gateway]\nmemory_records = 2\n${GATEWAY}` });
      for (const key of ["a", "b", "a", "c", "a"]) await stage.passes("/x", { key });
      assert.deepEqual([stage.readsOf("a"), stage.readsOf("b"), stage.readsOf("c")], [1, 1, 1]);
      await stage.passes("/x", { key: "b" });
      assert.equal(stage.readsOf("b"), 2);
    }),

    t.test("a record is found under an older entry of the secret, and by no retired one", async (t) => {
      // A public key: the other deployment's registry has never heard of it, and none waits for a meter.
      const before = await start(t, { one: { any_referrer: true } });
      const newer = "b2:bmV3ZXItc2VjcmV0LW5ld2VyLXNlY3JldC1uZXdlci1zZWM";
      const older = SECRETS.KEYWARD_SECRET;
      for (const [secret, passes, reads] of [[`${newer},${older}`, true, 2], [`${older},${newer}`, true, 1], [`${newer},-${older}`, false, 1], [newer, false, 0]]) {
        const stage = await startStage(t, { gateway: GATEWAY, kv: before.kv, vars: { KEYWARD_SECRET: secret } });
        const sofar = stage.reads;
        const call = { key: before.keys.one };
        await (passes ? stage.passes("/x", call) : stage.refuses("key_invalid", "/x", call));
        assert.equal(stage.reads - sofar, reads, secret.replace(/:[^,]*/g, ""));
      }
    }),
  ]);
});
