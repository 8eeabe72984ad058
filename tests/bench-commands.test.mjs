// The benchmarks that stand beside the comparison, in small, each by its own command: every row has
// its figures, every answer is as it has to be, and with --json there is nothing else on stdout.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { sizesText } from "../bench/sizes.mjs";
import { ROOT } from "./harness/build.mjs";
import { without } from "./harness/programs.mjs";

const skip = without("nginx", "nginx-light");
const isPositive = (value) => Number.isFinite(value) && value > 0;
const isSpread = ({ median, low, high, interval }) => [median, low, high, ...interval].every(isPositive) && low <= median && median <= high;
const namesOf = (rows) => rows.map(({ name }) => name);

describe("the command", { timeout: 300_000 }, () => {
  it("bench --sizes has every series", { skip }, async () => {
    const found = await measured("bench", ["--sizes", "--short", "--rounds", "2", "--calls", "20"]);
    assert.deepEqual(
      found.map(({ name, sizes }) => [name, ...sizes.map(({ size }) => size)]),
      [
        ["routes", 1, 10, 100, 1000],
        ["referrer rules", 1, 10, 100, 500],
        ["scopes", 1, 10, 100, 200],
        ["warm keys", 1, 1000],
        ["request headers", 10, 30, 100],
        ["request headers, working floor", 10, 30, 100],
      ],
    );
    for (const { name, sizes, growth } of found) assert.ok([growth, ...sizes.map(({ cpu }) => cpu)].every(isSpread), name);
    assert.ok(sizesText(found).includes("warm keys"));
  });

  it("bench:limits has every key, and what is compared", { skip }, async () => {
    const { rounds, calls, microseconds, ratios } = await measured("bench:limits", ["--rounds", "2", "--calls", "40"]);
    assert.deepEqual([rounds, calls], [2, 40]);
    assert.deepEqual(namesOf(microseconds), [
      "unlimited",
      "limited",
      "unlimited, and a script sets the headers",
      "limited, behind a script that does nothing",
      "unlimited, and one Durable Object call for each",
    ]);
    assert.deepEqual(namesOf(ratios), ["a limited key", "a limited key, response headers aside", "one Durable Object call for each"]);
    for (const row of [...microseconds, ...ratios]) assert.ok(isSpread(row), JSON.stringify(row));
  });

  it("bench:reads counts the reads of KV: none for what is no key, one in an isolate for what is unknown", async () => {
    const [minutes, isolates, keys, pace, strings] = [0.05, 2, 200, 100, 300];
    const args = { minutes, isolates, keys, pace, forged: strings };
    const { rows, exponent, ...asked } = await measured("bench:reads", Object.entries(args).flatMap(([name, value]) => [`--${name}`, `${value}`]));
    assert.deepEqual(asked, { minutes, isolates, keys, pace });
    assert.equal(exponent, 1.1);
    assert.equal(rows.length, 4);
    const [load, forged, malformed, unknown] = rows;
    for (const { name, calls, seconds, foreground, background, hit_rate, foreground_per_million, background_per_million } of rows) {
      assert.ok(isPositive(calls) && isPositive(seconds), name);
      assert.equal(hit_rate, 1 - foreground / calls, name);
      assert.deepEqual([foreground_per_million, background_per_million], [foreground, background].map((reads) => Math.round((reads / calls) * 1e6)), name);
    }
    for (const { name, statuses, foreground, background } of [forged, malformed]) {
      assert.deepEqual([statuses, foreground, background], [{ 401: strings }, 0, 0], name);
    }
    // An isolate reads a key once, and one that is not in use or is none once in ten seconds.
    const most = ({ seconds }, count) => count * isolates * (1 + Math.floor(seconds / 10));
    assert.deepEqual(load.statuses, { 200: pace * 60 * minutes * isolates });
    assert.ok(load.foreground > isolates && load.foreground <= most(load, keys), JSON.stringify(load));
    assert.deepEqual(unknown.statuses, { 401: 500 * 20 * isolates });
    assert.ok(unknown.foreground >= 500 * isolates && unknown.foreground <= most(unknown, 500), JSON.stringify(unknown));
  });

  it("bench:soak looks at the memory again and again, and does not judge tables that are not full", async () => {
    const [requests, keys] = [1500, 2000];
    const { rows, samples, statuses, verdict, ...rest } = await measured("bench:soak", ["--minutes", "0.1", "--requests", `${requests}`, "--keys", `${keys}`]);
    assert.deepEqual(rest, { minutes: 0.1, requests, keys, calls: requests });
    assert.deepEqual(Object.keys(statuses), ["200", "401"]);
    assert.equal(statuses[200] + statuses[401], requests);
    assert.match(verdict, /^not judged/);
    assert.deepEqual(namesOf(rows), ["wasm memory", "V8 heap in use", "isolate: both", "process, resident"]);
    for (const { name, first, second, last, growth } of rows) {
      assert.ok([first, second, last].every(isPositive), name);
      assert.equal(growth, last / second - 1, name);
    }
    assert.ok(samples.length > 3);
    for (const [index, { minute, wasm, heap, resident, reads }] of samples.entries()) {
      assert.ok([minute, wasm, heap.used, heap.embedder].every(isPositive), `${index}`);
      assert.ok(resident > wasm + heap.used, `${index}`);
      const before = samples[index - 1];
      assert.ok(!before || (wasm >= before.wasm && minute > before.minute && reads.foreground >= before.reads.foreground), `${index}`);
    }
    const last = samples.at(-1);
    assert.ok(last.plans > 0 && last.reads.foreground > 0 && last.reads.foreground < requests, JSON.stringify(last));
  });
});

/** Runs a script of package.json as its users do, and returns what it prints with --json. */
async function measured(script, args) {
  const { stdout } = await promisify(execFile)("npm", ["run", "--silent", script, "--", ...args, "--json"], { cwd: ROOT, maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}
