// The edits that Keyward makes on a request of this route, with values that are known beforehand.
export function edit(headers, env, kind) {
  headers.delete("x-api-key");
  headers.set("cdn-loop", "keyward-0a1b2c3d");
  headers.set("keyward-key-id", "key_0123456789abcdefghij");
  headers.set("keyward-project", "acme");
  headers.set("keyward-environment", "live");
  headers.set("keyward-kind", kind);
  headers.set("keyward-owner", "customer-17");
  headers.set("keyward-scopes", "orders:read orders:write");
  headers.set("authorization", `Bearer ${env.ORIGIN_TOKEN}`);
}

export function send({ method, url, body }, headers, env) {
  return fetch(env.ORIGIN + url.slice(url.indexOf("/", 8)), { method, headers, body, redirect: "manual" });
}
