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
 * Starts everything, checks every answer, and measures; `t` ends it. `only` keeps the rows whose
 * names contain it, with what they are compared to. `until` is a time of `performance.now()`.
 *
 * Returns { machine, versions, rounds, calls, lanes, rows }: the lanes with { cpu, rate, p50, p99 },
 * each { median, low, high, interval }; the rows with the ratios of their processor times.
 */
export async function compare(t, { rounds, calls, warmUp, only = "", until, progress }) {
  const rows = ROWS.filter(({ name }) => name.includes(only));
  if (rows.length === 0) throw new Error(`no row contains "${only}"; there are: ${ROWS.map(({ name }) => name).join(", ")}`);
  const world = await startWorld(t);
  const all = lanes(world);
  await check(world.sender, all);
  const wanted = new Set(rows.flatMap(({ lane, to }) => [lane, ...to.map(({ lane }) => lane)]));
  const chosen = all.filter(({ name }) => wanted.has(name));
  const bar = progress("measuring", (rounds + 1) * chosen.length);
  const measured = await measure({ ...world, lanes: chosen, rounds, calls, warmUp, until, progress: bar });
  bar.end();
  return {
    machine: `${cpus()[0].model.trim()}, ${cpus().length} cores`,
    versions: world.versions,
    ...{ rounds: measured[chosen[0].name].cpu.length, calls },
    lanes: chosen.map(({ name }) => ({ name, ...Object.fromEntries(Object.entries(measured[name]).map(([what, list]) => [what, spread(list)])) })),
    rows: rows.map(({ name, lane, to }) => ({ name, lane, ratios: to.map(({ lane: other, most }) => ({ to: other, ...(most && { most }), ...ratio(measured, lane, other) })) })),
  };
}

/** Both parts of the table as text. */
export function compareText({ machine, versions, rounds, calls, lanes, rows }) {
  const used = Object.entries(versions).map(([name, version]) => (name === "origin" ? version : `${name} ${version}`));
  return [
    `${machine}; ${used.join(", ")}`,
    `${rounds} rounds of ${calls} calls; medians of the rounds, quartiles in brackets`,
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
