// What the entry keeps of registered edits: bounded in number and in size, and only what was let go of
// has to be registered again.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { forget, planOf, register, registered, wordsOf } from "../src/plans.mjs";

const MOST = 20_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;

const plan = (id, fill = "") => JSON.stringify({ id, set: [["keyward-scopes", fill]] });

beforeEach(forget);

test("a plan is found by its id until all are forgotten", () => {
  assert.deepEqual(register(plan(7, "a:b")), planOf(7));
  assert.deepEqual(planOf(7).set, [["keyward-scopes", "a:b"]]);
  assert.equal(planOf(8), undefined);
  forget();
  assert.deepEqual([planOf(7), registered()], [undefined, { plans: 0, characters: 0 }]);
});

test("one that takes the place of another lets go of it", () => {
  const text = JSON.stringify({ id: 8, replaces: 7, set: [["authorization", "new"]] });
  register(plan(7, "old"));
  register(text);
  assert.deepEqual([planOf(7), registered()], [undefined, { plans: 1, characters: text.length }]);
});

test("there are never more than the bound, and the newest is always there", () => {
  let most = 0;
  for (let id = 0; id < 3 * MOST + 10; id += 1) {
    register(plan(id));
    most = Math.max(most, registered().plans);
    assert.ok(planOf(id));
  }
  assert.deepEqual([most, registered().plans], [MOST, 10]);
});

test("all together are never larger than the bound", () => {
  const fill = "x".repeat(100_000);
  let most = 0;
  for (let id = 0; id < 500; id += 1) {
    register(plan(id, fill));
    most = Math.max(most, registered().characters);
    assert.ok(planOf(id));
  }
  assert.ok(most <= MOST_CHARACTERS && most > MOST_CHARACTERS - 2 * fill.length, String(most));
});

test("the words of a secret are made once for all its plans, and kept only while one of them is", () => {
  const guarding = (id, secret, replaces) => register(JSON.stringify({ id, replaces, secret, guard: true, set: [] }));
  const [one, other, apart] = [guarding("1", "sk-old"), guarding("2", "sk-old"), guarding("3", "sk-own")];
  const [words, own] = [wordsOf(one), wordsOf(apart)];
  assert.deepEqual(words.map(({ bytes }) => new TextDecoder().decode(bytes)), ["sk-old"]);
  assert.equal(wordsOf(other), words);
  const rotated = guarding("4", "sk-new", "1");
  assert.equal(wordsOf(rotated), wordsOf(rotated));
  assert.equal(wordsOf(apart), own);
  // An answer to a call that was under way when its plan was replaced is searched for the old secret.
  assert.deepEqual(wordsOf(one), words);
  assert.notEqual(wordsOf(one), wordsOf(one));
  forget();
  assert.notEqual(wordsOf(apart), wordsOf(apart));
});

test("words of few secrets are kept at a time", () => {
  const plans = Array.from({ length: 101 }, (_, id) => register(JSON.stringify({ id: String(id), secret: `sk-${id}`, guard: true, set: [] })));
  const first = wordsOf(plans[0]);
  for (const plan of plans.slice(1, 100)) wordsOf(plan);
  assert.equal(wordsOf(plans[0]), first);
  wordsOf(plans[100]);
  assert.notEqual(wordsOf(plans[0]), first);
});
