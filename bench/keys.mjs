// Whether the work on one key depends on how many there are: two projects side by side in one
// registry process, a small and a large one, and the same calls to both in turn.
//
//   npm run bench:keys -- [--keys 100000] [--rounds 200] [--json]
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { managed } from "./managed.mjs";
import { Progress, quartiles, table } from "./report.mjs";
import { spread } from "./statistics.mjs";

const SMALL = 1000;
const BATCH = 1000;

const { values } = parseArgs({
  options: { keys: { type: "string", default: "100000" }, rounds: { type: "string", default: "200" }, json: { type: "boolean", default: false } },
});
const sizes = { small: SMALL, large: Number(values.keys) };
const rounds = Number(values.rounds);

await managed(async (api) => {
  const progress = new Progress(`importing ${sizes.large} keys`, sizes.large + sizes.small);
  const ids = {};
  const imported = {};
  for (const [project, size] of Object.entries(sizes)) {
    await api.createProject(project);
    const began = performance.now();
    ids[project] = await fill(api, project, size, (done) => progress.add(done));
    imported[project] = (size / (performance.now() - began)) * 1000;
  }
  progress.end();
  for (const project of Object.keys(sizes)) await published(api, project);

  const samples = {};
  const measuring = new Progress("measuring", rounds);
  for (let round = 0; round < rounds; round += 1) {
    for (const project of Object.keys(sizes)) {
      for (const [name, call] of Object.entries(calls(api, project, ids[project], round))) {
        const began = performance.now();
        await call();
        ((samples[name] ??= {})[project] ??= []).push(performance.now() - began);
      }
    }
    measuring.add(1);
  }
  measuring.end();

  const rows = Object.entries(samples).map(([name, { small, large }]) => ({ name, small: spread(small), large: spread(large), ratio: spread(large.map((ms, round) => ms / small[round])) }));
  if (values.json) console.log(JSON.stringify({ sizes, rounds, imported_per_second: imported, calls: rows }, null, 2));
  else {
    console.log(
      table(
        ["call, ms: median (quartiles)", ...Object.values(sizes).map((size) => `at ${size} keys`), "ratio"],
        rows.map(({ name, small, large, ratio }) => [name, quartiles(small, 2), quartiles(large, 2), quartiles(ratio, 2)]),
      ),
    );
    console.log(`\nImported per second: ${Math.round(imported.small)} (first ${sizes.small}), ${Math.round(imported.large)} (all ${sizes.large})`);
  }
});

/** The calls that are compared; each takes another key or word in every round. */
function calls(api, project, ids, round) {
  const at = (share) => ids[Math.floor(share * (ids.length - 1))];
  const somewhere = at(((round * 7919) % 1000) / 1000);
  return {
    create: () => api.createKey(project, { name: `new ${round}`, scopes: ["orders:read"] }),
    "show one": () => api.showKey(project, somewhere),
    "first page": () => api.listKeys(project, "limit=50"),
    "a page in the middle": () => api.listKeys(project, `limit=50&cursor=p${Math.floor(ids.length / 2)}`),
    "one owner's keys": () => api.listKeys(project, `limit=50&owner=owner%20${round % 20}`),
    "search, one hit": () => api.listKeys(project, `limit=50&q=${mark(project, round % SMALL)}`),
    "search, one hit among many alike": () => api.listKeys(project, `limit=50&q=${encodeURIComponent(`number ${round % SMALL} of`)}`),
    "search, many hits": () => api.listKeys(project, "limit=50&q=number"),
    update: () => api.call("PATCH", `/projects/${project}/keys/${somewhere}`, { metadata: { round } }, { "if-match": "*" }),
  };
}

/** Waits until KV has all that was imported, so that nothing is measured beside its publication. */
async function published(api, project) {
  const owed = async () => (await api.call("GET", `/projects/${project}/publication`)).outbox.pending;
  const first = await owed();
  const progress = new Progress(`publishing ${project}`, first);
  for (let left = first, before = first; left > 0; before = left) {
    await sleep(500);
    left = await owed();
    progress.add(before - left);
  }
  progress.end();
}

/** A word that only one key has. */
function mark(project, number) {
  return createHash("sha256").update(`mark ${project} ${number}`).digest("hex").slice(0, 12);
}

/** Imports keys by the SHA-256 of secrets that nobody knows; returns their ids, oldest first. */
async function fill(api, project, size, done) {
  const ids = [];
  for (let first = 0; first < size; first += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, size - first) }, (_, index) => {
      const number = first + index;
      const sha256 = createHash("sha256").update(`${project} ${number}`).digest("hex");
      return JSON.stringify({ sha256, kind: "private", name: `key number ${number} of ${project} ${mark(project, number)}`, owner: `owner ${number % Math.max(20, size / 50)}` });
    });
    const report = await api.importKeys(project, `${lines.join("\n")}\n`);
    if (report.created !== lines.length) throw new Error(`only ${report.created} of ${lines.length} were imported`);
    ids.push(...report.keys.map(({ id }) => id));
    done(lines.length);
  }
  return ids;
}
