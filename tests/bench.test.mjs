// The benchmark, in small: every contestant answers rightly before and while it is measured, and
// each row has its figures.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { buildPlain } from "../bench/build.mjs";
import { compare, compareText } from "../bench/compare.mjs";
import { ROWS } from "../bench/rows.mjs";

const progress = () => ({ add() {}, end() {} });
const isSpread = ({ median, low, high, interval }) => [median, low, high, ...interval].every((value) => Number.isFinite(value) && value > 0);

describe("the comparison", { timeout: 900_000 }, () => {
  before(buildPlain);

  it("has every row, with figures for all that is compared", async () => {
    const found = await compare({ processes: 1, rounds: 3, calls: 40, warmUp: 40, progress });
    assert.equal(found.rounds, 3);
    assert.deepEqual(found.rows.map(({ name }) => name), ROWS.map(({ name }) => name));
    for (const { name, ratios } of found.rows) {
      assert.ok(ratios.length > 0, name);
      for (const ratio of ratios) assert.ok(isSpread(ratio), `${name}: ${JSON.stringify(ratio)}`);
    }
    const named = found.rows.flatMap(({ lane, ratios }) => [lane, ...ratios.map(({ to }) => to)]);
    assert.deepEqual(new Set(found.lanes.map(({ name }) => name)), new Set(named));
    for (const { name, cpu, rate, p50, p99 } of found.lanes) {
      for (const one of [cpu, rate, p50, p99]) assert.ok(isSpread(one), `${name}: ${JSON.stringify(one)}`);
    }
    const text = compareText(found);
    for (const name of named) assert.ok(text.includes(name), name);
  });

  it("keeps the rows that are asked for", async () => {
    const { rows, lanes, rounds } = await compare({ processes: 2, rounds: 2, calls: 10, warmUp: 10, only: "forged", progress });
    assert.equal(rounds, 4, "those of both processes");
    assert.deepEqual(rows.map(({ name }) => name), ["forged key"]);
    assert.deepEqual(lanes.map(({ name }) => name), ["answer only, forged", "Keyward, forged"]);
    await assert.rejects(compare({ processes: 1, rounds: 1, calls: 1, warmUp: 1, only: "nothing", progress }), /no row contains "nothing"/);
  });
});
