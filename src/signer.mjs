// The deployment's own Ed25519 key: signs the bytes that the module gives, and keeps assertions for as
// long as the module says. Which claims stand in them, and for how long they hold, it decides.
import { Hot } from "../build/index.js";
import { ask } from "./module.mjs";

// Assertions by their claims. Bounded in number and in size; when there are too many all of them go.
const MOST = 20_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;
// A renewal that has not come about by then is begun again.
const RENEWAL_MS = 2000;
// What stands before the seed of a key in PKCS #8 (RFC 8410 section 7).
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

const assertions = new Map();
let characters = 0;
// The keys live as long as the isolate, as the secret does from which they come.
let own;

// The assertion for these claims: a text, or a promise of it where there is none that may be sent.
export function assertionFor(claims, { env, ctx }) {
  const now = Date.now();
  const held = assertions.get(claims);
  // Made in the future: the clock has moved back.
  if (held === undefined || now >= held.ended || now < held.made) return asserted(claims, env);
  if (now >= held.renewed && now >= held.renewing + RENEWAL_MS) {
    held.renewing = now;
    // What fails is tried again by a later call, and refuses once the one that is held must not be sent.
    ctx.waitUntil(asserted(claims, env).catch(() => {}));
  }
  return held.text;
}

async function asserted(claims, env) {
  const { signing } = own ?? (await load(env));
  const [input, ...times] = ask(env, () => Hot.assertion(claims, Date.now())).split(" ");
  const [made, renewed, ended] = times.map(Number);
  if (!(ended > made)) throw new Error("these are no claims");
  const signature = await sign(signing, input);
  const text = `${input}.${base64(signature).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  keep(claims, { text, made, renewed, ended, renewing: 0 });
  return text;
}

function keep(claims, held) {
  const size = claims.length + held.text.length;
  const known = assertions.get(claims);
  if (known) characters -= claims.length + known.text.length;
  if ((!known && assertions.size >= MOST) || characters + size > MOST_CHARACTERS) {
    assertions.clear();
    characters = 0;
  }
  assertions.set(claims, held);
  characters += size;
}

export const kept = () => ({ assertions: assertions.size, signed: characters });

// The value of `Signature` for what the module has made of a request.
export async function signed(base, env) {
  const { signing } = own ?? (await load(env));
  return `keyward=:${base64(await sign(signing, base))}:`;
}

// The key set that origins verify with.
export async function keySet(env) {
  const { publicKeys } = own ?? (await load(env));
  return ask(env, () => Hot.key_set(publicKeys, Date.now()));
}

// Every asker loads for itself: the platform cancels who waits for another request's promise.
async function load(env) {
  const [place, ...seeds] = ask(env, () => Hot.own_keys()).split(" ");
  const pairs = await Promise.all(seeds.map((seed) => imported(seed)));
  own ??= { signing: pairs[Number(place)].signing, publicKeys: pairs.map(({ x }) => x).join(" ") };
  return own;
}

async function imported(seed) {
  const bytes = new Uint8Array([...PKCS8, ...seed.match(/../g).map((pair) => Number.parseInt(pair, 16))]);
  // The runtime gives the public half only of a key that may be exported. That one is let go of.
  const { x } = await crypto.subtle.exportKey("jwk", await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", true, ["sign"]));
  const signing = await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", false, ["sign"]);
  bytes.fill(0);
  return { signing, x };
}

const sign = (key, text) => crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(text));

const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
