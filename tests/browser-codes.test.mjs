// Every code that the gateway can give, as a page in Chromium meets it: status, document and headers can
// be read by its script. A code that is added needs a case here, or a reason why no page can read it.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { derive } from "../clients/derive.mjs";
import { refusals } from "./docs/markdown.mjs";
import { withoutChromium } from "./harness/chromium.mjs";
import { startKeyward } from "./harness/keyward.mjs";
import { assertRefused, call, startScene } from "./harness/scene.mjs";

const JSON_TYPE = { "content-type": "application/json" };
const PAST = "2020-01-01T00:00:00Z";
const FUTURE = "2099-01-01T00:00:00Z";

const more = () => `
[[route]]
path = "/tests/**"
origin = "\${ORIGIN}"
environments = ["test"]

[[route]]
path = "/sessions/**"
origin = "\${ORIGIN}"
accepts = ["session"]

[[route]]
path = "/guarded/**"
strip_prefix = "/guarded"
origin = "\${ORIGIN}"
credential = { secret = "CREDENTIAL", header = "authorization" }
guard_body = true

[gateway.turnstile]
secret = "CREDENTIAL"
url = "http://127.0.0.1:1/siteverify"
`;

/** Codes that no page of another website reads, and why. */
const UNREAD = {
  "the management API says nothing to other websites": [
    "cross_origin_denied", "media_type_unsupported", "query_invalid", "header_invalid",
    "key_spec_invalid", "project_unknown", "project_exists", "project_spec_invalid", "project_state_conflict", "key_unknown",
    "key_state_conflict", "key_protected", "secret_unknown", "secret_exists", "rotation_in_progress", "environment_unknown",
    "environment_exists", "webhook_unknown", "credential_unknown", "management_key_unknown", "account_key_required", "wider_than_caller", "bootstrap_denied",
    "precondition_required", "version_conflict", "idempotency_mismatch", "request_invalid", "registry_unavailable",
  ],
  "only who has proven to be a proxy of the deployment's owner is told": ["forwarded_invalid"],
  "GitHub reports keys, no page does": ["signature_invalid", "signing_keys_unavailable"],
};

const EXPOSED = ["ratelimit", "ratelimit-policy", "retry-after", "www-authenticate"];
const CHALLENGED = ["key_ambiguous", "scope_missing"];
const LIMITS = { rate_limited: EXPOSED.slice(0, 3), quota_exceeded: EXPOSED.slice(0, 3), credits_exhausted: EXPOSED.slice(0, 2), meter_unavailable: ["ratelimit-policy", "retry-after"] };

/** What the origin has seen of a call that is refused after all. */
const SEEN = { origin_timeout: ["GET /hang"], answer_unguarded: ["GET /headers?content-encoding=zstd"] };

/** What of these headers the answer of a code has. */
function headersOf({ code, status }) {
  if (code in LIMITS) return LIMITS[code];
  if (status === 401 || CHALLENGED.includes(code)) return ["www-authenticate"];
  return status === 503 ? ["retry-after"] : [];
}

/** Puts what can break the module in front of it. */
function breakable(modules) {
  const front = { name: "build/index.js", path: fileURLToPath(new URL("harness/breakable.mjs", import.meta.url)) };
  return modules.flatMap((module) => (module.name === front.name ? [{ ...module, name: "build/built-index.js" }, front] : [module]));
}

test("a page reads every code", { skip: withoutChromium, timeout: 120_000 }, async (t) => {
  const without = (isolate) => (isolate === 1 ? ["METERS"] : []);
  const scene = await startScene(t, {}, { more, isolates: 2, without, change: breakable });
  const { gateway, home, origin } = scene;
  const broken = await startKeyward(t, { gateway: '[[route]]\norigin = "${NEVER_SET}"\n' });
  const own = { referrers: [home] };
  const created = await scene.createKeys({
    parent: { kind: "private", scopes: ["orders:*"] },
    revoked: own,
    disabled: own,
    unread: own,
    elsewhere: { referrers: ["https://other.example"] },
    expired: { ...own, expires_at: PAST },
    later: { ...own, not_before: FUTURE },
    office: { ...own, ips: ["192.0.2.0/24"] },
    app: { apps: { ios: ["com.example.app"] } },
    reader: { ...own, paths: ["GET /api/public/**"] },
    rate: { ...own, limits: { rate: [{ limit: 1, window_s: 600 }] } },
    quota: { ...own, limits: { quota: { limit: 1, period: "month" } } },
    credits: { ...own, limits: { credits: 1 } },
  });
  await scene.changeKey(created.revoked, "revoke");
  await scene.changeKey(created.disabled, "disable");
  const page = await scene.open(t);
  const to = (path, headers = scene.bearer(), init = {}) => call(page, gateway.url + path, { headers, ...init });
  const api = (name, init) => to("/api/echo", scene.bearer(name), init);
  const second = async (name) => {
    assert.equal((await api(name)).status, 200);
    origin.forget();
    return api(name);
  };
  assert.equal((await api()).status, 200);
  const [token] = origin.last.values("cdn-loop");
  const derived = await derive(scene.keys.parent, { scopes: ["cart:write"], anyReferrer: true });

  const exchange = (body) => to("/_keyward/v1/session", { ...scene.bearer(), ...JSON_TYPE }, { method: "POST", body });

  const cases = {
    config_invalid: () => call(page, `${broken.url}/x`, { headers: scene.bearer() }),
    method_not_allowed: () => to("/_keyward/healthz", JSON_TYPE, { method: "POST", body: "{}" }),
    head_too_large: () => to("/api/echo", { ...scene.bearer(), "x-big": "x".repeat(140_000) }),
    route_unknown: () => to("/nowhere"),
    path_ambiguous: () => to("/api//echo"),
    loop_detected: () => to("/api/echo", { ...scene.bearer(), "cdn-loop": token }),
    key_missing: () => to("/api/echo", JSON_TYPE),
    key_ambiguous: () => to("/api/echo", { ...scene.bearer(), "x-api-key": scene.keys.reader }),
    key_invalid: () => to("/api/echo", { authorization: `Bearer ${scene.keys.public.slice(0, -1)}` }),
    store_unavailable: async () => {
      const repaired = gateway.kv.break("get", { status: 500 });
      return api("unread").finally(repaired);
    },
    key_revoked: () => api("revoked"),
    key_expired: () => api("expired"),
    key_disabled: () => api("disabled"),
    key_not_yet_valid: () => api("later"),
    environment_denied: () => to("/tests/x"),
    kind_not_accepted: () => to("/servers/x"),
    private_key_in_browser: () => api("private"),
    referrer_denied: () => api("elsewhere"),
    ip_denied: () => api("office"),
    app_denied: () => api("app"),
    path_denied: () => api("reader", { method: "DELETE" }),
    scope_missing: () => to("/scoped/x"),
    wider_than_parent: () => to("/api/echo", { authorization: `Bearer ${derived}` }),
    rate_limited: () => second("rate"),
    quota_exceeded: () => second("quota"),
    credits_exhausted: () => second("credits"),
    // Of this key the second isolate has heard nothing, and it has no meters to ask.
    meter_unavailable: () => call(page, `${gateway.urls[1]}/api/echo`, { headers: scene.bearer("rate") }),
    credential_unavailable: () => to("/locked/x"),
    origin_unreachable: () => to("/down/x"),
    origin_timeout: () => to("/late/hang"),
    internal_error: () => to("/api/echo", { ...scene.bearer(), "x-break": "handle" }),
    answer_unguarded: () => to("/guarded/headers?content-encoding=zstd"),
    session_required: () => to("/sessions/x"),
    challenge_failed: () => exchange('{"turnstile":"a token"}'),
    body_invalid: () => exchange("[]"),
    body_too_large: () => exchange(JSON.stringify("x".repeat(20_000))),
    verify_key_invalid: () => call(page, `${gateway.url}/_keyward/v1/verify`, {}),
    endpoint_unknown: () => to("/_keyward/nowhere"),
  };

  await t.test("each code has a case, or a reason why no page can read it", () => {
    const known = [...Object.keys(cases), ...Object.values(UNREAD).flat()];
    assert.deepEqual(known.sort(), refusals().map(({ code }) => code).sort());
  });

  for (const refusal of refusals().filter(({ code }) => code in cases)) {
    await t.test(refusal.code, async () => {
      origin.forget();
      const answer = await cases[refusal.code]();
      assertRefused(answer, refusal.status, refusal.code);
      assert.deepEqual(EXPOSED.filter((name) => name in answer.headers), headersOf(refusal));
      scene.assertOriginSaw(...(SEEN[refusal.code] ?? []));
    });
  }

  await t.test("what the management API answers, no page of another website reads", async () => {
    for (const [method, path] of [["GET", "projects"], ["POST", "projects"], ["POST", "keys:selfRevoke"], ["GET", "nowhere"]]) {
      assert.deepEqual(await to(`/_keyward/v1/${path}`, {}, { method }), { error: "TypeError" }, path);
      assert.deepEqual(await to(`/_keyward/v1/${path}`, scene.bearer(), { method }), { error: "TypeError" }, path);
    }
  });

  scene.assertLogIsClean();
});
