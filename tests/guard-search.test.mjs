// The body guard's search, against a search that sees the whole body at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { prepared, Search, spellings } from "../src/guard.mjs";
import { generator } from "./harness/random.mjs";

const bytes = (text) => new TextEncoder().encode(text);
const text = (parts) => Buffer.concat(parts).toString("latin1");

/** What is passed on of these chunks, one text for each, and at the end. */
function searched(words, chunks) {
  const search = new Search(prepared(words.map(bytes)));
  const parts = chunks.map((chunk) => text([search.next(bytes(chunk))]));
  return [...parts, text([search.rest()])];
}

/** Every occurrence overwritten, also those that overlap. */
function expected(words, whole) {
  const masked = [...whole];
  for (const word of words) {
    for (let at = whole.indexOf(word); at >= 0; at = whole.indexOf(word, at + 1)) masked.fill("*", at, at + word.length);
  }
  return masked.join("");
}

test("a word is overwritten however it is cut", () => {
  for (const [words, whole, masked] of [
    [["aaab"], "aaaab", "a****"],
    [["aba"], "ababa!", "*****!"],
    [["secret"], "a secret, a secre", "a ******, a secre"],
    [["abc", "cde"], "abcde", "*****"],
    [["abcd", "bc"], "abcbcd", "a**" + "**d"],
    [["x"], "xxyx", "**y*"],
    [["ab"], "", ""],
  ]) {
    assert.equal(expected(words, whole), masked);
    for (let first = 0; first <= whole.length; first += 1) {
      for (let second = first; second <= whole.length; second += 1) {
        const chunks = [whole.slice(0, first), whole.slice(first, second), whole.slice(second)];
        assert.equal(searched(words, chunks).join(""), masked, JSON.stringify(chunks));
      }
    }
  }
});

test("only what a word begins with is held back, and of that nothing that is overwritten", () => {
  assert.deepEqual(searched(["secret"], ["data: s\n\n", "data: se", "nse\n\n", "sec", "ret"]), ["data: s\n\n", "data: ", "sense\n\n", "", "******", ""]);
  assert.deepEqual(searched(["aba"], ["aba", "ba"]), ["***", "**", ""]);
  assert.deepEqual(searched(["abab", "b!"], ["xabab", "!"]), ["x****", "*", ""]);
});

test("random words are found as a search of the whole finds them", () => {
  const random = generator(7);
  const below = (most) => Math.floor(random() * most);
  const letters = (most) => Array.from({ length: 1 + below(most) }, () => "ab"[below(2)]).join("");
  for (let round = 0; round < 20_000; round += 1) {
    const words = Array.from({ length: 1 + below(3) }, () => letters(5));
    const chunks = Array.from({ length: below(6) }, () => letters(6));
    assert.equal(searched(words, chunks).join(""), expected(words, chunks.join("")), JSON.stringify({ words, chunks }));
  }
});

test("a secret is looked for as URLs and JSON spell it", () => {
  const all = (secret) => spellings(secret).map((word) => new TextDecoder().decode(word));
  assert.deepEqual(all("sk-abc_123.x"), ["sk-abc_123.x"]);
  for (const spelled of ["a/b +\"c\\&~", "a%2Fb%20%2B%22c%5C%26~", "a%2fb%20%2b%22c%5c%26~", "a%2Fb+%2B%22c%5C%26~", 'a/b +\\"c\\\\&~', 'a\\/b +\\"c\\\\&~', 'a/b +\\"c\\\\\\u0026~']) {
    assert.ok(all('a/b +"c\\&~').includes(spelled), spelled);
  }
  for (const [secret, ...spelled] of [
    // A path that keeps its slashes, as `urllib.parse.quote` and Ruby write it; in either case.
    ["a/b+c~", "a/b%2Bc~", "a/b%2bc~", "a/b%2Bc%7E"],
    // A form, as `URLSearchParams` and `URLEncoder` write it.
    ["a*b!c'(d) ~", new URLSearchParams({ "": "a*b!c'(d) ~" }).toString().slice(1), "a*b%21c%27%28d%29%20~"],
    // .NET, PHP with JSON_HEX_TAG and the like, Jinja, and writers of lower case.
    ["+&<>'\"`\\", "\\u002B\\u0026\\u003C\\u003E\\u0027\\u0022\\u0060\\\\", "\\u002b\\u0026\\u003c\\u003e\\u0027\\u0022\\u0060\\\\"],
    ["+<'\"`/", "+\\u003C\\u0027\\u0022`\\/", "+\\u003c\\u0027\\\"`/", "+\\u003C'\\\"`/"],
  ]) {
    for (const one of spelled) assert.ok(all(secret).includes(one), one);
  }
  const odd = all("!'()*~ /+&<>\"`\\");
  assert.equal(odd.length, new Set(odd).size);
  assert.ok(odd.length < 80, `${odd.length} words`);
});
