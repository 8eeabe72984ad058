// What limits cost a warm key: the processor time of workerd for each call, side by side in one
// process. What is compared takes turns, and the medians of the turns' ratios are printed.
//
//   npm run bench:limits -- [--rounds 15] [--calls 3000] [--json]
import { readdir, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { startKeyward } from "../tests/harness/keyward.mjs";
import { createKeys } from "../tests/harness/management.mjs";
import { Caller } from "./caller.mjs";
import { Progress } from "./report.mjs";

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

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "15" }, calls: { type: "string", default: "3000" }, json: { type: "boolean", default: false } },
});
const [rounds, calls] = [Number(values.rounds), Number(values.calls)];

const ends = [];
try {
  const origin = await startOrigin();
  ends.push(() => origin.worker.terminate());
  const gateway = await startKeyward(
    { after: (end) => ends.push(end) },
    { gateway: GATEWAY, vars: { ORIGIN: origin.url }, isolates: FRONTS.length, change: fronted, objects: { CENTRAL: "Central" }, kv: "memory" },
  );
  const keys = await createKeys(gateway, "acme", { unlimited: { kind: "private" }, limited: { kind: "private", limits: LIMITED } });
  const rows = Object.entries(ROWS).map(([name, [key, isolate]]) => ({ name, caller: new Caller(gateway.urls[isolate], keys[key].secret), costs: [] }));

  const progress = new Progress("measuring", (rounds + 1) * rows.length);
  // The first round warms up, and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { caller, costs } of rows) {
      const before = await processorTime(gateway.process.pid);
      await caller.calls(calls);
      const cost = ((await processorTime(gateway.process.pid)) - before) / calls;
      if (round > 0) costs.push(cost);
      progress.add(1);
    }
  }
  progress.end();
  report(Object.fromEntries(rows.map(({ name, costs }) => [name, costs])));
} finally {
  for (const end of ends.reverse()) await end();
}

function report(costs) {
  const ratios = Object.entries(RATIOS).map(([name, [of, to]]) => ({ name, ...spread(costs[of].map((cost, round) => cost / costs[to][round])) }));
  const each = Object.entries(costs).map(([name, times]) => ({ name, ...spread(times.map((time) => time / 1000)) }));
  if (values.json) return console.log(JSON.stringify({ rounds, calls, microseconds: each, ratios }, null, 2));
  const lines = (rows, digits) => rows.map(({ name, median, low, high }) => `${name.padEnd(50)} ${median.toFixed(digits).padStart(8)}   (${low.toFixed(digits)}-${high.toFixed(digits)})`).join("\n");
  console.log(`Processor time of workerd for a call, µs: median (quartiles) of ${rounds} rounds of ${calls} calls\n${lines(each, 1)}`);
  console.log(`\nRatio: median (quartiles)\n${lines(ratios, 3)}`);
}

function spread(list) {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** The gateway's modules, with what stands in front of this isolate's. */
function fronted(modules, isolate) {
  const front = FRONTS[isolate];
  if (front === undefined) return modules;
  return [{ name: `src/${front}.mjs`, path: fileURLToPath(new URL(`fronts/${front}.mjs`, import.meta.url)) }, ...modules];
}

/** How long all threads of a process have run, in nanoseconds. */
async function processorTime(pid) {
  let sum = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0");
    sum += Number(text.split(" ")[0]);
  }
  return sum;
}

/** An origin in a thread of its own, so that callers and it do not wait for each other. */
async function startOrigin() {
  const worker = new Worker(
    `const { createServer } = require("node:http");
     const server = createServer((request, response) => response.end("ok")).listen(0, "127.0.0.1", () =>
       require("node:worker_threads").parentPort.postMessage(server.address().port));
     server.keepAliveTimeout = 0;`,
    { eval: true },
  );
  const port = await new Promise((resolve) => worker.once("message", resolve));
  return { worker, url: `http://127.0.0.1:${port}` };
}
