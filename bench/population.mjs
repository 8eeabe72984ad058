// Keys by number, made without a registry: secrets that verify, and the values that stand in KV for
// them. And strings that look like secrets, and are none.
import { createHash } from "node:crypto";
import { minted, nameFor, recordOf, sealed } from "../tests/harness/record.mjs";

const PAGE = "https://app.example";
const RATE = { name: "60s", limit: 100_000, window_s: 60, per: "key" };
const MONTH = { name: "month", limit: 10_000_000, period: "month" };
const BY_ADDRESS = { name: "ip-60s", limit: 1000, window_s: 60, per: "ip" };

/** The sorts of keys; the key of a number is of the sort of its last digit. */
const OPEN = { kind: "public", restrictions: { any_referrer: true }, revocation: "eventual" };
const SITE = {
  kind: "public",
  restrictions: { referrers: [`${PAGE}/*`, "https://*.example.org/*", "https://example.net/app/*"], scopes: ["orders:read"] },
  revocation: "eventual",
};
const PLAIN = { kind: "private", restrictions: { scopes: ["orders:read", "orders:write"] }, revocation: "strict" };
const LIMITED = { ...PLAIN, limits: { rate: [RATE], quota: [MONTH] } };
const SORTS = [OPEN, OPEN, SITE, { ...SITE, limits: { rate: [RATE] } }, PLAIN, PLAIN, PLAIN, LIMITED, LIMITED, { ...PLAIN, limits: { rate: [BY_ADDRESS] } }];

const random = (what, number) => createHash("sha256").update(`${what} ${number}`).digest("hex").slice(0, 24);

/** The key of a number: { secret, headers, name, value }; the last two are its record in KV. */
export function keyOf(number) {
  const fields = SORTS[number % SORTS.length];
  const secret = minted(fields.kind, random("key", number));
  const metered = fields.limits?.rate?.[0].per === "key";
  const id = `key_${metered ? "L" : "K"}${String(number).padStart(19, "0")}`;
  const name = nameFor(secret);
  const record = recordOf({ key_id: id, secret_id: `sec_${String(number).padStart(12, "0")}`, owner: `owner-${number % 5000}`, ...fields });
  const page = fields.kind === "public" ? { origin: PAGE } : {};
  return { secret, headers: { "x-api-key": secret, ...page }, name, value: sealed(name, record) };
}

/** A secret whose tag does not verify. */
export function forgedOf(number) {
  const secret = minted(number % 2 ? "public" : "private", random("forged", number));
  return secret.slice(0, -1) + (secret.endsWith("A") ? "B" : "A");
}

/** A secret whose tag verifies, and of which KV knows nothing. */
export const unknownOf = (number) => minted(number % 2 ? "public" : "private", random("unknown", number));

/** A client's address: IPv4, and every second one in an IPv6 /64 of its own. */
export const addressOf = (number) =>
  number % 2 ? `2001:db8:${((number >> 16) & 0xffff).toString(16)}:${(number & 0xffff).toString(16)}::1` : `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

/** Pseudo-random numbers below 1, the same in every run. */
export function dice(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
