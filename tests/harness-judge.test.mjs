// The judge of limits and the KV that lies: they must see what they are there to see.
import assert from "node:assert/strict";
import { test } from "node:test";
import { mostWithin } from "./harness/judge.mjs";
import { startStaleKv } from "./harness/kv-stale.mjs";
import { generator } from "./harness/random.mjs";
import { eventually } from "./harness/registry.mjs";

const call = (sent, arrived = sent) => ({ sent, arrived });

test("calls count together when all of them are certain to lie in one span", () => {
  for (const [calls, span, most] of [
    [[], 1000, 0],
    [[call(0), call(999)], 1000, 2],
    [[call(0), call(1000)], 1000, 1],
    [[call(0, 1), call(1, 1001), call(2, 1001), call(2, 1001)], 1000, 2],
    [[call(0, 1000)], 1000, 0],
    [[call(5), call(5), call(5), call(1004), call(1005)], 1000, 4],
  ]) {
    assert.equal(mostWithin(calls, span), most, JSON.stringify(calls));
  }
});

test("the judge counts as one does who looks at every span", () => {
  const next = generator(4711);
  for (let turn = 0; turn < 200; turn += 1) {
    const calls = Array.from({ length: 40 }, () => Math.floor(next() * 300)).map((sent) => call(sent, sent + Math.floor(next() * 20)));
    const within = (from) => calls.filter(({ sent, arrived }) => sent >= from && arrived < from + 50).length;
    assert.equal(mostWithin(calls, 50), Math.max(...Array.from({ length: 320 }, (_, from) => within(from))));
  }
});

test("each place sees its own copy of a value until its time is over", async (t) => {
  const kv = await startStaleKv(t, 500);
  const read = async (isolate) => {
    const answer = await fetch(`http://${kv.address}/name?urlencoded=true`, { headers: { "x-isolate": isolate } });
    return answer.status === 404 ? null : answer.text();
  };
  kv.put("name", "old");
  assert.equal(await read("one"), "old");
  kv.put("name", "new");
  assert.deepEqual([await read("one"), await read("two"), kv.lies], ["old", "new", 1]);
  kv.delete("name");
  assert.deepEqual([await read("one"), await read("three")], ["old", null]);
  await eventually(async () => assert.deepEqual([await read("one"), await read("two")], [null, null]), 2000);
});
