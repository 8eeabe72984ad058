// Measures lanes against each other: they take turns, round after round, so that what disturbs the
// machine disturbs all of them alike, and what is compared is of the same round.
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { spread } from "./statistics.mjs";

/** Before the calls that count, this share of them more: what was idle for a whole round is in use again. */
const LEAD = 0.3;
/** What the last of those has left to do in the background is over then. */
const SETTLE_MS = 50;

/**
 * Sends `calls` calls of each lane in each round, `rounds` times, every second round backwards. A
 * lane is { name, port, requests, expected, share }: of the calls it is sent that share. Before
 * that is one round of `warmUp` calls, which is not counted: until then the runtime compiles what
 * runs often, and that costs more than the calls. No round begins after `until` (a time of
 * `performance.now()`), but three there are always.
 *
 * Returns by the lanes' names { cpu, rate, p50, p99 }, lists of a value for each round: processor
 * time of the process for each call in µs, calls in a second, latencies in ms. A wrong answer is an error.
 */
export async function measure({ sender, pid, lanes, rounds, calls, warmUp, until = Infinity, progress }) {
  const measured = Object.fromEntries(lanes.map(({ name }) => [name, { cpu: [], rate: [], p50: [], p99: [] }]));
  for (const lane of lanes) sender.add(lane);
  for (let round = 0; round <= rounds && (round <= 3 || performance.now() < until); round += 1) {
    for (const { name, share = 1 } of round % 2 ? lanes : lanes.toReversed()) {
      const count = Math.ceil((round === 0 ? warmUp : calls) * share);
      if (round > 0) {
        await send(sender, name, Math.ceil(count * LEAD));
        await sleep(SETTLE_MS);
      }
      const before = await processorTime(pid);
      const { ms, p50, p99 } = await send(sender, name, count);
      const cpu = ((await processorTime(pid)) - before) / 1000 / count;
      progress.add(1);
      if (round === 0) continue;
      const found = { cpu, rate: (count / ms) * 1000, p50, p99 };
      for (const [what, value] of Object.entries(found)) measured[name][what].push(value);
    }
  }
  return measured;
}

async function send(sender, name, count) {
  const { wrong, sample, ...times } = await sender.send(name, count);
  if (wrong > 0) throw new Error(`${wrong} of ${count} answers to "${name}" are wrong, such as\n${sample}`);
  return times;
}

/** The ratio of two lanes, round by round: { median, low, high, interval }. */
export function ratio(measured, of, to) {
  return spread(measured[of].cpu.map((cpu, round) => cpu / measured[to].cpu[round]));
}

/** How long all threads of a process have run, in nanoseconds, for itself and in the system. */
async function processorTime(pid) {
  let sum = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0");
    sum += Number(text.split(" ")[0]);
  }
  return sum;
}
