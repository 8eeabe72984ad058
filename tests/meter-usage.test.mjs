// What meters keep of how keys are used, with a clock that the test moves and a registry that
// answers what it says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, OWNER, PROJECT, answered, startMeters } from "./harness/meter.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const minute = (own, ago = 0) => Math.floor((own.now - ago) / MINUTE);
const calls = (spans) => spans.map(([start, counts]) => [start, counts.calls]);
const total = (spans) => spans.reduce((sum, [, counts]) => sum + counts.calls, 0);

/** An isolate reports what it counted in this minute. */
async function report(own, number, counts, { isolate = 1, subject = KEY, ago } = {}) {
  const usage = { number, minutes: [[minute(own, ago), counts]] };
  return answered(await own.exchange(isolate, { subject, usage })).usage;
}

test("a report is added once for each number of each isolate", async (t) => {
  const own = await startMeters(t);
  const counts = { calls: 2, refused: { rate_limited: 1 }, answered: { "2xx": 1 }, routes: { api: 2 }, countries: { DE: 2 } };
  assert.equal(await report(own, 1, counts), 1);
  assert.equal(await report(own, 1, counts), 1);
  assert.equal(await report(own, 3, counts), 3);
  assert.equal(await report(own, 2, counts), 3, "one that was overtaken");
  assert.equal(await report(own, 1, counts, { isolate: 2 }), 1);
  const sum = { calls: 6, refused: { rate_limited: 3 }, answered: { "2xx": 3 }, routes: { api: 6 }, countries: { DE: 6 } };
  for (const by of ["minute", "hour", "day"]) assert.deepEqual(await own.usage(by), [[own.now - (by === "day" ? 12 * HOUR : 0), sum]]);
  assert.equal(answered(await own.exchange(2)).usage, 1, "it is confirmed until it is heard");
});

test("a minute of the future, or of long ago, is counted at the bound", async (t) => {
  const own = await startMeters(t);
  const now = minute(own);
  const minutes = [[0, { calls: 1 }], [now - 1440, { calls: 2 }], [now + 1, { calls: 4 }], [now + 2, { calls: 8 }], [Number.MAX_SAFE_INTEGER, { calls: 16 }]];
  answered(await own.exchange(1, { usage: { number: 1, minutes } }));
  assert.deepEqual(calls(await own.usage("minute")), [[own.now - DAY, 3], [own.now + MINUTE, 28]]);
});

test("names without a bound make no row without one", async (t) => {
  const own = await startMeters(t);
  for (let number = 1; number <= 4; number += 1) {
    const routes = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`r${number}-${index}`, 1]));
    await report(own, number, { calls: 100, routes });
  }
  const [[, counts]] = await own.usage("hour");
  assert.deepEqual([counts.calls, Object.keys(counts.routes).length, counts.routes.other], [400, 256, 145]);
});

test("an owner's meter keeps no usage, and a report without counts is nothing", async (t) => {
  const own = await startMeters(t);
  assert.equal(await report(own, 1, { calls: 1 }, { subject: OWNER }), null);
  assert.equal(await report(own, 1, {}), 1);
  assert.deepEqual(own.rows("SELECT * FROM usage"), []);
});

test("counts move to hours after two days and to days after ninety, and nothing is lost", async (t) => {
  const own = await startMeters(t);
  const first = own.now;
  let number = 0;
  for (let step = 0; step < 5; step += 1) {
    await report(own, (number += 1), { calls: 1, routes: { api: 1 } });
    await own.clock.advance(25 * MINUTE);
  }
  assert.equal((await own.usage("minute")).length, 5);
  assert.deepEqual(calls(await own.usage("hour")), [[first, 3], [first + HOUR, 2]]);

  await own.clock.advance(2 * DAY + 9 * HOUR);
  assert.deepEqual(await own.usage("minute"), []);
  assert.deepEqual(calls(await own.usage("hour")), [[first, 3], [first + HOUR, 2]]);
  await report(own, (number += 1), { calls: 7, routes: { api: 7 } });
  assert.deepEqual(calls(await own.usage("day")), [[first - 12 * HOUR, 5], [first + 1.5 * DAY, 7]]);

  await own.clock.advance(100 * DAY);
  await own.clock.advance(DAY);
  assert.deepEqual(await own.usage("hour"), []);
  const days = [[first - 12 * HOUR, { calls: 5, routes: { api: 5 } }], [first + 1.5 * DAY, { calls: 7, routes: { api: 7 } }]];
  assert.deepEqual(await own.usage("day"), days);
  assert.deepEqual(await own.usage("day", PROJECT), days, "the project's as well");
  await own.clock.advance(600 * DAY);
  assert.deepEqual(await own.usage("day"), days);

  await own.clock.advance(40 * DAY);
  await own.clock.advance(DAY);
  assert.deepEqual(own.rows("SELECT name FROM sqlite_master WHERE name = 'usage'"), [], "no counts are left, and no meter");
});

test("counts are asked for by whole spans", async (t) => {
  const own = await startMeters(t);
  const first = own.now;
  for (let number = 1; number <= 3; number += 1) {
    await report(own, number, { calls: number });
    await own.clock.advance(HOUR);
  }
  const asked = async (since, until, by) => calls((await own.ask(KEY, { usage: { since: first + since, until: first + until, by } })).usage);
  assert.deepEqual(await asked(0, HOUR, "hour"), [[first, 1]]);
  assert.deepEqual(await asked(1, HOUR + 1, "hour"), [[first, 1], [first + HOUR, 2]]);
  assert.deepEqual(await asked(1, HOUR + 1, "minute"), [[first, 1], [first + HOUR, 2]]);
  assert.deepEqual(await asked(MINUTE, HOUR, "minute"), []);
  assert.deepEqual(await asked(0, 0, "hour"), []);
  assert.deepEqual(await asked(HOUR, 0, "hour"), []);
  assert.deepEqual(await asked(0, 1, "day"), [[first - 12 * HOUR, 6]]);
});

test("the project's meter has the sum of its keys within two minutes, each count once", async (t) => {
  const own = await startMeters(t);
  const other = { project: "acme", of: { key: "key_2" } };
  await report(own, 1, { calls: 2, countries: { DE: 2 } });
  await report(own, 1, { calls: 3, countries: { FR: 3 } }, { subject: other });
  await own.clock.advance(SECOND);
  assert.deepEqual(await own.usage("hour", PROJECT), []);
  await own.clock.advance(2 * MINUTE);
  const sum = { calls: 5, countries: { DE: 2, FR: 3 } };
  assert.deepEqual((await own.usage("hour", PROJECT)).map(([, counts]) => counts), [sum]);

  const [{ value }] = own.rows("SELECT value FROM part WHERE name = 'report' ORDER BY value LIMIT 1");
  const { number } = JSON.parse(value).report;
  const again = { key: "key_1", report: { number, minutes: [[minute(own), { calls: 100 }]] } };
  assert.ok((await own.ask(PROJECT, { sum: again })).summed.wait_ms >= MINUTE);
  assert.equal(total(await own.usage("hour", PROJECT)), 5, "a number is added once");
  await own.clock.advance(10 * MINUTE);
  await report(own, 2, { calls: 1 });
  await own.keyward.restart();
  await own.clock.advance(3 * MINUTE);
  assert.equal(total(await own.usage("hour", PROJECT)), 6);
});

test("a key of a large project tells its counts later, and all of them", async (t) => {
  const own = await startMeters(t);
  const others = Array.from({ length: 600 }, (_, index) => ({ key: `other_${index}`, report: { number: own.now, minutes: [] } }));
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(others.map((sum) => own.ask(PROJECT, { sum })));
  }
  await report(own, 1, { calls: 1 });
  await own.clock.advance(2 * MINUTE);
  assert.equal(total(await own.usage("hour", PROJECT)), 1);
  await report(own, 2, { calls: 2 });
  await own.keyward.restart();
  // The turns of others are gone with the start of the project's meter, but not this key's.
  await own.clock.advance(80 * SECOND);
  assert.equal(total(await own.usage("hour", PROJECT)), 1);
  await own.clock.advance(2 * MINUTE);
  assert.equal(total(await own.usage("hour", PROJECT)), 3);
});

test("what the project's meter cannot take is sent again, the same", async (t) => {
  const own = await startMeters(t);
  const damaged = "UPDATE part SET value = '!' WHERE name = 'subject'";
  assert.deepEqual(await own.ask(PROJECT, { sum: { key: "key_0", report: { number: own.now, minutes: [] } } }), { summed: { wait_ms: MINUTE } });
  await own.keyward.kill();
  own.rows(damaged, { readOnly: false });
  await own.keyward.restart();
  await own.registry({ metering: "Unfounded" });
  await report(own, 1, { calls: 4 });
  await own.clock.advance(2 * MINUTE + 5 * SECOND);
  const sent = () => own.rows("SELECT value FROM part WHERE name = 'report'");
  const [before] = sent();
  assert.deepEqual(JSON.parse(before.value).report.minutes.length, 1);
  assert.ok(own.keyward.log.includes('"code":"sum_postponed"'));
  await report(own, 2, { calls: 5 });
  assert.deepEqual(sent(), [before]);
  await own.keyward.kill();
  own.rows(`UPDATE part SET value = '${JSON.stringify(PROJECT)}' WHERE name = 'subject' AND value = '!'`, { readOnly: false });
  await own.keyward.restart();
  for (let count = 0; count < 6; count += 1) await own.clock.advance(MINUTE);
  assert.equal(total(await own.usage("hour", PROJECT)), 9);
});

test("the registry hears once an hour when a key was last used, until it has heard it", async (t) => {
  const own = await startMeters(t);
  const seen = async () => (await own.asked()).filter(({ command }) => command.Seen);
  const told = (minute) => ({ by: "Keyward", command: { Seen: { key: "key_1", at: minute * MINUTE } } });
  let used;
  const use = async (number) => {
    used = minute(own);
    await report(own, number, { calls: 1 });
  };
  await report(own, 1, { calls: 0, refused: { ip_denied: 1 } });
  await own.clock.advance(5 * MINUTE);
  assert.deepEqual(await seen(), [], "a refused call is no use");
  await use(2);
  await own.clock.advance(2 * MINUTE);
  assert.deepEqual(await seen(), [told(used)]);
  let number = 2;
  for (let count = 0; count < 10; count += 1) {
    await use((number += 1));
    await own.clock.advance(5 * MINUTE);
  }
  assert.deepEqual(await seen(), []);
  await own.registry({ status: 500 });
  await own.clock.advance(11 * MINUTE);
  assert.deepEqual(await seen(), [told(used)], "the time of the last call, not that of the message");
  await own.registry({});
  for (let count = 0; count < 4; count += 1) await own.clock.advance(MINUTE);
  assert.deepEqual(await seen(), [told(used)], "it is told again, and is not once it has heard it");
  await own.clock.advance(DAY);
  assert.deepEqual(await seen(), []);
});

test("each report is written as data points where a dataset is bound, once", async (t) => {
  const own = await startMeters(t, undefined, { vars: { TEST_USAGE: "1" } });
  const counts = { calls: 9, refused: { ip_denied: 1, rate_limited: 2 }, answered: { "2xx": 3, "5xx": 4 } };
  await report(own, 1, counts);
  await report(own, 1, counts);
  assert.deepEqual(await own.points(), [{ indexes: ["key_1"], blobs: ["acme", "key_1"], doubles: [9, 3, 3, 0, 0, 4] }]);
});
