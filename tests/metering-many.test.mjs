// A change of hundreds of keys that all have meters: each meter is told once, a bounded number of them
// by each invocation of the registry, and what becomes of one key meanwhile waits for none of them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { COUNTED, invocations } from "./harness/invocations.mjs";
import { startMetered } from "./harness/meters.mjs";
import { eventually, ManagementClient } from "./harness/registry.mjs";

const KEYS = 260;
const SLOW_MS = 200;
/** Meters that one invocation tells, and that are told at once because of such a change. */
const OF_INVOCATION = 120;
const AT_ONCE = 15;

test("hundreds of meters are told of a suspension, and a revocation goes before them", { timeout: 120_000 }, async (t) => {
  const keyward = await startMetered(t, COUNTED);
  const { meters } = keyward;
  const api = new ManagementClient(keyward);
  await api.project("p");
  const { key: other } = await api.key("p", { owner: "other" });
  const lines = Array.from({ length: KEYS }, (_, index) => ({ owner: "many", sha256: createHash("sha256").update(`unused ${index}`).digest("hex") }));
  const ids = (await api.import("p", lines)).body.keys.map(({ id }) => id);
  for (const key of [...ids, other.id]) assert.ok((await keyward.ask("p", { Metering: { of: { key }, known: 0 } })).Metering);
  assert.deepEqual(meters.told, []);

  meters.usual = { before: SLOW_MS };
  const suspended = await api.must("POST", "/projects/p/owners:suspend", { owner: "many" });
  assert.equal(suspended.in_force_by, undefined, "it is not said before all have been told");
  assert.ok(meters.told.length < KEYS - 50, "they are slow");
  const before = meters.told.length;
  const revoked = await api.must("POST", `/projects/p/keys/${other.id}/revoke`, {});
  assert.ok(Date.parse(revoked.in_force_by) <= Date.now());
  const place = meters.told.findIndex(({ of }) => of.key === other.id);
  assert.ok(place >= 0 && place <= before + 2 * AT_ONCE, `${place - before} were told before it`);

  await eventually(() => assert.ok(meters.told.length > KEYS && meters.told.every(({ answered }) => answered)), 30_000);
  const many = meters.told.filter(({ of }) => of.key !== other.id);
  assert.deepEqual(many.map(({ of }) => of.key).sort(), ids.toSorted(), "each once");
  assert.ok(many.every(({ records: [record] }) => record.status === "suspended"));
  const flying = many.map(({ at }) => many.filter((one) => one.at <= at && one.answered > at).length);
  assert.ok(Math.max(...flying) <= AT_ONCE, `${Math.max(...flying)} at once`);
  const told = (await invocations(keyward)).map(({ meters }) => meters);
  assert.equal(Math.max(...told), OF_INVOCATION);
});
