// A KV service with a copy of every value in each place that reads it, as the real one has: what a
// place has read once it sees for a time, whatever has been written since. A place is an isolate.
import { Kv, startKv } from "./kv.mjs";

/** Starts a KV service whose copies live so long; `t` closes it. */
export const startStaleKv = (t, copiesMs) => startKv(t, new StaleKv(copiesMs));

class StaleKv extends Kv {
  /** How long a copy is seen, in milliseconds, from when it was made. */
  copiesMs;
  /** How many reads got what was no longer true. */
  lies = 0;
  #copies = new Map();

  constructor(copiesMs) {
    super();
    this.copiesMs = copiesMs;
  }

  /** What a place sees is read from its copy; the first read, or the first after its end, makes a new one. */
  seenBy(isolate, name) {
    const place = `${isolate} ${name}`;
    const entry = this.store.get(name);
    let copy = this.#copies.get(place);
    if (!copy || copy.until <= Date.now()) {
      copy = { entry, until: Date.now() + this.copiesMs };
      this.#copies.set(place, copy);
    }
    if (copy.entry !== entry) this.lies += 1;
    return { get: () => copy.entry, names: () => this.store.names() };
  }
}
