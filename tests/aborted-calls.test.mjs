// Clients that leave while their call waits for a meter: what it was asked for is answered, and nobody
// else is refused, or let past a limit, for it.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startStage } from "./harness/stage.mjs";
import { outcomes } from "./harness/traffic.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/scoped"
origin = "\${ORIGIN}"
scopes = ["a:b"]
`;
const SLOW = { name: "src/slow-meter.mjs", path: fileURLToPath(new URL("harness/slow-meter.mjs", import.meta.url)) };
const LEFT = 32;
/** Each call that left has had its unit, or not: the rest is for those that stay. */
const LIMIT = LEFT + 5;
const limited = (on_meter_error) => ({ kind: "private", limits: { rate: [{ limit: LIMIT, window_s: 60 }], on_meter_error } });

/** A call whose client leaves after so many milliseconds. */
async function leave(stage, key, ms) {
  const call = http.request({ port: stage.port, host: "127.0.0.1", path: "/x", agent: false, headers: { "x-api-key": stage.keys[key] } });
  call.on("error", () => {}).end();
  await sleep(ms);
  call.socket.resetAndDestroy();
}

test("clients that leave", { timeout: 60_000 }, async (t) => {
  const slowed = ([entry, ...modules]) => [SLOW, { ...entry, name: "src/gateway-entry.mjs" }, ...modules];
  const stage = await startStage(t, { gateway: GATEWAY, keys: { first: limited("deny"), allow: limited("allow"), deny: limited("deny") }, change: slowed });
  // From here on, meters are loaded.
  await stage.call("/x", { key: "first" });
  for (const key of ["allow", "deny"]) {
    await t.test(`block nobody, and nobody gets past the limits: ${key}`, async () => {
      // The isolate knows the record, and has no lease.
      assert.equal((await stage.call("/scoped", { key })).json().code, "scope_missing");
      stage.origin.forget();
      await Promise.all(Array.from({ length: LEFT }, () => leave(stage, key, 60)));
      const calls = await Promise.all(Array.from({ length: 2 * LIMIT }, async () => {
        const answer = await stage.call("/x", { key });
        return { status: answer.status, code: answer.status === 200 ? undefined : answer.json().code };
      }));
      const came = outcomes(calls);
      t.diagnostic(`${key}: ${JSON.stringify(came)}`);
      assert.deepEqual(Object.keys(came).filter((one) => !["200", "rate_limited"].includes(one)), [], JSON.stringify(came));
      assert.ok(came[200] >= LIMIT - LEFT && came[200] <= LIMIT, JSON.stringify(came));
      assert.ok(stage.origin.requests.length <= LIMIT, String(stage.origin.requests.length));
    });
  }
});
