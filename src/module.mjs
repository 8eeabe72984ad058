// The instance of the gateway's module in this isolate. A panic ends it, and the next call makes a new one
// that knows nothing yet.
import config from "../build/gateway.mjs";
import { Hot } from "../build/index.js";
import { forget } from "./plans.mjs";

const START = "S";

// Asks the module. An instance that does not know the gateway yet is told first.
export function ask(env, question) {
  const answer = question();
  if (answer !== START) return answer;
  forget();
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  Hot.start(env, config, high, low);
  return question();
}
