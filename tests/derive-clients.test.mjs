// The clients that mint derived keys: each makes the text that the core makes, from the same vectors.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { derive } from "../clients/derive.mjs";
import { ROOT } from "./harness/build.mjs";

const run = promisify(execFile);
const source = (name) => readFileSync(join(ROOT, "clients", name), "utf8");
const vectors = JSON.parse(source("vectors.json"));
const expected = vectors.map(({ key }) => key);

const SECRET = vectors[0].fields.secret;
/** What no client may mint. */
const refused = [
  { expires_in: 86_400_001 },
  { expires_in: 0 },
  { expires_in: -1 },
  { scopes: [] },
  { paths: [] },
  { referrers: [] },
  { ips: [] },
  { any_referrer: true, referrers: ["https://shop.example"] },
  { scopes: "a:read" },
  { user: "" },
  { user: "a\nsadmin:write" },
  { user: "a\u009bb" },
  { scopes: ["a:read\nx9999999999999"] },
  { user: "u".repeat(400) },
  { secret: SECRET.replace("_sk_", "_pk_") },
  { secret: SECRET.replace("_sk_", "_mk_") },
  { secret: expected[0] },
  { secret: `${SECRET}x` },
  { secret: "short" },
].map((fields) => ({ now: vectors[0].now, fields: { secret: SECRET, ...fields } }));

/** The fields of a vector as JavaScript has them. */
function mint({ now, fields: { secret, expires_in, not_before, any_referrer, ...fields } }) {
  const given = { ...fields, now, ...(any_referrer !== undefined && { anyReferrer: any_referrer }), ...(expires_in !== undefined && { expiresIn: expires_in }), ...(not_before !== undefined && { notBefore: new Date(not_before) }) };
  return derive(secret, given);
}

describe("JavaScript", () => {
  for (const vector of vectors) test(`mints: ${vector.name}`, async () => assert.equal(await mint(vector), vector.key));

  test("refuses what no key can say", async () => {
    for (const vector of refused) await assert.rejects(mint(vector), RangeError, JSON.stringify(vector));
  });

  test("takes nothing that is misspelt for left out", async () => {
    for (const fields of [{ scope: ["a:b"] }, { expires_in: 60 }, { user: null }, { user: 7 }, { any_referrer: true }, { anyReferrer: "no" }, { anyReferrer: null }]) {
      await assert.rejects(derive(SECRET, fields), TypeError, JSON.stringify(fields));
    }
  });

  test("runs in a page of an older runtime's globals alone", async () => {
    const used = [...source("derive.mjs").matchAll(/^import |require\(|process\.|Buffer/gm)];
    assert.deepEqual(used, []);
  });
});

describe("Python", async () => {
  const missing = await run("python3", ["-c", "import hmac, sys; assert sys.version_info >= (3, 9)"]).then(() => false, (error) => error.message);
  const skip = process.env.CI === "true" ? false : missing;

  async function python(vectors) {
    const running = run("python3", [join(ROOT, "tests/clients/derive_vectors.py")], { timeout: 30_000 });
    running.child.stdin.end(JSON.stringify(vectors));
    return JSON.parse((await running).stdout);
  }

  test("mints what the core mints", { skip }, async () => assert.deepEqual(await python(vectors), expected));

  test("refuses what no key can say", { skip }, async () => {
    const answers = await python(refused);
    assert.deepEqual(answers.filter((answer) => !answer.startsWith("refused: ")), []);
  });
});

test("each client is short enough to be read, and depends on nothing", () => {
  for (const name of ["derive.mjs", "derive.py"]) assert.ok(source(name).trimEnd().split("\n").length < 60, name);
  const modules = [...source("derive.py").matchAll(/^import (\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(modules, ["base64", "hashlib", "hmac", "re", "time", "unicodedata"]);
});
