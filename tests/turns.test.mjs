// Exchanges that find no place to wait for their time: another one that waits makes them too.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mock, test } from "node:test";
import { Turns } from "../src/turns.mjs";
import { temporaryFolder } from "./harness/folder.mjs";
import { startIsolates } from "./harness/isolates.mjs";
import { eventually } from "./harness/registry.mjs";

const START = 1_795_262_400_500;

test("a turn comes once its time has come, and once", (t) => {
  mock.timers.enable({ apis: ["Date"], now: START });
  t.after(() => mock.timers.reset());
  const turns = new Turns(10);
  for (const name of ["a", "b", "c"]) assert.ok(turns.put(name, 2000));
  assert.ok(turns.put("later", 20_000));
  assert.deepEqual([turns.take(5), turns.isEmpty], [[], false]);
  mock.timers.setTime(START + 2500);
  assert.deepEqual([turns.take(2), turns.take(2), turns.take(2)], [["a", "b"], ["c"], []]);
  mock.timers.setTime(START + 21_000);
  assert.deepEqual([turns.take(5), turns.take(5), turns.isEmpty], [["later"], [], true]);
});

test("what is too much is not kept", (t) => {
  mock.timers.enable({ apis: ["Date"], now: START });
  t.after(() => mock.timers.reset());
  const turns = new Turns(2);
  assert.deepEqual([turns.put(1, 1000), turns.put(2, 5000), turns.put(3, 1000)], [true, true, false]);
  mock.timers.setTime(START + 2000);
  assert.deepEqual(turns.take(5), [1]);
  assert.ok(turns.put(4, 1000));
});

test("all that was served is told where only one call may wait", async (t) => {
  const source = await readFile(new URL("../src/exchange.mjs", import.meta.url), "utf8");
  const bounded = source.replace("new Waiting(2000)", "new Waiting(1)");
  assert.notEqual(bounded, source);
  const path = join(await temporaryFolder(t), "exchange.mjs");
  await writeFile(path, bounded);
  const change = (modules) => modules.map((module) => (module.name === "src/exchange.mjs" ? { ...module, path } : module));
  const world = await startIsolates(t, { isolates: 1, change });
  const keys = [];
  for (let index = 0; index < 6; index += 1) keys.push(await world.key({}));
  const until = (calls) => calls.length >= 3;
  for (const key of keys) key.calls = await world.traffic.run({ secret: key.secret, until, connections: 1 });
  for (const key of keys) {
    const served = world.traffic.served(key.calls).length;
    assert.ok(served >= 3);
    await eventually(async () => assert.equal((await world.of(key.key, "usage")).total.calls, served), 60_000);
  }
});
