// Mints derived keys of Keyward: short-lived keys that may do less than the private key at hand.
// Runs wherever there is WebCrypto (Node.js 20, Deno, Bun, Workers, browsers); needs nothing else.
// Never ship a private key to a page to mint there: mint on a server, and give the page the result.

const DAY = 24 * 60 * 60 * 1000;
const bytes = (text) => new TextEncoder().encode(text);

/**
 * A derived key. `fields`, all optional; what is left out is as the private key has it:
 * - `scopes`, `paths`, `referrers`, `ips`: lists of rules, as in a key's fields
 * - `anyReferrer`: true for any website; without it and `referrers` no web page may use the key
 * - `user`: the id that the origin receives as Keyward-User; `limit`: { calls, window_s }, its own rate limit
 * - `expiresIn`: milliseconds from now, at most a day, 15 minutes if left out; `notBefore`: a Date
 * - `environment`: only for a private key that was made elsewhere and imported
 */
export async function derive(secret, fields = {}) {
  const { scopes, paths, referrers, anyReferrer = false, ips, user, limit, expiresIn = 15 * 60 * 1000, notBefore, environment, now = Date.now(), ...others } = fields;
  // What is misspelt or empty would otherwise be as the private key has it.
  if (Object.keys(others).length > 0) throw new TypeError(`there is no field ${Object.keys(others)}`);
  if ((user !== undefined && typeof user !== "string") || typeof anyReferrer !== "boolean") throw new TypeError("a user is a text, and anyReferrer true or false");
  const rules = (letter, list) => {
    if (list !== undefined && !(Array.isArray(list) && list.length > 0)) throw new RangeError("rules are a list that is not empty");
    return (list ?? []).map((rule) => letter + rule);
  };
  if (anyReferrer && referrers) throw new RangeError("name websites, or allow any");
  if (!(expiresIn > 0 && expiresIn <= DAY)) throw new RangeError("a derived key ends within 24 hours");
  const lines = [
    ...(anyReferrer ? ["a*"] : []),
    ...rules("i", ips),
    ...(limit ? [`l${limit.calls}/${limit.window_s}`] : []),
    ...(notBefore === undefined ? [] : [`n${Number(notBefore)}`]),
    ...rules("p", paths),
    ...rules("r", referrers),
    ...rules("s", scopes),
    ...(user === undefined ? [] : [`u${user}`]),
    `x${Math.floor(now + expiresIn)}`,
  ];
  if (lines.some((line) => line.length < 2 || /\p{Cc}/u.test(line))) throw new RangeError("a value is empty or has control characters");
  const prefix = prefixOf(secret, environment);
  const said = concat([new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(secret))), bytes(lines.join("\n"))]);
  const mac = await hmac(await hmac(bytes(secret), bytes("keyward/derive/1")), concat([bytes(prefix), said]));
  const key = prefix + btoa(String.fromCharCode(...said, ...mac)).replace(/=+$/, "").replaceAll("+", "_p").replaceAll("/", "_s");
  if (key.length > 512) throw new RangeError("the key would be longer than 512 characters");
  return key;
}

function prefixOf(secret, environment) {
  const own = /^([a-z0-9]{2,10})_(pk|sk|mk|dk)_([a-z0-9]{1,12})_1\w{32,}$/.exec(secret);
  const whole = own ? /_sk_[a-z0-9]+_1[0-9A-Za-z]{32}$/ : /^[!-~]{20,512}$/;
  if (!whole.test(secret)) throw new RangeError("only private keys derive, and this is none, or not the whole of one");
  return own ? `${own[1]}_dk_${own[3]}_1` : `kw_dk_${environment ?? "live"}_1`;
}

async function hmac(key, data) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

const concat = (parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
