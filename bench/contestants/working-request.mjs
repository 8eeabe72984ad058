// What the working floors do with a request: the edits that Keyward makes on this route, with
// values that are known beforehand. Nothing is read, nothing is checked.
export function forward(request, env, kind) {
  const { method, url, body } = request;
  const headers = new Headers(request.headers);
  headers.delete("x-api-key");
  headers.set("cdn-loop", "keyward-0a1b2c3d");
  headers.set("keyward-key-id", "key_0123456789abcdefghij");
  headers.set("keyward-project", "acme");
  headers.set("keyward-environment", "live");
  headers.set("keyward-kind", kind);
  headers.set("keyward-owner", "customer-17");
  headers.set("keyward-scopes", "orders:read orders:write");
  headers.set("authorization", `Bearer ${env.ORIGIN_TOKEN}`);
  return fetch(env.ORIGIN + url.slice(url.indexOf("/", 8)), { method, headers, body, redirect: "manual" });
}
