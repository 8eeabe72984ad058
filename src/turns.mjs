// What found no place to wait for its time. Whoever waits does that too once its own time has come: so
// any number of it takes the memory of a bounded number of calls.
export class Turns {
  #most;
  #count = 0;
  // By the second in which they come.
  #seconds = new Map();

  constructor(most) {
    this.#most = most;
  }

  get isEmpty() {
    return this.#count === 0;
  }

  // Puts something off by so many milliseconds; false where there is too much of it.
  put(turn, ms) {
    if (this.#count >= this.#most) return false;
    const second = Math.ceil((Date.now() + ms) / 1000);
    if (!this.#seconds.has(second)) this.#seconds.set(second, []);
    this.#seconds.get(second).push(turn);
    this.#count += 1;
    return true;
  }

  // Takes out at most so many whose time has come.
  take(most) {
    const now = Date.now() / 1000;
    const taken = [];
    for (const [second, turns] of this.#seconds) {
      if (taken.length >= most) break;
      if (second > now) continue;
      taken.push(...turns.splice(0, most - taken.length));
      if (turns.length === 0) this.#seconds.delete(second);
    }
    this.#count -= taken.length;
    return taken;
  }
}
