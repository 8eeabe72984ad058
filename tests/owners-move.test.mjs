// What the keys of an owner share moves with them from one deployment to another, by the command, and
// is exact there.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { withCommand } from "./docs/commands.mjs";
import { temporaryFolder } from "./harness/folder.mjs";
import { startKeyward } from "./harness/keyward.mjs";
import { startOrigin } from "./harness/origin.mjs";
import { ManagementClient } from "./harness/registry.mjs";

const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
imported_keys = true
`;
const LIMITS = {
  rate: [{ name: "60s", limit: 3, window_s: 60 }, { name: "burst", limit: 2000, window_s: 1 }],
  quota: [{ name: "month", limit: 9000, period: "month", reset_day: 15 }],
  credits: { balance: 500, refill: { amount: 500, period: "day" } },
  on_meter_error: "allow",
};
const SECRETS = ["legacy-secret-0000000001", "legacy-secret-0000000002"];

let environment;
before(async () => {
  environment = await withCommand();
});

/** A deployment with the project "acme", and the command for it. */
async function deployment(t, name) {
  const origin = await startOrigin(t);
  const secret = Buffer.from(`${name}-deployment-secret-0123456789abcdef`).toString("base64url");
  const keyward = await startKeyward(t, { gateway: GATEWAY, kv: "memory", vars: { ORIGIN: origin.url, KEYWARD_SECRET: `${name}:${secret}` } });
  const api = new ManagementClient(keyward);
  await api.project("acme");
  const env = { ...environment, KEYWARD_URL: keyward.url, KEYWARD_KEY: await keyward.managementKey(), KEYWARD_PROJECT: "acme" };
  const runAs = (key, ...words) => promisify(execFile)("keyward", words, { env: { ...env, KEYWARD_KEY: key } }).catch((error) => error);
  const run = (...words) => runAs(env.KEYWARD_KEY, ...words);
  const owners = async () => (await api.all("/projects/acme/owners")).map(({ suspended_at, ...owner }) => ({ ...owner, suspended: suspended_at !== undefined }));
  return { keyward, api, run, runAs, owners };
}

const lines = async (file) => (await readFile(file, "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line));
const written = (file, list) => writeFile(file, list.map((line) => `${JSON.stringify(line)}\n`).join(""));

test("limits and suspensions of owners come back exactly, once, and hold for the keys", async (t) => {
  const [here, there, folder] = [await deployment(t, "a1"), await deployment(t, "b1"), await temporaryFolder(t)];
  const file = join(folder, "acme.ndjson");
  await here.api.import("acme", SECRETS.map((secret) => ({ secret, owner: "customer 17 é" })));
  await here.api.must("POST", "/projects/acme/owners:limit", { owner: "customer 17 é", limits: LIMITS });
  await here.api.must("POST", "/projects/acme/owners:limit", { owner: "both", limits: { credits: 5 } });
  await here.api.must("POST", "/projects/acme/owners:suspend", { owner: "both", note: "has not paid" });
  await here.api.must("POST", "/projects/acme/owners:suspend", { owner: "only suspended" });
  for (let index = 0; index < 120; index += 1) await here.api.must("POST", "/projects/acme/owners:limit", { owner: `many ${index}`, limits: { credits: index + 1 } });
  const exported = await here.run("keys", "export", "--output", file);
  assert.match(exported.stderr, /^123 owners and 2 keys exported\.\nWhat owners' keys have used/);
  const moved = await lines(file);
  assert.deepEqual(moved.map(({ type }) => type), [...Array(123).fill("owner"), undefined, undefined]);
  assert.deepEqual(moved.find(({ owner }) => owner === "customer 17 é"), { type: "owner", owner: "customer 17 é", limits: LIMITS });

  const dry = await there.run("keys", "import", file, "--dry-run");
  assert.match(dry.stdout, /owners created\t123\n/);
  assert.deepEqual(await there.owners(), []);
  const done = await there.run("keys", "import", file);
  assert.match(done.stdout, /^created\t2\nexisting\t0\nowners created\t123\nowners existing\t0\nrefused\t0\n$/, done.stderr);
  assert.match(done.stderr, /credits with their first balance/);
  const byName = (list) => list.toSorted((a, b) => a.owner.localeCompare(b.owner));
  assert.deepEqual(byName(await there.owners()), byName(await here.owners()));

  const call = async (secret) => (await fetch(`${there.keyward.url}/x`, { headers: { "x-api-key": secret } })).status;
  const statuses = [];
  for (const secret of [...SECRETS, ...SECRETS]) statuses.push(await call(secret));
  assert.deepEqual(statuses, [200, 200, 200, 429], "both keys share three calls");

  const log = await there.api.audit("acme");
  const again = await there.run("keys", "import", file);
  assert.match(again.stdout, /^created\t0\nexisting\t2\nowners created\t0\nowners existing\t123\nrefused\t0\n$/);
  assert.deepEqual(await there.api.audit("acme"), log, "nothing has changed");
  assert.equal(await call(SECRETS[0]), 429, "and nothing begins anew");
});

test("a file without owners is imported as ever, and what contradicts is refused with its keys", async (t) => {
  const [to, folder] = [await deployment(t, "a1"), await temporaryFolder(t)];
  const file = join(folder, "acme.ndjson");
  const writer = await to.api.managementKey({ project: "acme", scopes: ["keys:write"] });
  await written(file, [{ secret: SECRETS[0], owner: "ann" }]);
  const earlier = await to.runAs(writer.secret, "keys", "import", file);
  assert.match(earlier.stdout, /^created\t1\nexisting\t0\nrefused\t0\n$/, "nothing is asked about owners");
  const partly = await to.runAs(writer.secret, "keys", "export");
  assert.deepEqual([partly.code, partly.stdout], [1, ""], "an export without owners is none");
  assert.match(partly.stderr, /scope_missing/);

  await to.api.must("POST", "/projects/acme/owners:limit", { owner: "ann", limits: { credits: 7 } });
  await written(file, [
    { type: "owner", owner: "ann", limits: { credits: 8 } },
    { type: "owner", owner: "bob", limits: { rate: [{ limit: 1, window_s: 1, per: "ip" }] } },
    { secret: SECRETS[1], owner: "bob" },
    { secret: SECRETS[1], owner: "cy" },
  ]);
  const refused = await to.run("keys", "import", file);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /1\tkey_state_conflict\tlimits\t.*\n2\tkey_spec_invalid\tlimits\.rate\[0\]\.per\t.*\n3\tkey_spec_invalid\towner\tline 2/);
  assert.deepEqual((await to.api.keys("acme")).map(({ owner }) => owner).sort(), ["ann", "cy"]);
  assert.deepEqual((await to.owners()).map(({ owner, limits }) => [owner, limits.credits.balance]), [["ann", 7]]);
  for (const line of [{ suspended: true }, { limits: { credits: 7 } }]) {
    await written(file, [{ type: "owner", owner: "cy", ...line }]);
    const there = await to.run("keys", "import", file);
    assert.match(there.stderr, /1\tkey_state_conflict\t(suspended|limits)\tthe owner has keys here/, "what is there stays as it is");
    assert.deepEqual((await to.owners()).map(({ owner }) => owner), ["ann"]);
  }
  const direct = await to.api.import("acme", [{ type: "owner", owner: "ann", limits: { credits: 7 } }]);
  assert.deepEqual([direct.body.refused, direct.body.errors[0].code], [1, "key_spec_invalid"], "the management API takes keys only");
});
