// The first table: each way that a call can go through Keyward, against workers that do less, and
// against others that do the same.
import { cpus } from "node:os";
import { check } from "./check.mjs";
import { lanes, ROWS } from "./rows.mjs";
import { measure, ratio } from "./measure.mjs";
import { quartiles, table } from "./report.mjs";
import { spread } from "./statistics.mjs";
import { startWorld } from "./world.mjs";

/**
 * Starts everything, checks every answer, measures, and ends it: in `processes` of workerd, one after
 * another, `rounds` in each. `only` keeps the rows whose names contain it, with what they are compared to.
 * `until` is a time of `performance.now()`.
 *
 * Returns { machine, versions, processes, rounds, calls, lanes, rows }, `rounds` of all processes together:
 * the lanes with { cpu, rate, p50, p99 }, each { median, low, high, interval }; the rows with the ratios
 * of their processor times.
 */
export async function compare({ processes, rounds, calls, warmUp, only = "", until, progress }) {
  const rows = ROWS.filter(({ name }) => name.includes(only));
  if (rows.length === 0) throw new Error(`no row contains "${only}"; there are: ${ROWS.map(({ name }) => name).join(", ")}`);
  const wanted = [...new Set(rows.flatMap(({ lane, to }) => [lane, ...to.map(({ lane }) => lane)]))];
  const bar = progress("measuring", processes * (rounds + 1) * wanted.length);
  const found = [];
  for (let process = 0; process < processes; process += 1) {
    found.push(await inOneProcess(wanted, { rounds, calls, warmUp, until, progress: bar }));
  }
  bar.end();
  const [{ names, versions }] = found;
  const all = (name, what) => found.flatMap(({ measured }) => measured[name][what]);
  const measured = Object.fromEntries(names.map((name) => [name, Object.fromEntries(["cpu", "rate", "p50", "p99"].map((what) => [what, all(name, what)]))]));
  return {
    machine: `${cpus()[0].model.trim()}, ${cpus().length} cores`,
    ...{ versions, processes, rounds: measured[names[0]].cpu.length, calls },
    lanes: names.map((name) => ({ name, ...Object.fromEntries(Object.entries(measured[name]).map(([what, list]) => [what, spread(list)])) })),
    rows: rows.map(({ name, lane, to }) => ({ name, lane, ratios: to.map(({ lane: other, most }) => ({ to: other, ...(most && { most }), ...ratio(measured, lane, other) })) })),
  };
}

async function inOneProcess(wanted, options) {
  const ends = [];
  try {
    const world = await startWorld({ after: (end) => ends.push(end) });
    const all = lanes(world);
    await check(world.sender, all);
    const chosen = all.filter(({ name }) => wanted.includes(name));
    // Where fewer are measured they are warmed up longer: several lanes warm one gateway.
    const warmUp = Math.ceil((options.warmUp * all.length) / chosen.length);
    const measured = await measure({ ...world, ...options, warmUp, lanes: chosen });
    return { names: chosen.map(({ name }) => name), versions: world.versions, measured };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Both parts of the table as text. */
export function compareText({ machine, versions, processes, rounds, calls, lanes, rows }) {
  const used = Object.entries(versions).map(([name, version]) => (name === "origin" ? version : `${name} ${version}`));
  return [
    `${machine}; ${used.join(", ")}`,
    `${rounds} rounds of ${calls} calls in ${processes} process${processes > 1 ? "es" : ""}; medians of the rounds, quartiles in brackets`,
    "",
    table(
      ["", "CPU per call, µs", "calls/s", "p50, ms", "p99, ms"],
      lanes.map(({ name, cpu, rate, p50, p99 }) => [name, quartiles(cpu, 1), rate.median.toFixed(0), p50.median.toFixed(2), p99.median.toFixed(2)]),
    ),
    "",
    table(
      ["Keyward, ratio of CPU per call", "to", "ratio", "95 % interval", "at most"],
      rows.flatMap(({ name, ratios }) =>
        ratios.map(({ to, most, ...found }) => [name, to, quartiles(found, 3), found.interval.map((bound) => bound.toFixed(3)).join("-"), most ? most.toFixed(2) : ""]),
      ),
    ),
  ].join("\n");
}
