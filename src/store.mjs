// Reads of KV that the module asks for, and the reading away of bodies that nobody wants.
import { Hot } from "../build/index.js";

const KV_TIMEOUT_MS = 2000;
const MOST_DRAINED = 2 * 1024 * 1024;
const DRAIN_MS = 5000;

// How a read ended, in the module's numbers, and the value.
const FOUND = 1;
const MISSING = 2;
export const FAILED = 3;

export async function load(env, name) {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, KV_TIMEOUT_MS, [FAILED, ""]);
  });
  const read = env.KEYS.get(name, "text").then(
    (value) => (value === null ? [MISSING, ""] : [FOUND, value]),
    () => [FAILED, ""],
  );
  try {
    return await Promise.race([read, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

// A background read: takes in what KV answers. What fails is tried again by a later request.
export async function refresh(env, read) {
  for (let next = read; next; ) {
    const [attempt, digest, name] = next.split(" ");
    const [answer, value] = await load(env, name);
    next = Hot.refreshed(digest, Date.now(), Number(attempt), answer, value);
  }
}

// Reads a body away, up to a bound in size and time.
export async function drained(body) {
  const reader = body.getReader();
  const timer = setTimeout(() => reader.cancel().catch(() => {}), DRAIN_MS);
  try {
    for (let size = 0; size <= MOST_DRAINED; ) {
      const { done, value } = await reader.read();
      if (done) return;
      size += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The client left, or the body went to an origin that did not answer: nothing is left to read.
  } finally {
    clearTimeout(timer);
  }
}
