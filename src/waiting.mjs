// Counts what waits for its time, without hearing of its end: the platform may cancel a request at any
// moment, and then nothing of it runs any more. So each place is free again once its time is over.
const LONGEST_MS = 60_000;
const STEP_MS = 100;

export class Waiting {
  #most;
  #count = 0;
  // How many wait until the end of each step.
  #ends = new Map();

  constructor(most) {
    this.#most = most;
  }

  // Takes a place for so many milliseconds; false where as many wait as may. Who has waited and waits on
  // goes on in its place.
  take(ms, { goesOn = false } = {}) {
    const now = Math.floor(Date.now() / STEP_MS);
    for (const [end, count] of this.#ends) {
      // One that is too far ahead is from before the clock moved back.
      if (end >= now && end <= now + LONGEST_MS / STEP_MS) continue;
      this.#ends.delete(end);
      this.#count -= count;
    }
    if (this.#count >= this.#most && !goesOn) return false;
    const end = now + Math.ceil(ms / STEP_MS);
    this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1);
    this.#count += 1;
    return true;
  }
}
