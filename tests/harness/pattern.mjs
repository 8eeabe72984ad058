// Large bodies that are known by their length: the sender streams one, the receiver compares hashes.
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

const BLOCK = createHash("shake256", { outputLength: 65_536 }).update("pattern").digest();

function* blocks(length) {
  for (let left = length; left > 0; left -= BLOCK.length) yield BLOCK.subarray(0, Math.min(left, BLOCK.length));
}

/** A stream of `length` bytes. */
export const patternStream = (length) => Readable.from(blocks(length), { objectMode: false });

/** The SHA-256 of those bytes in hex. */
export function patternHash(length) {
  const hash = createHash("sha256");
  for (const block of blocks(length)) hash.update(block);
  return hash.digest("hex");
}
