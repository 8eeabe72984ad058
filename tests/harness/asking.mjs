// What the tests about asking have in common: who may ask, and how it asks.

/** May ask about keys of the project acme. */
export const ACME = "of-acme-0123456789abcdef0123456789";
/** May ask about keys of another project. */
export const OTHER = "of-other-0123456789abcdef012345678";
/** May ask about every key. */
export const ALL = "of-all-0123456789abcdef01234567890";
/** The Worker secret of such a deployment. */
export const VERIFY_KEYS = { KEYWARD_VERIFY_KEY: `acme:${ACME},other:${OTHER},*:${ALL}` };

export const VERIFY = "/_keyward/v1/verify";
export const FORWARD_AUTH = "/_keyward/v1/forward-auth";

/** The operations of the OpenAPI document that the gateway serves itself, as in operations.mjs. */
export const ASKING = [
  { id: "verify", method: "POST", path: "/verify" },
  { id: "session", method: "POST", path: "/session" },
  { id: "forwardAuth", method: "GET", path: "/forward-auth" },
];

/** Asks about a key, by its name in the stage. The answer, `json()` of which says what was decided. */
export function verify(stage, key, { asker = ACME, ...fields } = {}) {
  const body = JSON.stringify({ key: stage.keys[key] ?? key, ...fields });
  return stage.call(VERIFY, { method: "POST", headers: { "keyward-verify-key": asker, "content-type": "application/json" }, body });
}

/** The headers that a proxy adds to a client's, which are `headers`; null leaves one out. */
export function forwarded(target, { method = "GET", host = "api.example", proto = "https", client = "203.0.113.9", asker = ACME, headers = [] } = {}) {
  const own = { "keyward-verify-key": asker, "x-forwarded-method": method, "x-forwarded-uri": target, "x-forwarded-host": host, "x-forwarded-proto": proto, "x-forwarded-for": client };
  return [...Object.entries(own).filter(([, value]) => value !== undefined && value !== null), ...headers];
}
