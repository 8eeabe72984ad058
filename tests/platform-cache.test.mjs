// What the platform's own cache is told of a call: it knows URLs and not keys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { external } from "./harness/capnp.mjs";
import { startKeyward } from "./harness/keyward.mjs";
import { createKeys } from "./harness/management.mjs";
import { startOrigin } from "./harness/origin.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/cached/**"
strip_prefix = "/cached"
origin = "\${ORIGIN}"
cache = "origin"
`;

test("no answer is kept, whatever its status, unless the route leaves that to the origin", async (t) => {
  const origin = await startOrigin(t);
  const outbound = external(new URL(origin.url).host, {}, "x-told");
  const gateway = await startKeyward(t, { gateway: GATEWAY, vars: { ORIGIN: origin.url }, outbound });
  const { one } = await createKeys(gateway, "acme", { one: { kind: "private" } });
  const told = async (path, init = {}) => {
    const answer = await fetch(gateway.url + path, { ...init, headers: { "x-api-key": one.secret } });
    const { headers } = await answer.json();
    const named = headers.filter(([name]) => name.toLowerCase() === "x-told");
    return named.map(([, value]) => JSON.parse(value));
  };
  const nothing = { cacheControl: "no-store", cacheTtlByStatus: { "100-599": -1 } };
  assert.deepEqual(await told("/echo"), [nothing]);
  assert.deepEqual(await told("/%65cho"), [nothing]);
  assert.deepEqual(await told("/echo", { method: "POST", body: "x" }), [nothing]);
  assert.deepEqual(await told("/cached/echo"), []);
});
