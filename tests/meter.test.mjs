// Meters by themselves, with a clock that the test moves and a registry that answers what it says.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KEY, OWNER, answered, knowledge, knows, record, startMeters } from "./harness/meter.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 1440 * MINUTE;
const holds = (version, secret_id = "sec_1") => ({ secret_id, version });
const QUOTA = { quota: [{ name: "day", limit: 100, period: "day" }] };
const granted = ({ answer }) => answer.outcome.Granted?.amount ?? 0;

describe("an exchange", () => {
  test("is answered by what the registry knows, which is asked once", async (t) => {
    const own = await startMeters(t);
    const first = answered(await own.exchange(1, { holds: holds(1) }));
    assert.deepEqual(first, { answer: { number: 1, outcome: "Unlimited", lease_ms: 10_000, limits: [] }, news: null, usage: null });
    assert.deepEqual(await own.asked(), [{ by: "Keyward", command: { Metering: { of: { key: "key_1" }, known: 1 } } }]);
    answered(await own.exchange(2, { holds: holds(1) }));
    assert.deepEqual(await own.asked(), []);
  });

  test("of many isolates at once grants no more than there is, and nearly all of it", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    const rounds = Array.from({ length: 120 }, (_, index) => own.exchange(1 + (index % 40), { need: 1, want: 20 }));
    const replies = (await Promise.all(rounds)).map(answered);
    const sum = replies.map(granted).reduce((all, one) => all + one);
    assert.ok(sum <= 100 && sum >= 90, `${sum}`);
    const [quota] = (await own.ask(KEY, "standing")).standing;
    assert.deepEqual([quota.name, quota.limit, quota.free], ["day", 100, 100 - sum]);
  });

  test("that is repeated gets the same lease, and nothing more", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    const first = answered(await own.exchange(1, { need: 2, want: 20 }));
    assert.ok(granted(first) >= 2);
    assert.deepEqual(await own.exchange(1, { number: 1, need: 2, want: 20 }), first);
    const [quota] = (await own.ask(KEY, "standing")).standing;
    assert.equal(quota.free, 100 - granted(first));
  });

  test("with isolates whose ids are larger than a number of JavaScript", async (t) => {
    const own = await startMeters(t);
    const text = JSON.stringify({ subject: KEY, command: { exchange: { ask: { isolate: 0, number: 1, need: 0, want: 0, leases: [] }, holds: null, usage: null } } });
    for (const id of ["18446744073709551615", "18446744073709551614"]) {
      const response = await own.send(KEY, text.replace('"isolate":0', `"isolate":${id}`));
      assert.equal(response.status, 200);
    }
    assert.deepEqual(own.rows("SELECT id FROM isolate ORDER BY id").map(({ id }) => id), ["18446744073709551614", "18446744073709551615"]);
  });

  test("of a key without limits writes two rows, of its isolate and of its minute", async (t) => {
    const own = await startMeters(t);
    const minute = own.now / MINUTE;
    const usage = (number) => ({ number, minutes: [[minute, { calls: 1 }]] });
    answered(await own.exchange(1, { usage: usage(1) }));
    const before = own.rows("SELECT name, value FROM part");
    await own.clock.advance(5 * SECOND);
    answered(await own.exchange(1, { usage: usage(2) }));
    assert.deepEqual(own.rows("SELECT name, value FROM part"), before);
    assert.deepEqual(own.rows("SELECT (SELECT count(*) FROM isolate) AS isolates, (SELECT count(*) FROM usage) AS spans"), [{ isolates: 1, spans: 1 }]);
  });

  test("is refused by the meter of a project, and without a command that is known", async (t) => {
    const own = await startMeters(t);
    const project = { project: "acme", of: "project" };
    assert.equal(await own.exchange(1, { subject: project }), 500);
    assert.equal(await own.ask(project, "standing"), 500);
    assert.equal(await own.ask(KEY, "unheard"), 500);
    assert.equal((await own.send(KEY, "no JSON")).status, 500);
    assert.deepEqual(await own.asked(), []);
  });
});

test("signs of life without calls are a row of three, and one with calls is two rows", async (t) => {
  const own = await startMeters(t);
  answered(await own.exchange(1, { holds: holds(1) }));
  const signs = await own.written(async () => {
    for (let count = 0; count < 30; count += 1) {
      await own.clock.advance(8 * SECOND);
      answered(await own.exchange(1, { number: 2 + count, holds: holds(1) }));
    }
  });
  assert.ok(signs >= 9 && signs <= 11, `${signs}`);
  let number = 0;
  const calls = await own.written(async () => {
    for (; number < 7; number += 1) {
      const usage = { number: number + 1, minutes: [[own.now / MINUTE | 0, { calls: 1 }]] };
      answered(await own.exchange(1, { number: 40 + number, holds: holds(1), usage }));
      await own.clock.advance(SECOND);
    }
  });
  assert.equal(calls, 2 * number);
});

describe("a meter that starts again", () => {
  test("goes on from what it wrote, without asking anybody", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA, version: 3, credits: [] }));
    const usage = { number: 7, minutes: [[own.now / MINUTE, { calls: 5 }]] };
    const first = answered(await own.exchange(1, { need: 2, want: 20, usage }));
    await own.keyward.restart();
    const again = answered(await own.exchange(1, { number: 1, need: 2, want: 20, usage }));
    assert.deepEqual(again, first);
    const gone = { number: 1, spent: 0, age_ms: 0, held_ms: 0, closed: true };
    const next = answered(await own.exchange(1, { number: 2, leases: [gone], holds: holds(1) }));
    assert.deepEqual([next.answer.limits[0].free, next.news.record.version, next.usage], [100, 3, 7]);
    const { usage: spans } = await own.ask(KEY, { usage: { since: own.now - DAY, until: own.now + MINUTE, by: "day" } });
    assert.deepEqual(spans.map(([, { calls }]) => calls), [5]);
  });

  test("after a panic of its module too", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    const first = answered(await own.exchange(1, { need: 60 }));
    await own.break();
    assert.equal(await own.exchange(2, { need: 1 }), 500);
    assert.deepEqual(await own.exchange(1, { number: 1, need: 60 }), first);
    assert.ok(answered(await own.exchange(2, { need: 60 })).answer.outcome.Exhausted);
    assert.deepEqual((await own.asked()).length, 1);
  });

  test("after a write that failed too: nothing of it stays", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    answered(await own.exchange(1, { need: 1 }));
    await own.keyward.kill();
    own.rows("CREATE TRIGGER full BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'full'); END", { readOnly: false });
    await own.keyward.restart();
    const usage = { number: 1, minutes: [[Math.floor(own.now / MINUTE), { calls: 1 }]] };
    assert.equal(await own.exchange(2, { number: 1, need: 99, usage }), 500);
    assert.equal((await own.ask(KEY, "standing")).standing[0].free, 99);
    assert.equal(granted(answered(await own.exchange(3, { need: 99 }))), 99);
    assert.ok(own.keyward.log.includes("the object's storage failed"));
    assert.ok(!own.keyward.log.includes("RAISE"));
  });

  test("answers nothing from then on when a part of it is lost or damaged", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    const damages = [
      ["DELETE FROM part WHERE name = 'meter/limit/day'", "INSERT INTO part VALUES ('meter/limit/day', ?)"],
      ["DELETE FROM part WHERE name = 'known'", "INSERT INTO part VALUES ('known', ?)"],
      ["DELETE FROM part WHERE name = 'subject'", "INSERT INTO part VALUES ('subject', ?)"],
    ];
    answered(await own.exchange(1, { need: 60 }));
    for (const [damage, repair] of damages) {
      const name = damage.match(/name = '(.*)'/)[1];
      const [{ value }] = own.rows(`SELECT value FROM part WHERE name = '${name}'`);
      await own.keyward.kill();
      own.rows(damage, { readOnly: false });
      await own.keyward.restart();
      await own.registry(knows({ limits: QUOTA }));
      assert.equal(await own.exchange(2, { need: 60 }), 500, damage);
      assert.equal(await own.tell(knowledge({ limits: QUOTA, version: 9 })), undefined, damage);
      await own.keyward.kill();
      own.rows(repair.replace("?", `'${value}'`), { readOnly: false });
      await own.keyward.restart();
    }
    assert.ok(own.keyward.log.includes('"code":"meter_failed"'));
    assert.ok(answered(await own.exchange(3, { need: 60 })).answer.outcome.Exhausted);
  });

  test("grants nothing anew when the clock has gone back", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    await own.clock.advance(5 * SECOND);
    answered(await own.exchange(1, { need: 100 }));
    await own.clock.advance(-DAY);
    assert.ok(answered(await own.exchange(2, { need: 1 })).answer.outcome.Exhausted);
    await own.keyward.restart();
    assert.ok(answered(await own.exchange(3, { need: 1 })).answer.outcome.Exhausted);
  });
});

describe("what the registry tells", () => {
  test("is news for who holds an older version, once", async (t) => {
    const own = await startMeters(t);
    assert.equal(answered(await own.exchange(1, { holds: holds(1) })).news, null);
    const revoked = record({ version: 2, status: "revoked" });
    await own.tell(knowledge({ version: 2, records: [revoked] }));
    assert.deepEqual((await own.exchange(1, { holds: holds(1) })).news, { record: revoked });
    assert.equal((await own.exchange(1, { holds: holds(2) })).news, null);
    assert.equal((await own.exchange(1, { holds: holds(2, "sec_other") })).news, "gone");
  });

  test("is passed over when it is older", async (t) => {
    const own = await startMeters(t);
    await own.tell(knowledge({ version: 5 }));
    await own.tell(knowledge({ version: 4, records: [] }));
    assert.equal((await own.exchange(1, { holds: holds(5) })).news, null);
  });

  test("holds everywhere when the last lease of an older version is over", async (t) => {
    const own = await startMeters(t);
    assert.deepEqual(await own.tell(knowledge()), { version: 1, leased_ms: 0, credits: 0 });
    answered(await own.exchange(1, { holds: holds(1) }));
    await own.clock.advance(4 * SECOND);
    answered(await own.exchange(2, { holds: holds(1) }));
    await own.clock.advance(SECOND);
    const second = knowledge({ version: 2 });
    assert.deepEqual(await own.tell(second), { version: 2, leased_ms: 9000, credits: 0 });
    answered(await own.exchange(2, { holds: holds(1) }));
    await own.clock.advance(SECOND);
    assert.deepEqual(await own.tell(second), { version: 2, leased_ms: 8000, credits: 0 }, "the answer may not have arrived");
    await own.keyward.restart();
    const { leased_ms } = await own.tell(second);
    assert.ok(leased_ms >= 8000 && leased_ms <= 28_000, `${leased_ms}: what is written is ahead`);
    await own.clock.advance(leased_ms);
    assert.deepEqual(await own.tell(second), { version: 2, leased_ms: 0, credits: 0 });
  });

  test("may not have come to an isolate that does not say what it holds", async (t) => {
    const own = await startMeters(t);
    answered(await own.exchange(1, { holds: holds(1) }));
    const second = knowledge({ version: 2, records: [record({ version: 2, status: "revoked" })] });
    assert.equal((await own.tell(second)).leased_ms, 10_000);
    await own.clock.advance(20 * SECOND);
    assert.equal((await own.tell(second)).leased_ms, 0);
    answered(await own.exchange(1, { holds: null }));
    assert.equal((await own.tell(second)).leased_ms, 10_000);
    await own.keyward.restart();
    assert.ok((await own.tell(second)).leased_ms >= 10_000);
    await own.clock.advance(MINUTE);
    assert.ok(answered(await own.exchange(1, { holds: holds(1) })).news.record);
    assert.equal((await own.tell(second)).leased_ms, 0);
  });

  test("changes credits once for each number", async (t) => {
    const limits = { credits: { balance: 50 } };
    const own = await startMeters(t, knows({ limits }));
    const free = async () => (await own.ask(KEY, "standing")).standing[0].free;
    assert.equal(await free(), 50);
    const at = own.now;
    const add = { number: 1, at, act: { add: 25 } };
    const set = { number: 2, at, act: { set: 10 } };
    assert.equal((await own.tell(knowledge({ limits, credits: [add] }))).credits, 1);
    assert.equal(await free(), 75);
    assert.equal((await own.tell(knowledge({ limits, credits: [add, set] }))).credits, 2);
    assert.equal((await own.tell(knowledge({ limits, version: 0, credits: [add, set] }))).credits, 2);
    assert.equal(await free(), 10);
    await own.keyward.restart();
    assert.equal((await own.tell(knowledge({ limits, credits: [set, { number: 3, at, act: { add: 1 } }] }))).credits, 3);
    assert.equal(await free(), 11);
  });

  test("of credits holds everywhere when the last lease from before it is over", async (t) => {
    const limits = { credits: { balance: 50 } };
    const own = await startMeters(t, knows({ limits }));
    answered(await own.exchange(1, { holds: holds(1), need: 5 }));
    await own.clock.advance(SECOND);
    const told = knowledge({ limits, credits: [{ number: 1, at: own.now, act: { set: 0 } }] });
    assert.deepEqual(await own.tell(told), { version: 1, leased_ms: 9000, credits: 1 });
    await own.clock.advance(SECOND);
    answered(await own.exchange(1, { holds: holds(1) }));
    await own.keyward.restart();
    assert.deepEqual(await own.tell(told), { version: 1, leased_ms: 8000, credits: 1 }, "also when the answer was lost");
    assert.deepEqual(await own.tell(knowledge({ limits })), { version: 1, leased_ms: 8000, credits: 1 });
    await own.clock.advance(8 * SECOND);
    assert.deepEqual(await own.tell(told), { version: 1, leased_ms: 0, credits: 1 });
  });

  test("limits the keys of an owner together", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA, records: [] }));
    const { answer, news, usage } = answered(await own.exchange(1, { subject: OWNER, need: 100 }));
    assert.deepEqual([granted({ answer }), news, usage], [100, null, null]);
    assert.deepEqual((await own.asked())[0].command, { Metering: { of: { owner: "customer/1" }, known: 0 } });
    await own.tell(knowledge({ version: 2, records: [] }), OWNER);
    assert.equal((await own.exchange(1, { subject: OWNER })).answer.outcome, "Unlimited");
  });
});

describe("the registry", () => {
  test("is asked when an isolate holds a newer version than the meter", async (t) => {
    const own = await startMeters(t);
    answered(await own.exchange(1, { holds: holds(1) }));
    await own.registry(knows({ version: 2, limits: QUOTA }));
    await own.asked();
    const { news, answer } = answered(await own.exchange(2, { holds: holds(2), need: 1 }));
    assert.deepEqual([news, answer.limits[0].name], [null, "day"]);
    assert.equal((await own.asked()).length, 1);
  });

  test("is asked again every ten minutes, and may be silent for an hour", async (t) => {
    const own = await startMeters(t);
    answered(await own.exchange(1, { holds: holds(1) }));
    await own.registry({ status: 500 });
    await own.asked();
    await own.clock.advance(10 * MINUTE - 1);
    answered(await own.exchange(1, { holds: holds(1) }));
    assert.equal((await own.asked()).length, 0);
    await own.clock.advance(1);
    for (let count = 0; count < 2; count += 1) answered(await own.exchange(1, { holds: holds(1) }));
    assert.equal((await own.asked()).length, 1, "after it did not answer, it is left in peace for some seconds");
    await own.clock.advance(50 * MINUTE);
    assert.equal(await own.exchange(1, { holds: holds(1) }), 500);
    await own.registry(knows({ version: 2 }));
    await own.clock.advance(SECOND);
    assert.equal((await own.exchange(1, { holds: holds(1) })).news.record.version, 2);
  });

  test("has to answer once before anybody is answered", async (t) => {
    for (const registry of [{ status: 500 }, { metering: "Done" }, { metering: { Refused: { code: "internal_error" } } }, { metering: {} }]) {
      const own = await startMeters(t, registry);
      assert.equal(await own.exchange(1, { holds: holds(1) }), 500);
      assert.equal(await own.ask(KEY, "standing"), 500);
      await own.registry(knows());
      assert.equal(await own.exchange(1, { holds: holds(1) }), 500);
      assert.equal((await own.asked()).length, 1, "it is left in peace for a second");
      await own.clock.advance(SECOND);
      answered(await own.exchange(1, { holds: holds(1) }));
    }
  });

  test("is waited for no longer than is good", async (t) => {
    const own = await startMeters(t, { ...knows(), wait: 3000 });
    let began = Date.now();
    assert.equal(await own.exchange(1, { holds: holds(1) }), 500);
    assert.ok(Date.now() - began >= 1900 && Date.now() - began < 2900, `${Date.now() - began}`);
    await own.tell(knowledge());
    began = Date.now();
    answered(await own.exchange(1, { holds: holds(2) }));
    assert.ok(Date.now() - began < 1500, `${Date.now() - began}`);
  });

  test("may take as long as both tries of who asks", async (t) => {
    const own = await startMeters(t, { ...knows(), wait: 700 });
    assert.equal(await own.hurried(1, 1, 500), "given up");
    assert.equal(await own.hurried(1, 1, 500), 200, "what the first has brought in is enough");
  });

  test("that was set back does not silence the meter, and hears of it", async (t) => {
    const own = await startMeters(t, knows({ version: 3, records: [record({ version: 3, status: "revoked" })] }));
    answered(await own.exchange(1, { holds: holds(3) }));
    assert.equal((await own.tell(knowledge({ version: 1 }))).version, 3, "it says what it knows");
    await own.registry(knows({ version: 1 }));
    await own.asked();
    for (const minutes of [11, 61, 600]) {
      await own.clock.advance(minutes * MINUTE);
      const { news } = answered(await own.exchange(1, { holds: holds(1) }));
      assert.equal(news.record.status, "revoked", "the newer holds");
      answered(await own.exchange(1, { holds: holds(3) }));
      assert.deepEqual(await own.asked(), [{ by: "Keyward", command: { Metering: { of: KEY.of, known: 3 } } }]);
    }
    await own.registry(knows({ version: 4 }));
    await own.clock.advance(11 * MINUTE);
    assert.deepEqual(answered(await own.exchange(1, { holds: holds(3) })).news.record.status, "active");
  });

  test("is asked when a record knows of newer limits of an owner than their meter", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA, records: [] }));
    answered(await own.exchange(1, { subject: OWNER, version: 1 }));
    await own.registry(knows({ version: 2, limits: {}, records: [] }));
    assert.deepEqual((await own.asked()).length, 1);
    answered(await own.exchange(1, { subject: OWNER, version: 1 }));
    assert.deepEqual(await own.asked(), []);
    assert.equal(answered(await own.exchange(1, { subject: OWNER, version: 2 })).answer.outcome, "Unlimited");
    assert.deepEqual((await own.asked()).map(({ command }) => command.Metering.known), [2]);
  });

  test("may tell of a newer version while its answer is on the way", async (t) => {
    for (const registry of [knows({ version: 2 }), { metering: { Refused: { code: "key_unknown", errors: [] } } }]) {
      const own = await startMeters(t);
      await own.tell(knowledge());
      await own.registry({ ...registry, wait: 200 });
      const asking = own.exchange(1, { holds: holds(2) });
      while ((await own.asked()).length === 0);
      await own.tell(knowledge({ version: 3 }));
      assert.equal(answered(await asking).news.record.secret_id, "sec_1");
      assert.equal((await own.exchange(2, { holds: holds(3) })).news, null);
    }
  });

  test("may know no such key, or no such project: it is gone", async (t) => {
    for (const metering of [{ Refused: { code: "key_unknown", errors: [] } }, "Unfounded"]) {
      const own = await startMeters(t, { metering });
      const first = answered(await own.exchange(1, { holds: holds(4) }));
      assert.deepEqual([first.news, first.answer.outcome], ["gone", "Unlimited"]);
      await own.asked();
      assert.equal((await own.exchange(2, { holds: holds(4) })).news, "gone");
      assert.deepEqual(await own.asked(), [], "it is not asked by everybody who still holds it");
      await own.registry(knows({ version: 5 }));
      assert.equal((await own.exchange(3, { holds: holds(5) })).news, null, "it may come back");
    }
  });
});

test("a meter that has nothing to keep leaves nothing behind", async (t) => {
  const own = await startMeters(t);
  answered(await own.exchange(1, { holds: holds(1) }));
  await own.clock.advance(DAY - MINUTE);
  assert.equal(own.rows("SELECT id FROM isolate").length, 1);
  await own.clock.advance(7 * 60 * MINUTE);
  assert.deepEqual(own.rows("SELECT name FROM sqlite_master WHERE name = 'isolate'"), []);
  answered(await own.exchange(1, { holds: holds(1) }));
  assert.equal(own.rows("SELECT id FROM isolate").length, 1);
});

test("a meter with limits keeps its counts when nobody asks for long", async (t) => {
  const limits = { credits: { balance: 50 } };
  const own = await startMeters(t, knows({ limits }));
  answered(await own.exchange(1, { holds: holds(1), need: 50 }));
  for (let count = 0; count < 3; count += 1) await own.clock.advance(3 * DAY);
  assert.equal(own.rows("SELECT id FROM isolate").length, 0);
  assert.ok(answered(await own.exchange(2, { need: 1 })).answer.outcome.Exhausted);
});

test("asking how something was used that never was leaves no database behind", async (t) => {
  const own = await startMeters(t);
  const since = own.now - DAY;
  assert.deepEqual(await own.ask(KEY, { usage: { since, until: own.now, by: "hour" } }), { usage: [] });
  const files = readdirSync(join(own.keyward.objects, "Meter")).filter((name) => name.endsWith(".sqlite"));
  const tables = files.length === 0 ? [] : own.rows("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\'");
  assert.deepEqual(tables, []);
});
