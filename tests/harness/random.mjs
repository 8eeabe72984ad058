// Chance that can be repeated: what a seed gives is the same on every run.

/** Numbers from 0 to below 1 (mulberry32). */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One of a list. */
export const pick = (random, list) => list[Math.floor(random() * list.length)];

/** The seed of a run: SEED in the environment, else a new one. Print it. */
export const seed = () => Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
