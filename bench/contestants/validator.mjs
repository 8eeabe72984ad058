// A validator as a careful team would write it by hand in JavaScript: WebCrypto, records in KV and
// cached in memory, every check that Keyward makes on this route but limits, and its header work.
const ROUTE = { prefix: "/v1/", scopes: ["orders:read"], project: "acme" };
const SHAPE = /^kw_(pk|sk)_([a-z0-9]{1,12})_1[0-9A-Za-z]{32}$/;
const KIND = { pk: "public", sk: "private" };
const AMBIGUOUS = /%2f|%5c|%25|;|\\|\/\/|\/\.{1,2}(\/|$)/i;
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
/** What the runtime would pass on of them; `Connection` and the like it never does. */
const OF_PROXIES = HOP_BY_HOP.filter((name) => name.startsWith("proxy-"));
const SHARED_CACHE = ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "x-accel-expires", "edge-control"];
const FRESH_MS = 60_000;
const MOST_RECORDS = 10_000;

const records = new Map();

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const { headers } = request;
    const origin = headers.get("origin");
    if (!url.pathname.startsWith(ROUTE.prefix)) return refused(404, "route_unknown", origin);
    if (AMBIGUOUS.test(url.pathname)) return refused(400, "path_ambiguous", origin);
    if (request.method === "OPTIONS" && origin && headers.has("access-control-request-method")) return preflight(request, origin);

    const key = keyOf(headers);
    if (key === undefined) return refused(401, "key_missing", origin);
    const shape = SHAPE.exec(key);
    if (!shape) return refused(401, "key_invalid", origin);
    const record = await recordOf(await digest(key), env);
    if (!record) return refused(401, "key_invalid", origin);
    if (record.kind !== KIND[shape[1]] || record.environment !== shape[2] || record.project !== ROUTE.project) return refused(401, "key_invalid", origin);
    if (record.status !== "active") return refused(401, "key_revoked", origin);
    const now = Date.now();
    if (now < record.not_before || now >= record.expires_at) return refused(401, "key_expired", origin);
    if (record.kind === "public" && !isAllowedPage(record.referrers, origin, headers.get("referer"))) return refused(403, "referrer_denied", origin);
    if (!record.paths.some((rule) => covers(rule, request.method, url.pathname))) return refused(403, "path_denied", origin);
    if (!ROUTE.scopes.every((scope) => record.scopes.has(scope))) return refused(403, "scope_missing", origin);

    const response = await fetch(env.ORIGIN + url.pathname + url.search, {
      method: request.method,
      headers: forwarded(headers, key, record, env),
      body: request.body,
      redirect: "manual",
    });
    return cleaned(response, url, record.kind === "public" ? origin : null, env);
  },
};

function keyOf(headers) {
  const named = headers.get("x-api-key");
  const bearer = /^bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  return named && bearer && named !== bearer ? undefined : (named ?? bearer);
}

async function digest(key) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

async function recordOf(name, env) {
  const known = records.get(name);
  if (known && Date.now() - known.read < FRESH_MS) return known.record;
  const written = await env.KEYS.get(`validator/${name}`, "json");
  const record = written && compiled(written);
  if (records.size >= MOST_RECORDS) records.delete(records.keys().next().value);
  records.set(name, { record, read: Date.now() });
  return record;
}

/** The rules of a record are taken apart once. */
function compiled(record) {
  const referrers = (record.referrers ?? []).map((rule) => {
    const [, scheme, host, port] = /^(?:(\w+):\/\/)?([^:/]+)(?::(\d+))?/.exec(rule);
    return { scheme, port, host: host.replace(/^\*/, ""), suffix: host.startsWith("*.") };
  });
  const paths = record.paths.map((rule) => {
    const [methods, pattern] = rule.split(" ");
    const segments = pattern.split("/").map((part) => ({ "*": "[^/]+", "**": "[^/].*" })[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return { methods: methods === "*" ? undefined : methods.split(","), pattern: new RegExp(`^${segments.join("/")}$`) };
  });
  const { not_before = 0, expires_at = Infinity } = record;
  return { ...record, not_before, expires_at, referrers, paths, scopes: new Set(record.scopes), scopesText: record.scopes.join(" ") };
}

function isAllowedPage(rules, origin, referer) {
  if (origin === "null") return false;
  const page = parsed(origin) ?? parsed(referer);
  if (!page) return false;
  if (origin && referer && parsed(referer)?.origin !== page.origin) return false;
  return rules.some(
    ({ scheme, host, port, suffix }) =>
      (suffix ? page.hostname.endsWith(host) : page.hostname === host) &&
      (scheme === undefined || page.protocol === `${scheme}:`) &&
      (port === undefined || page.port === port),
  );
}

function parsed(text) {
  try {
    return text ? new URL(text) : undefined;
  } catch {
    return undefined;
  }
}

function covers({ methods, pattern }, method, path) {
  const asked = method === "HEAD" && !methods?.includes("HEAD") ? "GET" : method;
  return (methods === undefined || methods.includes(asked)) && pattern.test(path);
}

function forwarded(from, key, record, env) {
  const headers = new Headers(from);
  const named = (from.get("connection") ?? "").toLowerCase().split(",");
  for (const [name, value] of from) {
    const plain = name.replaceAll("_", "-");
    if (
      plain.startsWith("keyward-") ||
      plain === "x-api-key" ||
      plain === "authorization" ||
      HOP_BY_HOP.includes(name) ||
      named.includes(name) ||
      (name === "cookie" && record.kind === "public") ||
      value.includes(key)
    ) {
      headers.delete(name);
    }
  }
  const loop = from.get("cdn-loop");
  headers.set("cdn-loop", loop ? `${loop}, keyward-0a1b2c3d` : "keyward-0a1b2c3d");
  headers.set("keyward-key-id", record.key_id);
  headers.set("keyward-project", record.project);
  headers.set("keyward-environment", record.environment);
  headers.set("keyward-kind", record.kind);
  if (record.owner) headers.set("keyward-owner", record.owner);
  if (record.scopesText) headers.set("keyward-scopes", record.scopesText);
  headers.set("authorization", `Bearer ${env.ORIGIN_TOKEN}`);
  return headers;
}

/** The answer without what must not reach the client; untouched where nothing has to change. */
function cleaned(response, url, page, env) {
  const remove = [];
  const set = [];
  let [cacheControl, vary] = ["", ""];
  for (const [name, value] of response.headers) {
    if (
      name.startsWith("access-control-") ||
      name.startsWith("keyward-") ||
      (name === "set-cookie" && page) ||
      SHARED_CACHE.includes(name) ||
      OF_PROXIES.includes(name) ||
      value.includes(env.ORIGIN_TOKEN)
    ) {
      remove.push(name);
    } else if (name === "cache-control") cacheControl = value;
    else if (name === "vary") vary = value;
    else if (name === "location" && value.startsWith(env.ORIGIN)) set.push([name, url.origin + value.slice(env.ORIGIN.length)]);
  }
  if (!/\b(private|no-store)\b/i.test(cacheControl)) set.push(["cache-control", "private"]);
  if (page) {
    set.push(["access-control-allow-origin", page]);
    if (!/\borigin\b|\*/i.test(vary)) set.push(["vary", vary ? `${vary}, Origin` : "Origin"]);
  }
  if (remove.length === 0 && set.length === 0) return response;
  const rebuilt = new Response(response.body, response);
  for (const name of remove) rebuilt.headers.delete(name);
  for (const [name, value] of set) rebuilt.headers.set(name, value);
  return rebuilt;
}

function preflight(request, origin) {
  const headers = {
    vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    "cache-control": "no-store",
    "access-control-allow-origin": origin,
    "access-control-allow-methods": request.headers.get("access-control-request-method"),
    "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "",
    "access-control-max-age": "7200",
  };
  return new Response(null, { status: 204, headers });
}

function refused(status, code, origin) {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store", vary: "Origin" };
  if (origin && origin !== "null") headers["access-control-allow-origin"] = origin;
  if (status === 401) headers["www-authenticate"] = 'Bearer realm="keyward", error="invalid_token"';
  return new Response(JSON.stringify({ type: `/errors/${code}`, status, code, request_id: crypto.randomUUID() }), { status, headers });
}
