// What `npm run bench` is asked to do.
import { parseArgs } from "node:util";

const FULL = { processes: 1, rounds: 30, calls: 500, warmUp: 5000 };
const SHORT = { processes: 1, rounds: 4, calls: 100, warmUp: 500 };
const SIZES = { processes: 1, rounds: 15, calls: 500, warmUp: 5000, most: 100_000 };
const SHORT_SIZES = { ...SHORT, most: 1000 };

const flag = { type: "boolean", default: false };
const value = { type: "string" };

/**
 * Reads the arguments: { sizes, json, only, processes, rounds, calls, warmUp, most, isBounded }. `most` is the
 * largest number of keys whose size is measured. `isBounded` says that fewer rounds do where they take
 * too long: who names a number gets them all. Throws for others.
 */
export function options(args) {
  const { values } = parseArgs({ args, options: { short: flag, sizes: flag, json: flag, processes: value, rounds: value, calls: value, only: value } });
  const usual = values.sizes ? (values.short ? SHORT_SIZES : SIZES) : values.short ? SHORT : FULL;
  const [processes, rounds, calls] = ["processes", "rounds", "calls"].map((name) => {
    const number = Number(values[name] ?? usual[name]);
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is a whole number from 1 on`);
    return number;
  });
  const { sizes, json, only } = values;
  return { sizes, json, only, processes, rounds, calls, warmUp: usual.warmUp, most: usual.most, isBounded: values.rounds === undefined };
}
