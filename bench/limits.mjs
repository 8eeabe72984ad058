// What limits cost a warm key: the processor time of workerd for each call, side by side in one
// process. What is compared takes turns, and the ratios are of the same round.
//
//   npm run bench:limits -- [--rounds 30] [--calls 1000] [--json]
import { parseArgs } from "node:util";
import { startKeyward } from "../tests/harness/keyward.mjs";
import { createKeys } from "../tests/harness/management.mjs";
import { measure, ratio } from "./measure.mjs";
import { BODY, startOrigin } from "./origin.mjs";
import { Progress, quartiles, table } from "./report.mjs";
import { requestText, startSender } from "./sender.mjs";
import { spread } from "./statistics.mjs";
import { fronted } from "./world.mjs";

const GATEWAY = `[[route]]\norigin = "\${ORIGIN}"\n`;
const LIMITED = { rate: [{ limit: 100_000, window_s: 1 }], quota: [{ limit: 1_000_000_000, period: "month" }] };
/** What stands in front of each isolate's gateway. The first owns the Durable Objects. */
const FRONTS = ["central", undefined, "headers", "pass", "central"];
const [, PLAIN, HEADERS, PASS, CENTRAL] = FRONTS.keys();
/** What is measured: a key, in an isolate. */
const ROWS = {
  unlimited: ["unlimited", PLAIN],
  limited: ["limited", PLAIN],
  "unlimited, and a script sets the headers": ["unlimited", HEADERS],
  "limited, behind a script that does nothing": ["limited", PASS],
  "unlimited, and one Durable Object call for each": ["unlimited", CENTRAL],
};
/** What is compared with what. */
const RATIOS = {
  "a limited key": ["limited", "unlimited"],
  "a limited key, response headers aside": ["limited, behind a script that does nothing", "unlimited, and a script sets the headers"],
  "one Durable Object call for each": ["unlimited, and one Durable Object call for each", "unlimited"],
};

const WARM_UP = 5000;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "30" }, calls: { type: "string", default: "1000" }, json: { type: "boolean", default: false } },
});
const [rounds, calls] = [Number(values.rounds), Number(values.calls)];

const ends = [];
const t = { after: (end) => ends.push(end) };
try {
  const origin = await startOrigin(t);
  const gateway = await startKeyward(t, {
    ...{ gateway: GATEWAY, vars: { ORIGIN: origin.url }, isolates: FRONTS.length, objects: { CENTRAL: "Central" }, kv: "memory" },
    change: (modules, isolate) => fronted(modules, FRONTS[isolate]),
  });
  const keys = await createKeys(gateway, "acme", { unlimited: { kind: "private" }, limited: { kind: "private", limits: LIMITED } });
  const lanes = Object.entries(ROWS).map(([name, [key, isolate]]) => ({
    ...{ name, port: Number(new URL(gateway.urls[isolate]).port), expected: { status: 200, contains: BODY } },
    requests: [requestText("/x", { host: "localhost", "x-api-key": keys[key].secret })],
  }));
  const progress = new Progress("measuring", (rounds + 1) * lanes.length);
  report(await measure({ sender: await startSender(t), pid: gateway.process.pid, lanes, rounds, calls, warmUp: WARM_UP, progress }));
  progress.end();
} finally {
  for (const end of ends.reverse()) await end();
}

function report(measured) {
  const each = Object.entries(measured).map(([name, { cpu }]) => ({ name, ...spread(cpu) }));
  const ratios = Object.entries(RATIOS).map(([name, [of, to]]) => ({ name, ...ratio(measured, of, to) }));
  const cells = ({ name, interval, ...found }) => [name, quartiles(found, 3), interval.map((bound) => bound.toFixed(3)).join("-")];
  const parts = [
    `${rounds} rounds of ${calls} calls; medians of the rounds, quartiles in brackets`,
    table(["", "CPU per call, µs"], each.map(({ name, ...cpu }) => [name, quartiles(cpu, 1)])),
    table(["", "ratio", "95 % interval"], ratios.map(cells)),
  ];
  console.log(values.json ? JSON.stringify({ rounds, calls, microseconds: each, ratios }, null, 2) : parts.join("\n\n"));
}
