// The process dies at random moments while keys are changed and imported and KV fails: afterwards
// the registry, the audit log and KV agree, every acknowledged change is there, and none twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fault } from "./harness/kv.mjs";
import { generator, pick, seed } from "./harness/random.mjs";
import { eventually, ManagementClient, record, startRegistries } from "./harness/registry.mjs";
import { AccountWriter, answered, Writer } from "./harness/writers.mjs";

const CHANGES = 1000;
const WRITERS = 8;
const PROJECTS = 60;
const IMPORTS = 3;
const LINES = 1000;
/** Changes between two deaths, at most. */
const LONGEST_LIFE = 150;
/** What KV does for a while, in turns; nothing most of the time. */
const WEATHER = [null, null, null, fault.fail(), fault.fail(429), fault.drop(), fault.errorAfterApplying(), fault.answerLate(300), { apply: "late", lateBy: 700, status: 500 }];

/** Lets the gateway die again and again until `stop` is called; counts. */
function killing(keyward, random, progress) {
  const killer = { deaths: 0, running: true };
  killer.stopped = (async () => {
    while (killer.running) {
      const born = progress();
      const until = born + Math.ceil(random() * LONGEST_LIFE);
      // On a busy machine it takes its time to start, and has to have lived before it dies.
      while (killer.running && progress() === born) await sleep(2);
      const latest = Date.now() + 1000 + random() * 4000;
      while (killer.running && progress() < until && Date.now() < latest) await sleep(2);
      if (!killer.running) return;
      await sleep(random() * 20);
      await keyward.restart();
      killer.deaths += 1;
    }
  })();
  return Object.assign(killer, { stop: () => ((killer.running = false), killer.stopped) });
}

/** Gives KV another fault now and then until `stop` is called. */
function storms(kv, random) {
  const sky = { running: true };
  const stopped = (async () => {
    while (sky.running) {
      kv.repair();
      const weather = pick(random, WEATHER);
      if (weather) for (const operation of ["put", "delete"]) kv.break(operation, weather);
      await sleep(100 + random() * 600);
    }
    kv.repair();
  })();
  return { stop: () => ((sky.running = false), stopped) };
}

/** Every key of the project, deleted ones too. */
async function everyKey(api, project) {
  const lists = await Promise.all(["limit=100", "limit=100&status=deleted"].map((query) => api.all(`/projects/${project}/keys`, query)));
  return lists.flat();
}

/** Every entry of an audit log. */
async function everyEntry(api, base) {
  const entries = [];
  let cursor = "";
  do {
    const page = await api.get(`${base}/audit:export?limit=1000${cursor}`);
    entries.push(...page.body);
    cursor = page.headers.get("keyward-next-cursor") && `&cursor=${page.headers.get("keyward-next-cursor")}`;
  } while (cursor);
  return entries;
}

/** KV says of each key what the registry says, and of no other key anything. */
function assertKvAgrees(kv, keys) {
  const stored = Map.groupBy(kv.store.names().map((name) => record(kv.text(name))), ({ key_id }) => key_id);
  for (const { id, version, status, secrets } of keys) {
    const records = stored.get(id) ?? [];
    const known = new Set(records.map(({ secret_id }) => secret_id));
    for (const secret of secrets) assert.ok(known.has(secret.id) || secret.status === "ended", `${id}: the record of ${secret.id} is missing`);
    for (const one of records) assert.deepEqual([id, one.version, one.status], [id, version, status]);
    stored.delete(id);
  }
  assert.deepEqual([...stored.keys()], [], "KV has keys that the registry does not");
}

const counted = (list) => list.reduce((counts, one) => counts.set(one, (counts.get(one) ?? 0) + 1), new Map());
const twice = (list) => [...counted(list)].filter(([, count]) => count > 1);

test("what was acknowledged survives every crash, once, in the registry, the audit log and KV", async (t) => {
  const number = seed();
  t.diagnostic(`SEED=${number}`);
  const random = generator(number);
  const keyward = await startRegistries(t, { clock: true });
  const { kv, clock } = keyward;
  const api = new ManagementClient(keyward);
  await api.project("p");

  const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(api, "p", `writer${index}`, generator(number + index + 1)));
  const done = () => writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  const imports = Array.from({ length: IMPORTS }, (_, batch) =>
    Array.from({ length: LINES }, (_, line) => ({ name: `line ${batch}.${line}`, owner: `batch ${batch}`, secret: `imported-${number}-${batch}-${line}-0123456789` })),
  );
  const [killer, weather] = [killing(keyward, random, done), storms(kv, random)];
  const [account, reports] = [new AccountWriter(api), []];
  const importing = (async () => {
    for (const lines of imports) reports.push(await answered(() => api.import("p", lines)));
  })();
  const accounting = (async () => {
    for (let count = 0; count < PROJECTS; count += 1) await account.change();
  })();
  let left = CHANGES;
  await Promise.all(writers.map(async (writer) => {
    while (left > 0) {
      left -= 1;
      await writer.change();
    }
  }));
  await Promise.all([importing, accounting]);
  await killer.stop();
  await weather.stop();
  const repeated = writers.reduce((sum, writer) => sum + writer.repeated, 0);
  t.diagnostic(`${done()} changes, ${IMPORTS * LINES} imported lines, ${killer.deaths} crashes, ${repeated} lost answers, ${kv.operations.length} writes of KV`);
  assert.ok(killer.deaths >= 5);

  await t.test("the registry has every acknowledged change", async () => {
    const keys = new Map((await everyKey(api, "p")).map((key) => [key.id, key]));
    for (const { keys: own } of writers) {
      for (const [id, expected] of own) {
        const { version, status, name, secrets } = keys.get(id) ?? {};
        assert.deepEqual({ id, version, status, name, live: secrets?.filter((one) => one.status === "live").length }, { id, version: expected.version, status: expected.status, name: expected.name, live: 1 });
        keys.delete(id);
      }
    }
    const lines = [...keys.values()].map(({ name }) => name);
    assert.deepEqual(lines.sort(), imports.flat().map(({ name }) => name).sort(), "what is left are the imported keys, each once");
    for (const { body } of reports) assert.deepEqual([body.lines, body.created + body.existing, body.refused], [LINES, LINES, 0]);
  });

  await t.test("the audit log has each of them once", async () => {
    const entries = (await everyEntry(api, "/projects/p")).filter(({ key }) => key !== undefined);
    const changes = entries.filter(({ action }) => action !== "key.import").map(({ request_id }) => request_id);
    assert.deepEqual(twice(changes), []);
    assert.deepEqual(changes.toSorted(), writers.flatMap(({ acknowledged }) => acknowledged).toSorted());
    const imported = entries.filter(({ action }) => action === "key.import").map(({ key }) => key);
    assert.deepEqual([imported.length, twice(imported)], [IMPORTS * LINES, []]);
    const versions = counted(entries.map(({ key }) => key));
    for (const { id, version } of await everyKey(api, "p")) assert.equal(versions.get(id), version, `${id} has as many entries as versions`);
  });

  await t.test("so have the account's registry and its log", async () => {
    assert.deepEqual((await api.all("/projects")).map(({ id }) => id).sort(), ["p", ...account.projects].sort());
    const keys = new Map((await api.all("/management-keys")).filter(({ project }) => project).map(({ id, status }) => [id, status]));
    assert.deepEqual(keys, account.keys);
    const entries = await everyEntry(api, "");
    const changes = entries.map(({ request_id }) => request_id).filter((id) => id.startsWith("account-"));
    assert.deepEqual(changes, account.acknowledged);
    for (const id of account.projects) assert.equal((await api.must("GET", `/projects/${id}`)).version, 1);
  });

  await t.test("KV comes to have all of it", async () => {
    await eventually(async () => {
      await clock.advance(10_000); // what waits to be tried again, or to be confirmed
      return (await api.must("GET", "/projects/p/publication")).outbox.pending === 0;
    }, 150_000);
    assertKvAgrees(kv, await everyKey(api, "p"));
  });

  await t.test("a suspension whose sweep is cut off again and again reaches every key", async () => {
    const { keys } = (await answered(() => api.post("/projects/p/owners:suspend", { owner: "batch 1" }))).body;
    assert.equal(keys, LINES);
    for (let count = 0; count < 3; count += 1) {
      await sleep(random() * 200);
      await keyward.restart();
    }
    // Listing all keys again and again would hold up what is waited for.
    await eventually(async () => (await api.must("GET", "/projects/p/publication")).outbox.pending === 0, 150_000);
    assertKvAgrees(kv, await everyKey(api, "p"));
    const suspended = (await everyKey(api, "p")).filter(({ status }) => status === "suspended");
    assert.deepEqual(new Set(suspended.map(({ owner }) => owner)), new Set(["batch 1"]));
    assert.equal(suspended.length, LINES);
  });

  await t.test("the list of projects comes to say what the project's registry says", async () => {
    await answered(() => api.post("/projects/p/suspend"));
    await keyward.restart();
    await eventually(async () => assert.deepEqual((await api.all("/projects", "status=suspended")).map(({ id }) => id), ["p"]), 20_000);
  });
});
