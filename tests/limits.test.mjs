// Limits as callers meet them: what an answer says of them, what it costs, and what happens without a meter.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const PAGE = "https://app.example";
const OWNER = "customer-17";
const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/search"
origin = "\${ORIGIN}"
cost = 3

[[route]]
path = "/free"
origin = "\${ORIGIN}"
cost = 0
`;
const limited = (limits, fields) => ({ kind: "private", limits, ...fields });
const BURST = { rate: [{ name: "burst", limit: 3, window_s: 60 }] };
const KEYS = {
  plain: { kind: "private" },
  burst: limited(BURST),
  page: { referrers: [PAGE], limits: BURST },
  paid: limited({ credits: 7 }),
  monthly: limited({ quota: { limit: 2, period: "month" } }),
  shared: { kind: "private", owner: OWNER },
  other: limited({ quota: { limit: 5, period: "day" } }, { owner: OWNER }),
  near: limited({ rate: [{ limit: 2, window_s: 60, per: "ip" }] }),
};

/** A `RateLimit` field by the names of its limits. */
function parsed(text = "") {
  const items = text.split(", ").filter(Boolean).map((item) => {
    const [name, ...parameters] = item.split(";");
    const pairs = parameters.map((parameter) => parameter.split("="));
    return [JSON.parse(name), Object.fromEntries(pairs.map(([key, value]) => [key, Number(value)]))];
  });
  return Object.fromEntries(items);
}

const standing = (answer) => [parsed(answer.header("ratelimit-policy")), parsed(answer.header("ratelimit"))];

function assertOver(answer, status, code, limit) {
  assert.equal(answer.status, status, answer.text);
  assert.deepEqual([answer.json().code, answer.json().limit], [code, limit]);
}

test("limits", { timeout: 120_000 }, async (t) => {
  const stage = await startStage(t, { gateway: GATEWAY, keys: KEYS });

  await t.test("every answer of a limited key says what is left", async () => {
    for (const left of [2, 1, 0]) {
      const [policy, state] = standing(await stage.passes("/x", { key: "burst" }));
      assert.deepEqual(policy, { burst: { q: 3, w: 60 } });
      assert.equal(state.burst.r, left);
      assert.ok(left === 2 || (state.burst.t >= 0 && state.burst.t <= 61), JSON.stringify(state));
    }
    const seen = stage.origin.requests.length;
    const refused = await stage.call("/x", { key: "burst" });
    assertOver(refused, 429, "rate_limited", "burst");
    assert.equal(stage.origin.requests.length, seen);
    const wait = Number(refused.header("retry-after"));
    assert.ok(wait >= 50 && wait <= 61, String(wait));
    assert.deepEqual(standing(refused), [{ burst: { q: 3, w: 60 } }, { burst: { r: 0, t: wait } }]);
  });

  await t.test("a page may read it", async () => {
    const headers = { origin: PAGE };
    for (let n = 0; n < 4; n += 1) {
      const answer = await stage.call("/x", { key: "page", headers });
      assert.equal(answer.status, n < 3 ? 200 : 429);
      const exposed = answer.header("access-control-expose-headers").split(", ");
      assert.ok(exposed.includes("ratelimit") && exposed.includes("ratelimit-policy"), exposed.join());
    }
  });

  await t.test("a key without limits says nothing, and its answers are handed back as they are", async () => {
    const answer = await stage.passes("/x", { key: "plain" });
    assert.deepEqual(["ratelimit", "ratelimit-policy"].map((name) => answer.header(name)), [undefined, undefined]);
  });

  await t.test("a route sets what a call costs", async () => {
    await stage.passes("/search", { key: "paid" });
    await stage.passes("/search", { key: "paid" });
    const refused = await stage.call("/search", { key: "paid" });
    assertOver(refused, 402, "credits_exhausted", "credits");
    assert.equal(refused.header("retry-after"), undefined);
    for (let n = 0; n < 5; n += 1) await stage.passes("/free", { key: "paid" });
    await stage.passes("/x", { key: "paid" });
    assertOver(await stage.call("/free", { key: "paid" }), 402, "credits_exhausted", "credits");
    await stage.api.call("POST", `/projects/acme/keys/${stage.created.paid.key.id}/credits`, { add: 4 });
    await eventually(async () => assert.equal((await stage.call("/search", { key: "paid" })).status, 200), 12_000);
  });

  await t.test("a quota is used up until its period ends", async () => {
    for (let n = 0; n < 2; n += 1) await stage.passes("/x", { key: "monthly" });
    const refused = await stage.call("/x", { key: "monthly" });
    assertOver(refused, 429, "quota_exceeded", "month");
    const [policy, state] = standing(refused);
    assert.deepEqual([policy.month, state.month.r, state.month.t], [{ q: 2 }, 0, Number(refused.header("retry-after"))]);
  });

  await t.test("the keys of an owner share limits", async () => {
    await stage.api.call("POST", "/projects/acme/owners:limit", { owner: OWNER, limits: { quota: { limit: 4, period: "month" } } });
    await eventually(async () => {
      const [policy] = standing(await stage.call("/free", { key: "shared" }));
      assert.deepEqual(policy, { "owner:month": { q: 4 } });
    }, 12_000);
    const codes = [];
    for (let n = 0; n < 8; n += 1) codes.push((await stage.call("/x", { key: n % 2 ? "shared" : "other" })).status);
    assert.deepEqual(codes, [200, 200, 200, 200, 429, 429, 429, 429]);
    const refused = await stage.call("/x", { key: "other" });
    assertOver(refused, 429, "quota_exceeded", "owner:month");
    assert.equal(parsed(refused.header("ratelimit")).day.r, 3);
  });

  await t.test("a limit by address is one of this isolate", async () => {
    const from = (address) => ({ key: "near", headers: { "cf-connecting-ip": address } });
    for (let n = 0; n < 2; n += 1) await stage.passes("/search", from("192.0.2.1"));
    const refused = await stage.call("/x", from("192.0.2.1"));
    assertOver(refused, 429, "rate_limited", "ip-60s");
    assert.deepEqual(standing(refused)[0], { "ip-60s": { q: 2, w: 60 } });
    await stage.passes("/x", from("192.0.2.2"));
  });

  await t.test("usage says what became of the calls", async () => {
    const usage = async (key) => (await stage.api.call("GET", `/projects/acme/keys/${stage.created[key].key.id}/usage`)).total;
    await eventually(async () => {
      const { calls, refused, answered, routes } = await usage("burst");
      assert.deepEqual({ calls, refused, answered, routes }, { calls: 3, refused: { rate_limited: 1 }, answered: { "2xx": 3 }, routes: { "/**": 3 } });
    }, 12_000);
    assert.equal((await usage("plain")).calls, 1);
  });
});
