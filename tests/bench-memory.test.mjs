// The measurement of an isolate's memory, in small: every step calls as it is to, and is looked at.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { memory } from "../bench/memory.mjs";

const RECORDS = 120;
const ADDRESSES = 100;
const MINUTES = 2;
const progress = () => ({ add() {}, end() {} });

describe("the measurement of memory", { timeout: 300_000 }, () => {
  it("fills every table, with typical keys and with the largest", async () => {
    const { lines, json } = await memory({ progress, records: RECORDS, minutes: MINUTES, addresses: ADDRESSES });
    const [typical, largest] = json.cases;
    for (const { name, steps, statuses } of json.cases) {
      const at = (step) => steps.find((one) => one.name === step);
      assert.equal(at("records, accounts").plans, RECORDS, name);
      assert.equal(at("derived keys").assertions, 2 * RECORDS, name);
      assert.ok(at("plans").plans > at("assertions").plans && at("assertions").plans > at("derived keys").plans, name);
      for (const [index, { wasm, heap, resident }] of steps.entries()) {
        assert.ok(heap.used > 0 && resident > wasm + heap.used, name);
        assert.ok(wasm >= (steps[index - 1]?.wasm ?? 1), `${name}: the module's memory never shrinks`);
      }
      // Unknown keys and wrong tags; nothing that the gateway itself got wrong.
      assert.equal(Object.keys(statuses).filter((status) => !["200", "401", "503"].includes(status)).length, 0, JSON.stringify(statuses));
    }
    // Without its meter a key is refused, unless it says otherwise, as the largest do.
    assert.equal(typical.statuses[503], 0.7 * RECORDS * MINUTES);
    assert.equal(largest.statuses[503], undefined);
    const peak = ({ steps }) => Math.max(...steps.map(({ wasm }) => wasm));
    assert.ok(peak(largest) > peak(typical));
    assert.equal(lines.filter((line) => / of 128 MB; answers: /.test(line)).length, 2);
  });
});
