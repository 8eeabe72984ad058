// Edits registered once for a key and a route, by the id that the instance of the module gave them.
// Bounded in number and in size. When there are too many all of them go, and each call registers its
// own again.
import { prepared, spellings } from "./guard.mjs";

const MOST = 20_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;

const plans = new Map();
let characters = 0;

// What an answer's body is searched for, by the secret: to write out a secret's spellings takes longer
// than most searches, and they take so much room that the plans of many keys share them. None is kept
// without a plan that has its secret.
const words = new Map();
const MOST_WORDS = 100;

export const planOf = (id) => plans.get(id);

// Takes a plan as the module has written it.
export function register(text) {
  const plan = JSON.parse(text);
  // What has an older value of a credential is not used again.
  const replaced = plans.get(plan.replaces);
  if (replaced) {
    plans.delete(plan.replaces);
    words.delete(replaced.secret);
    characters -= replaced.characters;
  }
  plan.characters = text.length;
  if (plans.size >= MOST || characters + text.length > MOST_CHARACTERS) forget();
  plans.set(plan.id, plan);
  characters += text.length;
  return plan;
}

// The words of a plan's secret. The answer to a call may come when its plan has been replaced.
export function wordsOf(plan) {
  const known = words.get(plan.secret);
  if (known !== undefined) return known;
  const made = prepared(spellings(plan.secret));
  if (plans.get(plan.id) !== plan) return made;
  if (words.size >= MOST_WORDS) words.clear();
  words.set(plan.secret, made);
  return made;
}

// Another instance of the module gives other ids.
export function forget() {
  plans.clear();
  words.clear();
  characters = 0;
}

export const registered = () => ({ plans: plans.size, characters });
