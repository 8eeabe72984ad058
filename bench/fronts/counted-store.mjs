// In place of src/store.mjs, which is beside it: counts the reads of KV.
import * as store from "./built-store.mjs";

export { drained, FAILED } from "./built-store.mjs";

/** How many calls read KV, and how many reads came after a call's answer. */
export const reads = { foreground: 0, background: 0 };

export function load(env, name) {
  reads.foreground += 1;
  return store.load(env, name);
}

export function refresh(env, read) {
  reads.background += 1;
  return store.refresh(env, read);
}
