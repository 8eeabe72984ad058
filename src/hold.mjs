// Holds back the answers to failed authentications. The decision is made already, and nothing but the
// failed call's own client waits.
const MOST_HELD = 100;

let held = 0;

// Resolves to the response after the time, or is the response itself where as many wait as may.
export function hold(response, ms) {
  if (ms === 0 || held >= MOST_HELD) return response;
  held += 1;
  return new Promise((resolve) => {
    setTimeout(() => {
      held -= 1;
      resolve(response);
    }, ms);
  });
}
