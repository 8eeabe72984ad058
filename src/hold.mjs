// Holds back the answers to failed authentications. The decision is made already, and nothing but the
// failed call's own client waits.
import { Waiting } from "./waiting.mjs";

const held = new Waiting(100);

// Resolves to the response after the time, or is the response itself where as many wait as may.
export function hold(response, ms) {
  if (ms === 0 || !held.take(ms)) return response;
  return new Promise((resolve) => setTimeout(() => resolve(response), ms));
}
