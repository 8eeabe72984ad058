// Where a key may stand, and what each place does with what is no single valid key. Whatever is
// refused here costs no read of KV and never reaches the origin.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startStage } from "./harness/stage.mjs";

const GATEWAY = `
[[route]]
path = "/bearer/**"
origin = "\${ORIGIN}"
key_in = ["bearer"]

[[route]]
path = "/header/**"
origin = "\${ORIGIN}"
key_in = ["header:x-api-key"]

[[route]]
path = "/query/**"
origin = "\${ORIGIN}"
key_in = ["query:key"]

[[route]]
path = "/all/**"
origin = "\${ORIGIN}"
key_in = ["bearer", "header:x-api-key", "query:key"]
`;

/** How a value is put into a place: target and header lines of one request. Several values: several copies. */
const PLACES = {
  bearer: (...values) => ["/bearer/x", values.map((value) => ["authorization", `Bearer ${value}`])],
  header: (...values) => ["/header/x", values.map((value) => ["x-api-key", value])],
  query: (...values) => [`/query/x${values.map((value, n) => `${n ? "&" : "?"}key=${value}`).join("")}`, []],
};

const flipped = (key) => key.replace(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));

/**
 * Each is [name, values from the two valid keys, then what every place answers, or each by its name].
 * Where the query differs, it is because nobody joins or trims its copies.
 */
const CASES = [
  ["nothing", () => [], "key_missing"],
  ["an empty value", () => [""], "key_missing"],
  ["one valid key", (key) => [key], "passes"],
  ["the same key twice", (key) => [key, key], { bearer: "key_ambiguous", header: "key_ambiguous", query: "passes" }],
  ["two valid keys", (key, other) => [key, other], "key_ambiguous"],
  ["a valid key and rubbish", (key) => [key, "rubbish"], "key_ambiguous"],
  ["rubbish and a valid key", (key) => ["rubbish", key], "key_ambiguous"],
  ["a valid key and an empty copy", (key) => [key, ""], { bearer: "key_ambiguous", header: "key_ambiguous", query: "passes" }],
  ["a key in the wrong case", (key) => [flipped(key)], "key_invalid"],
  ["a key in upper case", (key) => [key.toUpperCase()], "key_invalid"],
  ["a key without its last character", (key) => [key.slice(0, -1)], "key_invalid"],
  ["a key with one more character", (key) => [`${key}0`], "key_invalid"],
  ["a key with a line break, encoded", (key) => [`${key}%0A`], "key_invalid"],
  ["a key with a NUL, encoded", (key) => [`${key}%00`], "key_invalid"],
  ["a key with a control character", (key) => [`${key}\x01`], { bearer: "key_invalid", header: "key_invalid" }],
  ["10 KB", () => ["k".repeat(10_000)], "key_invalid"],
  ["10 KB behind a valid key", (key) => [key + "0".repeat(10_000)], "key_invalid"],
  ["bytes that are not UTF-8", (key) => [`${key}\xe9\xff`], { bearer: "key_invalid", header: "key_invalid" }],
  ["a character beyond ASCII in UTF-8", (key) => [`${key}\xc3\xa9`], "key_invalid"],
  ["a character beyond ASCII, encoded", (key) => [`${key}%C3%A9`], "key_invalid"],
  ["a look-alike letter", (key) => [key.replace("kw_", "kw%EF%BC%BF")], "key_invalid"],
  ["a comma behind the key", (key) => [`${key},`], { bearer: "key_ambiguous", header: "key_ambiguous", query: "key_invalid" }],
  ["the key twice with a comma", (key) => [`${key},${key}`], { bearer: "key_ambiguous", header: "key_ambiguous", query: "key_invalid" }],
  ["a comma alone", () => [","], { bearer: "key_ambiguous", header: "key_ambiguous", query: "key_invalid" }],
  ["blanks alone", () => ["   "], { bearer: "key_missing", header: "key_missing" }],
  ["blanks alone, encoded", () => ["%20%20"], "key_invalid"],
  ["blanks around the key", (key) => [`  ${key}  `], { bearer: "passes", header: "passes" }],
  ["blanks around the key, encoded", (key) => [`+${key}%20`], "key_invalid"],
  ["a blank inside the key", (key) => [`${key.slice(0, 20)} ${key.slice(20)}`], { bearer: "key_invalid", header: "key_invalid" }],
  ["a key in quotes", (key) => [`'${key}'`], "key_invalid"],
];

/** What other vendors' keys look like; none of them is of this deployment, and nothing is asked about it. */
const JUNK = {
  "a Google key": "AIzaSyD-0123456789abcdefghijklmnopqrstu",
  "a Stripe key": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
  "a GitHub token": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
  "a JWT": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
  "a UUID": "3f0b2c1e-8a7d-4c57-9d9e-0a5a1b2c3d4e",
  "a long hex string": "0123456789abcdef".repeat(8),
  "a key of another vendor's deployment": "xx_sk_live_1abcdefghijklmnopqrstuvwxABCDEFGH",
  "a derived key": "kw_dk_live_1abcdefghijklmnopqrstuvwxABCDEFGH",
  "a management key": "kw_mk_live_1abcdefghijklmnopqrstuvwxABCDEFGH",
  "a later format": "kw_sk_live_2abcdefghijklmnopqrstuvwxABCDEFGH",
  "null": "null",
  "a path": "../../etc/passwd",
};

test("the places of a key", async (t) => {
  const stage = await startStage(t, {
    gateway: GATEWAY,
    keys: { one: { any_referrer: true }, two: { any_referrer: true }, private: { kind: "private" } },
  });
  const { one, two } = stage.keys;
  for (const key of [one, two]) await stage.passes("/header/x", { key });

  const expects = async (expected, [target, headers], options) => {
    const before = stage.reads;
    if (expected === "passes") {
      const { seen } = await stage.passes(target, { headers, ...options });
      const said = JSON.stringify([seen.target, seen.lines]);
      for (const key of Object.values(stage.keys)) assert.ok(!said.includes(key), `the origin received a key: ${said}`);
    } else {
      await stage.refuses(expected, target, { headers, ...options });
      assert.equal(stage.reads, before, "a refused key was looked up");
    }
  };

  for (const [place, put] of Object.entries(PLACES)) {
    for (const [name, values, expected] of CASES) {
      const answer = typeof expected === "string" ? expected : expected[place];
      if (answer) await t.test(`${place}: ${name}: ${answer}`, () => expects(answer, put(...values(one, two))));
    }
    for (const [name, value] of Object.entries(JUNK)) {
      await t.test(`${place}: ${name}: key_invalid`, () => expects("key_invalid", put(value)));
    }
    await t.test(`${place}: a private key: ${place === "query" ? "kind_not_accepted" : "passes"}`, async () => {
      await stage.passes("/header/x", { key: "private" });
      await expects(place === "query" ? "kind_not_accepted" : "passes", put(stage.keys.private));
    });
  }

  const inTwo = (first, second) => {
    const [target, headers] = [first, second].reduce(
      ([target, lines], [place, value]) => {
        const [from, more] = PLACES[place](value);
        return [target + from.slice(place.length + 3), [...lines, ...more]];
      },
      ["/all/x", []],
    );
    return [target, headers];
  };
  for (const [first, second] of [["bearer", "header"], ["bearer", "query"], ["header", "query"]]) {
    for (const [name, values, expected] of [
      ["the same key", [one, one], "passes"],
      ["two keys", [one, two], "key_ambiguous"],
      ["a valid key and then rubbish", [one, "rubbish"], "key_ambiguous"],
      ["rubbish and then a valid key", ["rubbish", one], "key_ambiguous"],
      ["a key and nothing", [one, ""], "passes"],
      ["nothing and a key", ["", one], "passes"],
      ["nothing and nothing", ["", ""], "key_missing"],
    ]) {
      await t.test(`${first} and ${second}: ${name}: ${expected}`, () => expects(expected, inTwo([first, values[0]], [second, values[1]])));
    }
  }
  await t.test("header and query: the same private key: kind_not_accepted", () =>
    expects("kind_not_accepted", inTwo(["header", stage.keys.private], ["query", stage.keys.private])));

  for (const [name, lines, expected] of [
    ["the scheme in any case", [["AUTHORIZATION", `bEARER ${one}`]], "passes"],
    ["several blanks behind the scheme", [["Authorization", `Bearer    ${one}`]], "passes"],
    ["the scheme alone", [["authorization", "Bearer"]], "key_missing"],
    ["no scheme", [["authorization", one]], "key_missing"],
    ["another scheme", [["authorization", `Token ${one}`]], "key_missing"],
    ["a scheme without a blank", [["authorization", `Bearer${one}`]], "key_missing"],
    ["Basic", [["authorization", `Basic ${btoa(`${one}:`)}`]], "key_missing"],
    ["two schemes", [["authorization", "Basic YTpi"], ["authorization", `Bearer ${one}`]], "key_missing"],
    ["two schemes, ours first", [["authorization", `Bearer ${one}`], ["authorization", "Basic YTpi"]], "key_ambiguous"],
  ]) {
    await t.test(`bearer: ${name}: ${expected}`, () => expects(expected, ["/bearer/x", lines]));
  }

  for (const [name, target, expected] of [
    ["a name with encoded letters", `/query/x?%6B%65y=${one}`, "passes"],
    ["an encoded key", `/query/x?key=${one.replaceAll("_", "%5f")}`, "passes"],
    ["a name in another case", `/query/x?KEY=${one}`, "key_missing"],
    ["a name without a value", "/query/x?key", "key_missing"],
    ["a value without a name", `/query/x?=${one}`, "key_missing"],
    ["a key behind a semicolon", `/query/x?a=1;key=${one}`, "key_missing"],
    ["a key in the fragment", `/query/x?a=1#key=${one}`, "key_missing"],
    ["an array's name", `/query/x?key[]=${one}`, "key_missing"],
  ]) {
    await t.test(`query: ${name}: ${expected}`, () => expects(expected, [target, []]));
  }

  await t.test("a place that the route does not name is no credential and passes through", async () => {
    const headers = [["x-api-key", one], ["authorization", "Bearer of-another-service"]];
    const { seen } = await stage.passes("/header/x?key=of-another-service", { headers });
    assert.deepEqual([seen.target, seen.values("authorization")], ["/header/x?key=of-another-service", ["Bearer of-another-service"]]);
    await stage.refuses("key_missing", `/header/x?key=${one}`);
    await stage.refuses("key_missing", "/query/x", { key: "one" });
  });

  await t.test("no key is in the log", () => stage.assertNoSecret(stage.gateway.log));
});
