// What a proxy that asks is given to pass on: the assertion that the origin would have received, made
// and reused as for any call, and nothing without it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACME, FORWARD_AUTH, VERIFY_KEYS, forwarded, verify } from "./harness/asking.mjs";
import { ISSUER, startSigning, verified } from "./harness/signing.mjs";

const HOST = "api.example";
const GATEWAY = `
[gateway]
issuer = "${ISSUER}"

[[route]]
path = "/a/**"
origin = "\${ORIGIN}"
assertion = true

[[route]]
path = "/plain/**"
origin = "\${ORIGIN}"
signature = { algorithm = "ed25519" }
`;
const keys = { full: { kind: "private", owner: "Zoë", scopes: ["files:read"] }, none: { kind: "private", limits: { rate: [{ name: "burst", limit: 1, window_s: 60 }] } } };

async function staged(t) {
  const stage = await startSigning(t, { gateway: GATEWAY, keys, vars: VERIFY_KEYS });
  const asks = (target, { key = "full", headers = [], via } = {}) => stage.call(FORWARD_AUTH, { key, method: via, headers: forwarded(target, { host: HOST, headers }) });
  return { stage, asks };
}

test("jose verifies what a proxy is given to pass on", async (t) => {
  const { stage, asks } = await staged(t);
  const answer = await asks("/a/x");
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.bytes.length, 0, "claims were told without their signature");
  const [token, ...more] = answer.values("keyward-assertion");
  assert.deepEqual(more, []);
  const { payload } = await verified(stage, token);
  assert.deepEqual([payload.sub, payload.project, payload.owner, payload.scopes], [stage.created.full.key.id, "acme", "Zoë", ["files:read"]]);
  assert.equal(answer.header("keyward-key-id"), stage.created.full.key.id);
  // Of the same claims, and so the same one, as of a call that is proxied.
  const { seen } = await stage.passes("/a/x", { key: "full" });
  assert.deepEqual(seen.values("keyward-assertion"), [token]);
  for (const via of ["HEAD", "POST"]) assert.deepEqual((await asks("/a/x", { via })).values("keyward-assertion"), [token]);
  assert.equal(await stage.signed(), 1);
});

test("where the route asserts nothing it is there and empty, whatever the client sends", async (t) => {
  const { stage, asks } = await staged(t);
  const headers = [["keyward-assertion", "forged"], ["Keyward_Assertion", "forged"]];
  for (const [target, given] of [["/plain/x", ""], ["/a/x", /^[\w-]+\.[\w-]+\.[\w-]+$/]]) {
    const answer = await asks(target, { headers });
    const [value, ...more] = answer.values("keyward-assertion");
    assert.deepEqual(more, []);
    if (given === "") assert.equal(value, "");
    else assert.match(value, given);
    assert.ok(!JSON.stringify(answer.lines).includes("forged"));
  }
  assert.equal(await stage.signed(), 1, "a request that the proxy sends was signed");
});

test("a refusal, and the answer to a back end, carry none", async (t) => {
  const { stage, asks } = await staged(t);
  await asks("/a/x", { key: "none" });
  const over = await asks("/a/x", { key: "none" });
  assert.deepEqual([over.status, over.values("keyward-assertion")], [429, []]);
  const said = await verify(stage, "full", { url: `https://${HOST}/a/x` });
  assert.deepEqual([said.json().valid, said.values("keyward-assertion")], [true, []]);
  assert.ok(!said.text.includes(ISSUER));
});

test("without a signature nobody passes", async (t) => {
  const { stage, asks } = await staged(t);
  await stage.breakSigning();
  const answer = await asks("/a/x");
  assert.deepEqual([answer.status, answer.json().code, answer.values("keyward-assertion"), answer.values("keyward-key-id")], [500, "internal_error", [], []]);
  assert.equal((await asks("/plain/x")).status, 200);
  await stage.mendSigning();
  assert.equal((await asks("/a/x")).status, 200);
  assert.ok(!stage.gateway.log.includes(ACME));
});
