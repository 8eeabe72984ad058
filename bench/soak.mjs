// Whether an isolate's memory stays flat: one isolate, a million calls of 100,000 keys that exist and
// 100,000 that do not, from as many client addresses, for as long as is asked. Every table of the
// gateway is full long before the end, so that what grows later is a leak. Fewer keys than usual show
// how it works, and are not judged.
//
//   npm run bench:soak -- [--minutes 15] [--requests 1000000] [--keys 100000] [--json]
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fill } from "./behind.mjs";
import { Lanes } from "./lanes.mjs";
import { addressOf, dice, forgedOf, keyOf, unknownOf } from "./population.mjs";
import { startProbed } from "./probed.mjs";
import { Progress } from "./report.mjs";

/** So many keys fill all tables. As many are none, and so many are the client addresses. */
const KEYS = 100_000;
/** Keys that are called so often that they stay in memory. */
const BUSY = 1000;
const SAMPLES = 120;
/** After so many reads of KV all tables have been full at least once. */
const WARM = 40_000;
/** By how much longer it takes at most, where the machine cannot make so many calls in the time. */
const LONGER = 1.2;
/** By how much the peak of the last third may lie above that of the second third. */
const FLAT = 0.03;
const MB = 1024 * 1024;

const number = (value) => ({ type: "string", default: String(value) });
const { values } = parseArgs({ options: { minutes: number(15), requests: number(1_000_000), keys: number(KEYS), json: { type: "boolean", default: false } } });
const asked = Object.fromEntries(["minutes", "requests", "keys"].map((name) => [name, Number(values[name])]));

const ends = [];
try {
  const world = await startProbed({ after: (end) => ends.push(end) });
  const population = await populate(world.kv, asked.keys);
  const { title, lines, json } = report({ ...asked, ...(await load(world, population, asked)) });
  console.log(values.json ? JSON.stringify(json, null, 2) : `${title}\n\n${lines.join("\n")}`);
} finally {
  for (const end of ends.reverse()) await end();
}

/** Keys that exist; and as many that do not, half of them with a wrong tag, half of them well-formed and unknown. */
async function populate(kv, count) {
  const bar = new Progress(`putting ${count} keys into KV`, 2 * count);
  const keys = [];
  const records = [];
  for (let number = 0; number < count; number += 1) {
    const { secret, headers, name, value } = keyOf(number);
    keys.push({ secret, headers });
    records.push({ name, value });
    if (number % 1000 === 999) await sleep(0, bar.add(1000));
  }
  const [forged, unknown] = [forgedOf, unknownOf].map((of) => Array.from({ length: Math.ceil(count / 2) }, (_, number) => of(number)));
  await fill(kv, records, bar);
  bar.end();
  return { keys, forged, unknown };
}

async function load({ ports, look }, { keys, forged, unknown }, { minutes, requests }) {
  const chance = dice(1);
  const some = (list, most = Infinity) => list[Math.floor(chance() * Math.min(list.length, most))];
  const request = () => {
    const address = { "cf-connecting-ip": addressOf(Math.floor(chance() * keys.length)) };
    const sort = chance();
    if (sort < 0.3) return { headers: { ...some(keys, BUSY).headers, ...address } };
    if (sort < 0.6) return { headers: { ...some(keys).headers, ...address } };
    return { headers: { "x-api-key": some(sort < 0.8 ? forged : unknown), ...address } };
  };
  const bar = new Progress("soaking", requests);
  const statuses = {};
  const answered = ({ status }) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    bar.add(1);
  };
  let over = false;
  const calls = new Lanes(ports[0]).run(requests, request, answered, { perSecond: requests / (minutes * 60), forMs: minutes * 60_000 * LONGER });
  calls.finally(() => (over = true)).catch(() => {});
  const samples = [];
  const began = performance.now();
  while (!over) {
    samples.push({ minute: (performance.now() - began) / 60_000, ...(await look()) });
    await Promise.race([sleep((minutes * 60_000) / SAMPLES), calls]);
  }
  await calls;
  bar.end();
  return { samples, statuses };
}

function report({ samples, statuses, minutes, requests, keys }) {
  const heap = ({ heap }) => heap.used + heap.embedder;
  const kinds = {
    "wasm memory": ({ wasm }) => wasm,
    "V8 heap in use": heap,
    "isolate: both": (sample) => sample.wasm + heap(sample),
    "process, resident": ({ resident }) => resident,
  };
  const thirds = [0, 1, 2].map((third) => samples.slice(...thirdOf(samples.length, third)));
  const rows = Object.entries(kinds).map(([name, of]) => {
    const [first, second, last] = thirds.map((third) => Math.max(...third.map(of)));
    return { name, first, second, last, growth: last / second - 1 };
  });
  // The V8 heap alone goes up and down with the plans, which all go when there are too many.
  const growing = rows.filter(({ name, growth }) => name !== "V8 heap in use" && growth > FLAT).map(({ name }) => name);
  const warm = keys >= KEYS && thirds[0].at(-1).reads.foreground >= WARM;
  const verdict = !warm ? "not judged: the tables were not full after the first third" : growing.length > 0 ? `NOT FLAT: ${growing.join(", ")}` : "flat";
  const calls = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const mb = (bytes) => (bytes / MB).toFixed(1).padStart(10);
  const lines = [
    `${"MiB, peak of each third".padEnd(26)}${["first", "second", "last", "growth"].map((name) => name.padStart(10)).join("")}`,
    ...rows.map(({ name, growth, ...of }) => `${name.padEnd(26)}${[of.first, of.second, of.last].map(mb).join("")}${`${(growth * 100).toFixed(1)} %`.padStart(10)}`),
    `plans registered with the entry, at most: ${Math.max(...samples.map(({ plans }) => plans))}`,
    `answers: ${Object.entries(statuses).map(([status, count]) => `${status}: ${count}`).join(", ")}`,
    verdict,
  ];
  return { title: `Memory over ${calls} calls in ${samples.at(-1).minute.toFixed(1)} minutes`, lines, json: { minutes, requests, calls, keys, verdict, rows, statuses, samples } };
}

function thirdOf(length, third) {
  return [third, third + 1].map((edge) => Math.round((edge * length) / 3));
}
