// What a call through Keyward costs, beside workers that check nothing and others that check the
// same: docs/performance.md says what each row does. `--sizes` measures instead what grows with the
// number of routes, rules and keys, up to 100,000 keys, and with `--short` up to 1,000.
//
//   npm run bench -- [--short] [--rounds 30] [--calls 500] [--processes 5] [--only "warm public"] [--json]
//   npm run bench -- --sizes [--short] [--rounds 15] [--calls 500] [--json]
import { buildKeyward, buildPlain } from "./build.mjs";
import { compare, compareText } from "./compare.mjs";
import { options } from "./options.mjs";
import { Progress } from "./report.mjs";
import { sizes, sizesText } from "./sizes.mjs";

/** For how long new rounds begin, unless their number was given. */
const LONGEST_MS = 200_000;

const asked = options(process.argv.slice(2));
const progress = (name, total) => new Progress(name, total);

buildKeyward();
const ends = [];
try {
  const { text, json } = await run({ after: (end) => ends.push(end) });
  console.log(asked.json ? JSON.stringify(json, null, 2) : text);
} finally {
  for (const end of ends.reverse()) await end();
}

/** What was found, as text and as data: { text, json }. */
async function run(t) {
  if (asked.sizes) {
    const json = await sizes(t, { ...asked, progress });
    return { text: sizesText(json), json };
  }
  buildPlain();
  const until = asked.isBounded ? performance.now() + LONGEST_MS : Infinity;
  const json = await compare({ ...asked, until, progress });
  return { text: compareText(json), json };
}
