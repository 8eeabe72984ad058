// Session keys for a page: `fetch` with a key that lives for minutes and works on this website alone.
//
//   const keyward = session({ gateway: "https://gate.example.com", key: "kw_pk_live_1…" });
//   const answer = await keyward.fetch("/v1/places?near=me");
//
// `turnstile` gives the token of a challenge, where the gateway demands one; it is asked before each
// exchange. A call that is refused because its session key has ended is made once more.

const EARLY_MS = 30_000;

export function session({ gateway, key, turnstile }) {
  let held; // { key, until } or the promise of it

  async function exchange() {
    const body = turnstile && JSON.stringify({ turnstile: await turnstile() });
    const headers = { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) };
    const asked = Date.now();
    const answer = await fetch(new URL("/_keyward/v1/session", gateway), { method: "POST", headers, body });
    const said = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.detail), said);
    return { key: said.session_key, until: asked + said.expires_in * 1000 - EARLY_MS };
  }

  async function current() {
    if (held?.until > Date.now() || held instanceof Promise) return (await held).key;
    held = exchange();
    return (held = await held.catch((error) => ((held = undefined), Promise.reject(error)))).key;
  }

  async function call(resource, init, again = true) {
    const request = new Request(typeof resource === "string" ? new URL(resource, gateway) : resource, init);
    if (new URL(request.url).origin !== new URL(gateway).origin) throw new TypeError("not an address of the gateway");
    const retry = again && !request.body ? request.clone() : undefined;
    const used = await current();
    request.headers.set("authorization", `Bearer ${used}`);
    const answer = await fetch(request);
    if (answer.status !== 401 || !retry) return answer;
    if (held?.key === used) held = undefined;
    return call(retry, undefined, false);
  }

  return { fetch: (resource, init) => call(resource, init), key: current };
}
