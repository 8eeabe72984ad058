// What every refusal of the gateway must look like, whoever receives it.
import assert from "node:assert/strict";

/** The status of each code that the gateway itself gives. */
export const STATUS = {
  config_invalid: 500,
  method_not_allowed: 405,
  head_too_large: 431,
  route_unknown: 404,
  path_ambiguous: 400,
  loop_detected: 508,
  verify_key_invalid: 401,
  forwarded_invalid: 400,
  key_missing: 401,
  key_ambiguous: 400,
  key_invalid: 401,
  store_unavailable: 503,
  key_revoked: 401,
  key_expired: 401,
  key_disabled: 401,
  key_not_yet_valid: 401,
  environment_denied: 403,
  kind_not_accepted: 403,
  private_key_in_browser: 403,
  referrer_denied: 403,
  session_required: 403,
  challenge_failed: 403,
  ip_denied: 403,
  app_denied: 403,
  path_denied: 403,
  scope_missing: 403,
  wider_than_parent: 403,
  rate_limited: 429,
  quota_exceeded: 429,
  credits_exhausted: 402,
  meter_unavailable: 503,
  credential_unavailable: 500,
  origin_unreachable: 502,
  origin_timeout: 504,
  internal_error: 500,
  endpoint_unknown: 404,
};

/** The `error` of RFC 6750 by code; null: a challenge without one. Others have no challenge, unless it is a 401. */
const CHALLENGE = { key_missing: null, key_ambiguous: "invalid_request", scope_missing: "insufficient_scope" };

const FIELDS = ["code", "detail", "fix", "request_id", "status", "title", "type"];

/**
 * Asserts that an answer of `client.mjs` refuses with this code: status, problem document, and the
 * headers that let programs and pages understand it. `page` is the `Origin` that the request carried
 * and that the answer must name; without it no page may read the answer. `scope` is what a
 * `scope_missing` asks for.
 */
export function assertRefusal(answer, code, { method = "GET", page, scope } = {}) {
  assert.equal(answer.status, STATUS[code], `${code}: ${answer.text}`);
  assert.ok(answer.complete, "the answer has ended early");
  assert.equal(answer.header("content-type"), "application/problem+json");
  assert.equal(answer.header("cache-control"), "no-store");
  assert.equal(answer.header("vary"), "Origin");
  assertSingleHeaders(answer);
  assertChallenge(answer, code, scope);
  assertLimit(answer, code);
  assert.equal(answer.header("allow") !== undefined, STATUS[code] === 405, "Allow belongs to 405 (RFC 9110 section 15.5.6)");
  assert.equal(answer.header("access-control-allow-origin"), page);
  assert.equal(answer.header("access-control-allow-credentials"), undefined);
  const exposed = (answer.header("access-control-expose-headers") ?? "").split(/ *, */);
  if (page) assert.ok(["ratelimit", "ratelimit-policy", "retry-after", "www-authenticate"].every((name) => exposed.includes(name)), String(exposed));
  if (method === "HEAD") assert.equal(answer.bytes.length, 0);
  else assertDocument(answer.json(), code);
}

function assertLimit(answer, code) {
  const [wait, policy, left] = ["retry-after", "ratelimit-policy", "ratelimit"].map((name) => answer.header(name));
  if (code !== "rate_limited") return assert.deepEqual([wait, policy, left], [STATUS[code] === 503 ? "5" : undefined, undefined, undefined]);
  assert.match(wait, /^[1-9]\d*$/);
  assert.match(policy, /^"address";q=[1-9]\d*;w=[1-9]\d*$/);
  assert.equal(left, `"address";r=0;t=${wait}`);
}

function assertDocument(problem, code) {
  assert.deepEqual(Object.keys(problem).sort(), FIELDS);
  assert.deepEqual([problem.code, problem.status, problem.type], [code, STATUS[code], `/_keyward/errors/${code}`]);
  for (const field of ["title", "detail", "fix", "request_id"]) assert.match(problem[field], /\S/, field);
}

function assertChallenge(answer, code, scope) {
  const challenge = answer.header("www-authenticate");
  if (STATUS[code] !== 401 && !(code in CHALLENGE)) return assert.equal(challenge, undefined);
  if (code === "verify_key_invalid") return assert.equal(challenge, 'Keyward-Verify-Key realm="keyward"');
  assert.match(challenge, /^Bearer realm="keyward"/);
  const [, error = null] = challenge.match(/\berror="([^"]*)"/) ?? [];
  assert.equal(error, code in CHALLENGE ? CHALLENGE[code] : "invalid_token");
  assert.equal(challenge.match(/\bscope="([^"]*)"/)?.[1], scope);
}

/** Asserts that no header has two lines, `Set-Cookie` aside. */
export function assertSingleHeaders({ lines }) {
  const names = lines.map(([name]) => name.toLowerCase()).filter((name) => name !== "set-cookie");
  assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
}
