// Limits per client address: calls of public keys are counted, answers to failed attempts are held back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { STATUS } from "./harness/problem.mjs";
import { startStage } from "./harness/stage.mjs";

const PAGE = "https://app.example";
const WINDOW_S = 60;
/** A call counts for the window and up to a sixteenth longer. */
const PASSED_MS = (WINDOW_S * 17 * 1000) / 16;
const LIMIT = 3;
const FREE_FAILURES = 20;

const gateway = (settings) => `
[gateway]
${settings}

[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/locked"
origin = "\${ORIGIN}"
credential = { secret = "NEVER_SET", header = "authorization" }
`;
const KEYS = { page: { referrers: [PAGE] }, other: { referrers: [PAGE] }, server: { kind: "private" } };

const start = (t, settings = `public_key_ip_limit = ${LIMIT}`) => startStage(t, { gateway: gateway(settings), keys: KEYS, clock: true });

/** A page's call from an address, or from one that is not known. */
const from = (address, key = "page") => ({
  key,
  page: PAGE,
  headers: { origin: PAGE, ...(address && { "cf-connecting-ip": address }) },
});

async function spend(stage, call, calls = LIMIT) {
  for (let n = 0; n < calls; n += 1) await stage.passes("/x", call);
}

test("limits per client address", { timeout: 120_000 }, async (t) => {
  await t.test("a page over the limit reads why, and how long to wait; others go on", async (t) => {
    const stage = await start(t);
    const { clock } = stage.gateway;
    await clock.stop();
    const one = from("192.0.2.1");
    await spend(stage, one);
    const answer = await stage.refuses("rate_limited", "/x", one);
    const wait = Number(answer.header("retry-after"));
    assert.ok(wait >= WINDOW_S && wait <= Math.ceil(PASSED_MS / 1000), String(wait));
    assert.equal(answer.header("ratelimit-policy"), `"address";q=${LIMIT};w=${WINDOW_S}`);
    await stage.refuses("rate_limited", "/x", { ...one, method: "HEAD" });
    await stage.refuses("rate_limited", "/x", { ...one, method: "POST", body: "x".repeat(100_000) });

    const passed = await stage.passes("/x", from("192.0.2.2"));
    for (const name of ["ratelimit", "ratelimit-policy", "retry-after"]) assert.equal(passed.header(name), undefined);
    await stage.passes("/x", from("192.0.2.1", "other"));
    for (let n = 0; n < 3 * LIMIT; n += 1) await stage.passes("/x", { key: "server", headers: { "cf-connecting-ip": "192.0.2.1" } });

    await clock.advance((WINDOW_S - 1) * 1000);
    await stage.refuses("rate_limited", "/x", one);
    await clock.advance((wait - WINDOW_S + 1) * 1000);
    await spend(stage, one);
    await stage.refuses("rate_limited", "/x", one);
  });

  await t.test("an address is one IPv4 address or one IPv6 /64, and those that are not known are one", async (t) => {
    const stage = await start(t);
    for (const [spent, same, different] of [
      ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:3::1"],
      ["198.51.100.1", "::ffff:198.51.100.1", "198.51.100.2"],
      [undefined, "2a06:98c0:3600::103", "198.51.100.3"],
    ]) {
      await spend(stage, from(spent));
      await stage.refuses("rate_limited", "/x", from(same));
      await stage.passes("/x", from(different));
    }
    await stage.refuses("rate_limited", "/x", from("no address"));
  });

  await t.test("a refused call spends nothing", async (t) => {
    const stage = await start(t);
    const one = from("192.0.2.1");
    for (let n = 0; n < 2 * LIMIT; n += 1) {
      await stage.refuses("referrer_denied", "/x", { ...one, page: "https://evil.example", headers: { ...one.headers, origin: "https://evil.example" } });
      await stage.refuses("credential_unavailable", "/locked", one);
    }
    await spend(stage, one);
    await stage.refuses("rate_limited", "/x", one);
    await stage.refuses("rate_limited", "/locked", one);
  });

  await t.test("0 switches it off", async (t) => {
    const stage = await start(t, "public_key_ip_limit = 0");
    await spend(stage, from("192.0.2.1"), 30);
  });

  await t.test("1200 calls in 60 seconds are the default", async (t) => {
    const stage = await start(t, "");
    await stage.gateway.clock.stop();
    const headers = { "x-api-key": stage.keys.page, ...from("192.0.2.1").headers };
    const statuses = new Map();
    for (let n = 0; n < 1201; n += 1) {
      const { status, body } = await fetch(`${stage.gateway.url}/x`, { headers });
      await body?.cancel();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    assert.deepEqual([...statuses], [[200, 1200], [429, 1]]);
    const answer = await stage.refuses("rate_limited", "/x", from("192.0.2.1"));
    assert.equal(answer.header("ratelimit-policy"), '"address";q=1200;w=60');
  });

  await t.test("answers to failed attempts come later and later; a valid key's do not", async (t) => {
    const stage = await start(t);
    await stage.gateway.clock.stop();
    const guess = async (address) => {
      const begun = Date.now();
      const headers = address ? { "cf-connecting-ip": address } : {};
      const answer = await stage.refuses("key_invalid", "/x", { key: "hunter2", headers });
      assert.equal(answer.status, STATUS.key_invalid);
      return Date.now() - begun;
    };
    for (let n = 0; n < FREE_FAILURES; n += 1) {
      await guess("192.0.2.1");
      await stage.refuses("key_missing", "/x", { headers: { "cf-connecting-ip": "192.0.2.9" } });
    }
    for (const hold of [100, 200, 400, 800]) {
      const took = await guess("192.0.2.1");
      assert.ok(took >= hold - 5, `${took} of ${hold}`);
    }
    const held = guess("192.0.2.1");
    const begun = Date.now();
    for (let n = 0; n < 3; n += 1) await stage.call("/x", { key: "server", headers: { "cf-connecting-ip": "192.0.2.1" } });
    await guess("192.0.2.9");
    await guess();
    assert.ok(Date.now() - begun < 1200, "a valid key or another address waited");
    assert.ok((await held) >= 1595, "the failed attempt did not wait");

    for (let n = 0; n < 2 * FREE_FAILURES; n += 1) await guess();
    assert.ok((await guess()) < 100, "an address that is not known is not held back");

    const call = { key: "hunter2", method: "POST", body: "x".repeat(100_000), headers: { "cf-connecting-ip": "192.0.2.1" } };
    await Promise.all(Array.from({ length: 100 }, () => stage.refuses("key_invalid", "/x", call)));
    await stage.gateway.clock.advance(PASSED_MS);
    assert.ok((await guess("192.0.2.1")) < 100, "a minute later all is forgotten");
  });

  await t.test("at most 100 answers are held back at a time", async (t) => {
    const stage = await start(t);
    const headers = { "cf-connecting-ip": "192.0.2.1" };
    const guess = async () => {
      const begun = Date.now();
      assert.equal((await stage.call("/x", { key: "hunter2", headers })).status, 401);
      return Date.now() - begun;
    };
    for (let n = 0; n < FREE_FAILURES; n += 1) await guess();
    const held = Promise.all(Array.from({ length: 130 }, guess));
    const times = (await held).toSorted((a, b) => a - b);
    assert.ok(times.filter((took) => took >= 1990).length <= 100, String(times));
    assert.ok(times.filter((took) => took >= 1990).length >= 90, String(times));
  });
});
