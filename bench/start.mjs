// What a cold start costs: workerd is started again and again, each time with another worker in turn,
// and asked once. Keyward is measured beside the least that a worker can be, in Rust and in JavaScript;
// and with the modules loaded at once that it loads when they are needed.
//
//   npm run bench:start -- [--runs 20] [--json]
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { compatibility, gatewayModule, gatewayModules, ROOT } from "../tests/harness/build.mjs";
import { bind, config, worker } from "../tests/harness/capnp.mjs";
import { temporaryFolder } from "../tests/harness/folder.mjs";
import { SECRETS } from "../tests/harness/keyward.mjs";
import { copied } from "../tests/harness/modules.mjs";
import { startWorkerd } from "../tests/harness/workerd.mjs";
import { Progress } from "./report.mjs";

const EMPTY = fileURLToPath(new URL("empty", import.meta.url));
const TARGET = join(ROOT, "target/empty");
/** The first worker that the others are compared with. */
const LEAST = "an empty worker in Rust";
const KEYWARD = "Keyward";
const EAGER = "Keyward, all modules at once";
/** What is measured, each in milliseconds. */
const COLUMNS = { listening: "until it listens", answer: "first answer", cpu: "processor time" };

const { values } = parseArgs({ options: { runs: { type: "string", default: "20" }, json: { type: "boolean", default: false } } });
const runs = Number(values.runs);

const ends = [];
const t = { after: (end) => ends.push(end) };
try {
  const workers = await prepared(await temporaryFolder(t));
  const measured = Object.fromEntries(workers.map(({ name }) => [name, []]));
  const progress = new Progress("starting", (runs + 1) * workers.length);
  // The first run fills the caches of the machine, and is not counted.
  for (let run = 0; run <= runs; run += 1) {
    for (const { name, file, status } of run % 2 ? workers : workers.toReversed()) {
      const found = await started(file, status);
      if (run > 0) measured[name].push(found);
      progress.add(1);
    }
  }
  progress.end();
  report(measured);
} finally {
  for (const end of ends.reverse()) await end();
}

/** The workers as { name, file, status }: the configuration, and the status of the first answer. */
async function prepared(folder) {
  const dated = await compatibility();
  execFileSync("cargo", ["build", "--quiet", "--release", "--locked", "--target=wasm32-unknown-unknown", "--target-dir", TARGET], { cwd: EMPTY, stdio: ["ignore", 2, 2] });
  const keyward = await gatewayModules(await gatewayModule(`[[route]]\norigin = "http://127.0.0.1:1"\n`, join(folder, "gateway")));
  const eager = join(folder, "eager.mjs");
  await writeFile(eager, eagerly(["control", "meter"]));
  const script = join(folder, "script.mjs");
  await writeFile(script, "export default { fetch: () => new Response(null, { status: 200 }) };\n");
  const empty = [
    { name: "entry.mjs", path: join(EMPTY, "entry.mjs") },
    { name: "empty_worker.wasm", path: join(TARGET, "wasm32-unknown-unknown/release/empty_worker.wasm") },
  ];
  const modules = {
    "an empty worker in JavaScript": [{ name: "entry.mjs", path: script }],
    [LEAST]: empty,
    [KEYWARD]: keyward,
    [EAGER]: [{ name: "src/eager.mjs", path: eager }, ...keyward],
  };
  const bindings = Object.entries(SECRETS).map(([name, value]) => bind.text(name, value));
  return Promise.all(
    Object.entries(modules).map(async ([name, list], index) => {
      const file = join(folder, `${index}.capnp`);
      const is = worker({ modules: await copied(folder, list, `${index}_`), bindings, compatibility: dated });
      await writeFile(file, config({ worker: is }, { worker: "worker" }));
      // Keyward refuses a call without a key: all that it needs to decide has been made by then.
      return { name, file, status: list.includes(keyward[0]) ? 401 : 200 };
    }),
  );
}

/** An entry that starts every module before the first request, and is otherwise the gateway's. */
function eagerly(names) {
  const imports = names.map((name) => `import * as ${name} from "../build/${name}.js";`);
  const starts = names.map((name) => `${name}.__worker_init_state();`);
  return [...imports, ...starts, `export * from "./entry.mjs";`, `export { default } from "./entry.mjs";`, ""].join("\n");
}

/** One process: started, asked once, and ended. */
async function started(file, status) {
  const own = [];
  const begun = performance.now();
  try {
    const process = await startWorkerd({ after: (end) => own.push(end) }, file, ["worker"]);
    const listening = performance.now() - begun;
    const asked = performance.now();
    const answer = await firstAnswer(process.ports.worker);
    const took = performance.now() - asked;
    const cpu = (await processorTime(process.pid)) / 1e6;
    if (!answer.startsWith(`HTTP/1.1 ${status} `)) throw new Error(`the first answer is\n${answer}\n${process.log}`);
    return { listening, answer: took, cpu };
  } finally {
    for (const end of own) await end();
  }
}

async function firstAnswer(port) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  try {
    socket.write("GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n");
    return String((await once(socket, "data"))[0]);
  } finally {
    socket.destroy();
  }
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

function report(measured) {
  const rows = Object.entries(measured).map(([name, found]) => ({
    name,
    ...Object.fromEntries(Object.keys(COLUMNS).map((column) => [column, spread(found.map((one) => one[column]))])),
  }));
  const more = (of, to) => Object.fromEntries(Object.keys(COLUMNS).map((column) => [column, spread(measured[of].map((one, run) => one[column] - measured[to][run][column]))]));
  const differences = [
    { name: "Keyward more than an empty worker in Rust", ...more(KEYWARD, LEAST) },
    { name: "saved by loading modules when they are needed", ...more(EAGER, KEYWARD) },
  ];
  if (values.json) return console.log(JSON.stringify({ runs, milliseconds: rows, differences }, null, 2));
  const cell = ({ median, low, high }) => `${median.toFixed(1)} (${low.toFixed(1)}-${high.toFixed(1)})`.padStart(24);
  const line = ({ name, ...columns }) => name.padEnd(46) + Object.keys(COLUMNS).map((column) => cell(columns[column])).join("");
  const head = " ".repeat(46) + Object.values(COLUMNS).map((title) => title.padStart(24)).join("");
  console.log(`A process of workerd, started and asked once, ms: median (quartiles) of ${runs} runs\n${head}\n${rows.map(line).join("\n")}\n\n${differences.map(line).join("\n")}`);
}

function spread(list) {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}
