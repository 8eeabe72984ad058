// From "revoke answered" to "refused everywhere": in isolates with leases, and in isolates with KV
// alone. KV is a slow one on this machine, of which each isolate sees copies up to a minute old, as
// the platform says of its own ("60 seconds or more").
//
//   npm run bench:revocation -- [--isolates 8] [--keys 12] [--copies 60] [--slow 300] [--json]
import { parseArgs } from "node:util";
import { compare, distribution, quantile } from "../tests/harness/withdrawn.mjs";

const SECOND = 1000;
const SHARES = [0.5, 0.9, 0.99, 1];

const number = (value) => ({ type: "string", default: String(value) });
const { values } = parseArgs({
  options: { isolates: number(8), keys: number(12), copies: number(60), slow: number(300), json: { type: "boolean", default: false } },
});
const copiesMs = Number(values.copies) * SECOND;

const ends = [];
try {
  const { strict, eventual, alone, lies } = await compare(
    { after: (end) => ends.push(end) },
    {
      ...{ leased: Number(values.isolates), alone: Math.ceil(Number(values.isolates) / 2), keys: Number(values.keys), copiesMs, slowMs: Number(values.slow) },
      ...{ everyMs: 500, warmMs: 5 * SECOND, withinMs: Math.max(20 * SECOND, copiesMs), longestMs: copiesMs + 45 * SECOND },
    },
  );
  const groups = { "private keys, leases": strict, "public keys, leases": eventual, "public keys, KV alone": alone };
  if (values.json) {
    const shares = (times) => Object.fromEntries(SHARES.map((share) => [share, quantile(times.map(({ ms }) => ms), share)]));
    console.log(JSON.stringify({ lies, ms: Object.fromEntries(Object.entries(groups).map(([name, times]) => [name, shares(times)])) }, null, 2));
  } else for (const [name, times] of Object.entries(groups)) console.log(`${name.padEnd(24)} ${distribution(times)}`);
} finally {
  for (const end of ends.reverse()) await end();
}
