// The largest of what an isolate keeps: keys with as many limits as a key can have and the longest
// names, each of an owner of its own with as many; and keys that are derived from them.
import { createHash } from "node:crypto";
import { derive } from "../clients/derive.mjs";
import { minted, nameFor, recordOf, sealed } from "../tests/harness/record.mjs";
import { derivationKey, seal } from "../tests/harness/seal.mjs";

const MOST = 999_999_999_999;
const named = (name, number) => `${name}-${number}-`.padEnd(32, "x");
const LIMITS = {
  rate: Array.from({ length: 8 }, (_, number) => ({ name: named("rate", number), limit: MOST, window_s: 86_400, per: "key" })),
  quota: Array.from({ length: 4 }, (_, number) => ({ name: named("quota", number), limit: MOST, period: "month", reset_day: 31 })),
  credits: { balance: MOST, refill: { amount: MOST, period: "month", reset_day: 31 } },
  on_meter_error: "allow",
};
/** Characters that take two bytes each in UTF-8, in a text of JavaScript, and six in a header. */
const OWNER = "ж";
const SCOPES = 4;
/** Some keys have as many referrer rules as a key can have: these are public. */
const REFERRERS = 500;
const WITH_REFERRERS = 150;
const DAY_MS = 24 * 60 * 60 * 1000;

const random = (what, number) => createHash("sha256").update(`${what} ${number}`).digest("hex").slice(0, 24);

/** The key of a number: { secret, headers, name, value }, as those of population.mjs. */
export function largestOf(number) {
  const kind = number % WITH_REFERRERS === 1 ? "public" : "private";
  const secret = minted(kind, random("largest", number));
  const key = `key_M${String(number).padStart(19, "0")}`;
  const name = nameFor(secret);
  const record = recordOf({
    key_id: key,
    secret_id: `sec_${String(number).padStart(12, "0")}`,
    kind,
    owner: String(number).padStart(200, OWNER),
    restrictions: kind === "public" ? { referrers: Array.from({ length: REFERRERS }, (_, index) => `p${index}.example`) } : { scopes: Array.from({ length: SCOPES }, (_, index) => `resource-${index}:read`) },
    limits: LIMITS,
    owner_limits: { version: 1, on_meter_error: "allow" },
    revocation: "strict",
    ...(kind === "private" && { derivation: seal({ project: "acme", key, digest: createHash("sha256").update(secret).digest("hex") }, derivationKey(secret)) }),
  });
  const page = kind === "public" ? { origin: "https://p0.example" } : {};
  return { secret, headers: { "x-api-key": secret, ...page }, name, value: sealed(name, record) };
}

/** A key that is derived from that of a number, as long as one can be, with a limit and a user of its own. */
export const derivedOf = (number, { secret }) => derive(secret, { ...TERMS, user: `user-${number}`, expiresIn: DAY_MS });

/** Of all rules short paths take the most memory for a character of the key. */
const TERMS = { paths: Array(25).fill("GET /a/x"), limit: { calls: 100, window_s: 60 } };
