// A limit that is nearly or wholly used up is told once for each threshold and period: by its meter to the
// registry, whatever starts again or fails between them, and by the registry to the project's endpoints.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startReceiver } from "./harness/hooked.mjs";
import { KEY, OWNER, answered, knows, startMeters } from "./harness/meter.mjs";
import { eventually, ManagementClient } from "./harness/registry.mjs";
import { startStage } from "./harness/stage.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 1440 * MINUTE;
const QUOTA = { quota: [{ name: "day", limit: 10, period: "day" }] };
const GATEWAY = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"
`;

describe("a meter", () => {
  const spent = (number, units) => ({ number, spent: units, age_ms: 0, held_ms: 0, closed: true });
  /** What the registry was told since this was asked last: [who, name, percent, spent]. */
  const told = async (own) =>
    (await own.asked()).flatMap(({ command: { Passed } }) => (Passed?.limits ?? []).map(({ name, percent, spent }) => [Object.values(Passed.of)[0], name, percent, spent]));
  /** Asks for units, and says what was spent of the lease before. */
  const asks = async (own, need, leases = [], more = {}) => answered(await own.exchange(1, { need, leases, ...more }));
  const hears = (own, expected) => eventually(async () => assert.deepEqual(await told(own), expected), 5_000);

  test("tells what was spent and not what leases hold, once for each threshold", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    await asks(own, 8);
    await own.clock.advance(SECOND);
    assert.deepEqual(await told(own), []);
    await asks(own, 0, [spent(1, 8)]);
    await hears(own, [["key_1", "day", 80, 8]]);
    await asks(own, 1);
    await asks(own, 0, [spent(3, 1)]);
    await own.clock.advance(5 * MINUTE);
    assert.deepEqual(await told(own), [], "the same threshold again");
    await asks(own, 1);
    // Nobody says what became of that one: it is spent when its lease is over.
    await own.clock.advance(MINUTE + 10 * SECOND);
    await hears(own, [["key_1", "day", 100, 10]]);
    await own.clock.advance(DAY);
    await asks(own, 10, [], { need: 10 });
    await asks(own, 0, [spent(6, 10)]);
    await hears(own, [["key_1", "day", 80, 10], ["key_1", "day", 100, 10]]);
  });

  test("tells again until it is heard, also after it was killed, and of an owner too", async (t) => {
    const own = await startMeters(t, knows({ limits: QUOTA }));
    for (const subject of [KEY, OWNER]) await asks(own, 9, [], { subject, number: 1 });
    await own.registry({ ...knows({ limits: QUOTA }), status: 500 });
    for (const subject of [KEY, OWNER]) await asks(own, 0, [spent(1, 9)], { subject, number: 2 });
    await eventually(async () => assert.ok(own.rows("SELECT value FROM part WHERE name = 'marks'").length === 2), 5_000);
    await own.clock.advance(MINUTE);
    await eventually(async () => assert.ok((await told(own)).length >= 2, "tried again"), 5_000);
    await own.keyward.restart();
    await own.registry(knows({ limits: QUOTA }));
    const heard = [];
    for (let minute = 0; minute < 3; minute += 1) {
      await own.clock.advance(MINUTE + SECOND);
      heard.push(...(await told(own)));
    }
    assert.deepEqual(heard.toSorted(), [["customer/1", "day", 80, 9], ["key_1", "day", 80, 9]]);
    await own.clock.advance(10 * MINUTE);
    assert.deepEqual(await told(own), [], "it was heard");
  });

  test("writes nothing more and rings for nothing where no threshold is passed", async (t) => {
    const own = await startMeters(t, knows({ limits: { quota: [{ name: "day", limit: 1000, period: "day" }] } }));
    await asks(own, 10);
    const parts = () => own.rows("SELECT name FROM part ORDER BY name").map(({ name }) => name);
    const before = parts();
    for (let number = 1; number < 70; number += 1) await asks(own, 10, [spent(number, 10)]);
    assert.deepEqual(parts(), before);
    assert.ok(!before.includes("marks"));
    await own.clock.advance(MINUTE);
    assert.deepEqual(await told(own), []);
  });
});

describe("an endpoint", () => {
  /** A gateway whose time only the test moves, and a receiver of what is told about limits. */
  async function start(t, keys) {
    const stage = await startStage(t, { gateway: GATEWAY, keys, vars: { KEYWARD_WEBHOOK_HOSTS: "any" }, clock: true });
    const api = new ManagementClient(stage.gateway);
    const receiver = await startReceiver(t);
    await api.must("POST", "/projects/acme/webhooks", { url: `${receiver.url}/`, events: ["limit.warning", "limit.reached"] });
    const spends = async (key, calls, status = 200) => {
      for (let count = 0; count < calls; count += 1) assert.equal((await stage.call("/x", { key })).status, status);
    };
    const arrives = (count) => eventually(() => assert.equal(receiver.calls.length, count), 30_000);
    const limits = () => receiver.calls.map(({ type, data: { limit } }) => [type, limit.name]);
    return Object.assign(stage, { client: api, receiver, spends, arrives, limits });
  }

  test("hears of 80 and of 100 per cent of a key's quota and of what its owner's keys share", async (t) => {
    const { client, created, receiver, spends, arrives, gateway } = await start(t, { job: { name: "job", owner: "ann", limits: { quota: { limit: 10, period: "month" } } }, other: { owner: "ann" } });
    await client.must("POST", "/projects/acme/owners:limit", { owner: "ann", limits: { quota: { name: "shared", limit: 20, period: "day" } } });
    await spends("job", 7);
    await gateway.clock.advance(20 * SECOND);
    assert.deepEqual(receiver.calls, []);
    await spends("job", 1);
    await gateway.clock.advance(90 * SECOND);
    await arrives(1);
    const { type, data, timestamp } = receiver.calls[0];
    const { resets_at, ...limit } = data.limit;
    assert.deepEqual([type, data.key.id, data.key.name, data.key.owner, data.owner, data.by], ["limit.warning", created.job.key.id, "job", "ann", undefined, { type: "keyward" }]);
    assert.deepEqual(limit, { name: "month", type: "quota", limit: 10, used: 8, percent: 80 });
    assert.ok(Date.parse(resets_at) > Date.parse(timestamp));
    await spends("job", 2);
    await spends("job", 1, 429);
    await spends("other", 6);
    await gateway.clock.advance(90 * SECOND);
    await arrives(3);
    await spends("other", 4);
    await gateway.clock.advance(90 * SECOND);
    await arrives(4);
    const rest = receiver.calls.slice(1).map(({ type, data: { key, owner, limit } }) => [type, key?.id ?? owner, limit.name, limit.percent]);
    assert.deepEqual(rest.toSorted(), [
      ["limit.reached", created.job.key.id, "month", 100],
      ["limit.reached", "ann", "shared", 100],
      ["limit.warning", "ann", "shared", 80],
    ].toSorted());
    assert.equal(new Set(receiver.calls.map(({ id }) => id)).size, 4);
    // The next day: the owner's quota is another, the key's month is the same.
    await gateway.clock.advance(DAY);
    await spends("other", 16);
    await gateway.clock.advance(90 * SECOND);
    await arrives(5);
    assert.deepEqual([receiver.calls[4].type, receiver.calls[4].data.owner], ["limit.warning", "ann"]);
    assert.ok(!receiver.calls.slice(0, 4).some(({ id }) => id === receiver.calls[4].id));
  });

  test("hears of a limit that was raised and passed again, and of credits that were added", async (t) => {
    const { client, created, receiver, spends, arrives, limits, gateway } = await start(t, { job: { limits: { quota: { limit: 5, period: "month" } } }, paid: { limits: { credits: 5 } } });
    await spends("job", 5);
    await spends("paid", 5);
    await gateway.clock.advance(90 * SECOND);
    await arrives(4);
    const { id } = created.job.key;
    await client.patch(`/projects/acme/keys/${id}`, { limits: { quota: { limit: 10, period: "month" } } });
    await client.must("POST", `/projects/acme/keys/${created.paid.key.id}/credits`, { add: 5 });
    await gateway.clock.advance(90 * SECOND);
    await spends("job", 3);
    await spends("paid", 4);
    await gateway.clock.advance(90 * SECOND);
    await arrives(6);
    assert.deepEqual(limits().slice(4).toSorted(), [["limit.warning", "credits"], ["limit.warning", "month"]]);
    assert.ok(receiver.calls.some(({ data: { limit } }) => limit.name === "month" && limit.limit === 10));
    const credits = receiver.calls.filter(({ data }) => data.limit.type === "credits");
    assert.equal(new Set(credits.map(({ id }) => id)).size, 3);
    assert.ok(credits.every(({ data }) => data.limit.resets_at === undefined));
  });

  test("loses nothing when everything is killed right after the call", async (t) => {
    const { receiver, spends, gateway } = await start(t, { job: { limits: { quota: { limit: 5, period: "month" } } } });
    await spends("job", 5);
    await gateway.kill();
    await gateway.restart();
    await gateway.clock.advance(2 * MINUTE);
    // What was under way when all was killed may come again, as what it was.
    const heard = () => [...new Map(receiver.calls.map(({ id, type }) => [id, type])).values()].toSorted();
    await eventually(() => assert.deepEqual(heard(), ["limit.reached", "limit.warning"]), 30_000);
    await gateway.restart();
    await gateway.clock.advance(10 * MINUTE);
    await spends("job", 1, 429);
    await gateway.clock.advance(2 * MINUTE);
    assert.equal(heard().length, 2);
  });
});
