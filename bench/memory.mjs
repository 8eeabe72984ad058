// What an isolate holds at most: calls fill every table of the gateway to its bound, in one isolate of
// plain workerd, and after each step its memory is read. The module's never shrinks, so what a step
// needed stays. Once with typical keys, once with the largest that there can be.
//
//   npm run bench:memory -- [--records 10000] [--minutes 10] [--addresses 10000] [--json]
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { fill } from "./behind.mjs";
import { Lanes } from "./lanes.mjs";
import { derivedOf, largestOf } from "./largest.mjs";
import { addressOf, forgedOf, keyOf, unknownOf } from "./population.mjs";
import { startProbed } from "./probed.mjs";
import { Progress, table } from "./report.mjs";

const CASES = { "typical keys": keyOf, "the largest keys": largestOf };
const MINUTE_MS = 60_000;
const UNKNOWN = 1000;
/** More than have a place in memory. */
const DERIVED = 6000;
/** Of plans, and of assertions: in src/plans.mjs and src/signer.mjs. */
const MOST = 20_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;
/** More callers at a time than answers are held back, and when most of them wait for two seconds. */
const HELD = { lanes: 2, calls: 400, after_ms: 3000 };
/** How long it takes until nothing waits any more that silent meters have left: at first, and for each key. */
const QUIET_MS = { first: 1500, each: 3 };
const MB = 1_000_000;
/** The memory of an isolate, by the platform. */
const ISOLATE_MB = 128;

/** Where what is asserted is the same for two routes, a key has one assertion for both. */
const ORIGINS = { a: "first", b: "second", c: "second" };
const gatewayOf = (records) => `[gateway]\nissuer = "https://gate.example"\nmemory_records = ${records}\n${Object.entries(ORIGINS).map(routeOf).join("")}`;
const routeOf = ([path, origin]) => `
[[route]]
path = "/${path}/**"
origin = "\${ORIGIN}/${origin}"
accepts = ["public", "private", "derived"]
assertion = true
`;

/** Returns { title, lines, json }; `progress(name, total)` makes a bar. An account keeps ten `minutes` of counts apart. */
export async function memory({ progress = (name, total) => new Progress(name, total), records = 10_000, minutes = 10, addresses = 10_000 } = {}) {
  const cases = [];
  for (const [name, of] of Object.entries(CASES)) cases.push({ name, ...(await filled(of, { progress, records, minutes, addresses })) });
  return report(cases, { records, minutes, addresses });
}

async function filled(of, { progress, records, minutes, addresses }) {
  const ends = [];
  try {
    const world = await startProbed({ after: (end) => ends.push(end) }, { gateway: gatewayOf(records) });
    const keys = Array.from({ length: records }, (_, number) => of(number));
    const putting = progress("putting keys into KV", records + 3);
    const [parent, open, limited] = [largestOf(0), keyOf(1), keyOf(9)];
    await fill(world.kv, [...keys, parent, open, limited], putting);
    putting.end();

    const [steps, statuses] = [[], {}];
    async function call(name, count, request) {
      const bar = progress(name, count);
      const answered = ({ status }) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        bar.add(1);
      };
      await new Lanes(world.ports[0]).run(count, request, answered);
      bar.end();
    }
    const look = async (name) => steps.push({ name, ...(await world.look()) });
    const step = async (name, ...calls) => look(name, await call(name, ...calls));
    const key = (number, path = "a") => ({ target: `/${path}/x`, headers: keys.at(number % records).headers });
    const secret = (secret) => ({ target: "/a/x", headers: { "x-api-key": secret } });
    const from = (number, { target, headers }) => ({ target, headers: { ...headers, "cf-connecting-ip": addressOf(number) } });

    await step("one call", 1, () => key(0));
    await step("records, accounts", records, (number) => key(number));
    for (let minute = 1; minute <= minutes; minute += 1) {
      await world.tell({ silent: true, ahead: minute * MINUTE_MS });
      const country = { "cf-ipcountry": `X${minute % 10}` };
      await call("letting minutes pass", records, (number) => ({ ...key(number), headers: { ...key(number).headers, ...country } }));
    }
    await look("meters are silent");
    // All that waits asks at once then, on a connection each: more than a process may have.
    await world.tell({ silent: false });
    await sleep(QUIET_MS.first + QUIET_MS.each * records);
    const derived = await Promise.all(Array.from({ length: Math.min(DERIVED, records) }, (_, number) => derivedOf(number, parent)));
    await step("derived keys", derived.length, (number) => secret(derived[number]));
    await step("unknown keys", UNKNOWN, (number) => secret(unknownOf(number)));
    await step("addresses, public keys", addresses, (number) => from(number, { target: "/a/x", ...open }));
    await step("addresses, keys' own limits", addresses, (number) => from(number, { target: "/a/x", ...limited }));
    await step("addresses, failed attempts", addresses, (number) => from(number, secret(forgedOf(number))));
    // All go when there are too many: so many are left that there is no more than one place.
    const { assertions, signed } = await world.look();
    const room = (count, size) => Math.max(0, Math.floor(Math.min(MOST - count, ((MOST_CHARACTERS - size) * count) / size, records)) - 1);
    const asserted = room(assertions, signed);
    await step("assertions", asserted, (number) => key(records - 1 - number, "b"));
    const { plans, characters } = await world.look();
    await step("plans", Math.min(room(plans, characters), asserted), (number) => key(records - 1 - number, "c"));
    const holding = Promise.all(Array.from({ length: HELD.lanes }, () => call("held-back answers", HELD.calls, (number) => from(1, secret(forgedOf(number))))));
    await Promise.race([sleep(HELD.after_ms), holding]);
    await look("held-back answers");
    await holding;
    return { steps, statuses };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const heapOf = ({ heap }) => heap.used + heap.embedder;

function report(cases, of) {
  const mb = (bytes) => (bytes / MB).toFixed(1);
  const lines = cases.flatMap(({ name, steps, statuses }) => {
    const rows = steps.map((step) => [step.name, mb(step.wasm), mb(heapOf(step)), mb(step.wasm + heapOf(step)), `${step.plans}`, `${step.assertions}`, mb(step.resident)]);
    const most = Math.max(...steps.map((step) => step.wasm + heapOf(step)));
    return [
      table([`${name}, MB`, "wasm", "V8 heap", "isolate", "plans", "assertions", "process"], rows),
      `at most ${mb(most)} of ${ISOLATE_MB} MB; answers: ${Object.entries(statuses).map(([status, count]) => `${status}: ${count}`).join(", ")}`,
      "",
    ];
  });
  return { title: `The memory of one isolate, ${of.records} records, all tables full`, lines, json: { ...of, cases } };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const number = (value) => ({ type: "string", default: String(value) });
  const { values } = parseArgs({ options: { records: number(10_000), minutes: number(10), addresses: number(10_000), json: { type: "boolean", default: false } } });
  const { title, lines, json } = await memory(Object.fromEntries(["records", "minutes", "addresses"].map((name) => [name, Number(values[name])])));
  console.log(values.json ? JSON.stringify(json, null, 2) : `${title}\n\n${lines.join("\n")}`);
}
