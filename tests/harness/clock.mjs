// A clock that a test moves, for the gateway and its registries in real workerd:
//
//   const { clock } = await startKeyward(t, { clock: true });   // or startStage(...).gateway
//   await clock.advance(3_600_000);            // an hour later, in all isolates and registries
//   await clock.advanceTo(Date.parse("2027-01-01T00:00:00Z"));
//   await clock.stop();                        // from here only the test moves the time: what is
//                                              // tested at a boundary is exact to the millisecond
//   clock.now();                               // the time that the gateway sees
//   await clock.skew(2, -3_000);               // the third isolate's clock is three seconds behind;
//                                              // the first's is that of the registries and meters
//
// When `advance` returns, the alarms that it made due have rung (those that never come to an end
// are waited for 5 s). Alarms see the time after the step, so step twice to see two of them apart.
// A restart keeps the time, without the skews. Timers (`setTimeout`) run in real time, and so does the KV.
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ENTRY = "src/entry.mjs";
const FRONT = fileURLToPath(new URL("clock-worker.mjs", import.meta.url));

/** The modules of the gateway, with the clock in front of their entry. */
export function clocked(modules) {
  const [entry, ...others] = modules;
  return [{ name: ENTRY, path: FRONT }, { ...entry, name: "src/built-entry.mjs" }, ...others];
}

/** The time of one gateway of `startKeyward`. */
export class Clock {
  /** As clock-worker.mjs has it. */
  time = { offset: 0 };
  #keyward;
  #kept;
  /** How far ahead isolates are, by their numbers. */
  #skews = [];

  /** `kept(time)` is called with every change, so that a restart finds it. */
  constructor(kept) {
    this.#kept = kept;
  }

  /** The gateway whose time it is. */
  attach(keyward) {
    this.#keyward = keyward;
  }

  /** The time that the gateway sees, in milliseconds. */
  now() {
    return this.time.stopped ?? Date.now() + this.time.offset;
  }

  /** Moves the time on; back, with a negative number. */
  advance(ms) {
    const { stopped, offset } = this.time;
    return this.#set(stopped === undefined ? { offset: offset + ms } : { stopped: stopped + ms });
  }

  /** Moves the time to a point in time, in milliseconds. */
  advanceTo(time) {
    return this.advance(time - this.now());
  }

  /** Lets the time stand still. */
  stop() {
    return this.#set({ stopped: this.now() });
  }

  /** Sets an isolate's clock ahead of the test's by so much; behind it, with a negative number. */
  skew(isolate, ms) {
    this.#skews[isolate] = ms;
    return this.#set(this.time);
  }

  async #set(time) {
    this.time = time;
    await this.#kept(time);
    const urls = this.#keyward.urls;
    const objects = await this.#objects();
    const moved = (isolate, objects) => move(urls[isolate], { to: skewed(time, this.#skews[isolate] ?? 0), objects });
    await Promise.all(urls.slice(1).map((_, index) => moved(index + 1, [])));
    await moved(0, objects);
  }

  /** All objects there are, as [class, id]: their databases are named by the id. */
  async #objects() {
    const files = await readdir(this.#keyward.objects, { recursive: true });
    return files.map((file) => /^(\w+)\/([0-9a-f]{64})\.sqlite$/.exec(file)?.slice(1)).filter(Boolean);
  }
}

const skewed = ({ stopped, offset }, ms) => (stopped === undefined ? { offset: offset + ms } : { stopped: stopped + ms });

async function move(url, body) {
  const response = await fetch(url, { method: "POST", headers: { "x-move-clock": "" }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`the clock was not moved: ${response.status}`);
}
