// How many calls wait for their time at once in an isolate: places are free again by time alone, because
// a request that the platform cancels says nothing more.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Waiting } from "../src/waiting.mjs";

const START = 1_795_262_400_500;

/** Takes places until there are none, or a thousand. */
function fill(waiting, ms) {
  let taken = 0;
  while (taken < 1000 && waiting.take(ms)) taken += 1;
  return taken;
}

test("a place is free again after its time, and not before", (t) => {
  mock.timers.enable({ apis: ["Date"], now: START });
  t.after(() => mock.timers.reset());
  const waiting = new Waiting(10);
  for (let n = 0; n < 4; n += 1) assert.ok(waiting.take(2000));
  assert.deepEqual([fill(waiting, 20_000), waiting.take(1), waiting.take(1, { goesOn: true })], [6, false, true]);
  mock.timers.setTime(START + 1999);
  assert.equal(waiting.take(1), false);
  mock.timers.setTime(START + 4000);
  assert.equal(fill(waiting, 1), 4);
  mock.timers.setTime(START + 22_000);
  assert.equal(fill(waiting, 1), 10);
});

test("a clock that moved back takes no place away", (t) => {
  mock.timers.enable({ apis: ["Date"], now: START });
  t.after(() => mock.timers.reset());
  const waiting = new Waiting(10);
  assert.equal(fill(waiting, 20_000), 10);
  mock.timers.setTime(START - 3_600_000);
  assert.equal(fill(waiting, 20_000), 10);
  assert.equal(waiting.take(1), false);
});
