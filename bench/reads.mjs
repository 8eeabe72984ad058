// How often KV is read: a Zipf load of many keys on several isolates, each of which has its own memory;
// then strings that are no keys. Beside it stands what a gateway reads that asks KV on every call.
//
//   npm run bench:reads -- [--minutes 2] [--isolates 4] [--keys 10000] [--pace 200] [--forged 100000] [--json]
import { parseArgs } from "node:util";
import { fill } from "./behind.mjs";
import { Lanes } from "./lanes.mjs";
import { dice, forgedOf, keyOf, unknownOf } from "./population.mjs";
import { startProbed } from "./probed.mjs";
import { Progress } from "./report.mjs";

/** How much rarer the next key is: the n-th most used one is called 1 / n^EXPONENT as often as the first. */
const EXPONENT = 1.1;
const UNKNOWN = 500;
/** How often each unknown key is called, all of them in turn. */
const UNKNOWN_CALLS = 20;
const NAMES = { load: "Zipf load", forged: "forged: the tag does not verify", malformed: "malformed", unknown: `unknown: ${UNKNOWN} keys, again and again` };

const number = (value) => ({ type: "string", default: String(value) });
const { values } = parseArgs({
  options: { minutes: number(2), isolates: number(4), keys: number(10_000), pace: number(200), forged: number(100_000), json: { type: "boolean", default: false } },
});
const { title, lines, json } = await reads(Object.fromEntries(["minutes", "isolates", "keys", "pace", "forged"].map((name) => [name, Number(values[name])])));
console.log(values.json ? JSON.stringify(json, null, 2) : `${title}\n\n${lines.join("\n")}`);

/**
 * Returns { title, lines, json }. `pace` is calls in a second to each isolate, `forged` how many strings
 * of each sort are tried; on a machine that is too slow for it, it takes longer.
 */
async function reads({ minutes, isolates, keys, pace, forged: strings }) {
  const ends = [];
  try {
    const { kv, ports, count } = await startProbed({ after: (end) => ends.push(end) }, { isolates });
    const population = Array.from({ length: keys }, (_, number) => keyOf(number));
    const filling = new Progress("putting keys into KV", keys);
    await fill(kv, population, filling);
    filling.end();

    /** Calls every isolate so often; returns { calls, statuses, foreground, background, seconds }. */
    async function run(name, calls, request, pace) {
      const bar = new Progress(name, calls * isolates);
      const statuses = {};
      const answered = ({ status }) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        bar.add(1);
      };
      const [before, began] = [await count(), performance.now()];
      await Promise.all(ports.map((port) => new Lanes(port).run(calls, request, answered, { perSecond: pace })));
      const [after, seconds] = [await count(), (performance.now() - began) / 1000];
      bar.end();
      return { calls: calls * isolates, statuses, foreground: after.foreground - before.foreground, background: after.background - before.background, seconds };
    }

    const next = zipf(keys);
    const load = await run("Zipf load", Math.round(pace * 60 * minutes), () => population[next()], pace);
    const each = Math.ceil(strings / isolates);
    let made = 0;
    const forged = await run("forged keys", each, () => ({ headers: { "x-api-key": forgedOf(made++) } }));
    const malformed = await run("malformed keys", each, () => ({ headers: { "x-api-key": `kw_sk_live_${made++}` } }));
    const unknown = await run("unknown keys", UNKNOWN * UNKNOWN_CALLS, (number) => ({ headers: { "x-api-key": unknownOf(number % UNKNOWN) } }));
    return report({ load, forged, malformed, unknown }, { minutes, isolates, keys, pace });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Draws numbers below `count`, the smaller the more often. */
function zipf(count) {
  const chance = dice(2);
  const sums = [];
  for (let rank = 1, sum = 0; rank <= count; rank += 1) sums.push((sum += rank ** -EXPONENT));
  return () => {
    const wanted = chance() * sums.at(-1);
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function report(runs, of) {
  const rows = Object.entries(runs).map(([key, { calls, foreground, background, seconds, statuses }]) => {
    const perMillion = (reads) => Math.round((reads / calls) * 1e6);
    return { name: NAMES[key], calls, seconds, statuses, foreground, background, hit_rate: 1 - foreground / calls, foreground_per_million: perMillion(foreground), background_per_million: perMillion(background) };
  });
  const cells = (list) => list.map((cell) => String(cell).padStart(14)).join("");
  const line = (name, list) => name.padEnd(40) + cells(list);
  const lines = [
    line("reads of KV, per million calls", ["calls", "hit rate", "waited for", "in background"]),
    ...rows.map((row) => line(row.name, [row.calls, `${(row.hit_rate * 100).toFixed(2)} %`, row.foreground_per_million, row.background_per_million])),
    line("one read for each call", ["", "0.00 %", 1_000_000, 0]),
    `the Zipf load took ${Math.round(rows[0].seconds)} s; answers: ${rows.map(({ statuses }) => JSON.stringify(statuses)).join(" ")}`,
  ];
  return { title: `Reads of KV: Zipf(${EXPONENT}) over ${of.keys} keys, ${of.isolates} isolates, ${of.pace} calls/s each`, lines, json: { ...of, exponent: EXPONENT, rows } };
}
