// Edits registered once for a key and a route, by the id that the instance of the module gave them.
// Bounded in number and in size. When there are too many all of them go, and each call registers its
// own again.
const MOST = 20_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;

const plans = new Map();
let characters = 0;

export const planOf = (id) => plans.get(id);

// Takes a plan as the module has written it.
export function register(text) {
  const plan = JSON.parse(text);
  // What has an older value of a credential is not used again.
  const replaced = plans.get(plan.replaces);
  if (replaced) {
    plans.delete(plan.replaces);
    characters -= replaced.characters;
  }
  plan.characters = text.length;
  if (plans.size >= MOST || characters + text.length > MOST_CHARACTERS) forget();
  plans.set(plan.id, plan);
  characters += text.length;
  return plan;
}

// Another instance of the module gives other ids.
export function forget() {
  plans.clear();
  characters = 0;
}

export const registered = () => ({ plans: plans.size, characters });
