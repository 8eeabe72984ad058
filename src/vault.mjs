// Credentials that are read when they are first needed: from a Secrets Store, or from KV, where the values
// of projects are sealed with AES-256-GCM. Which, when and for how long the module decides.
import { Hot } from "../build/index.js";
import { ask } from "./module.mjs";
import { FAILED, load } from "./store.mjs";

const STORE_TIMEOUT_MS = 2000;
const NONCE_BYTES = 12;

// How a read ended, in the module's numbers.
const FOUND = 1;
const MISSING = 2;
const UNREADABLE = 4;

// By the ids of entries of the deployment's secret. They live as long as the isolate, as the secret does.
let keys;

// Reads for a call that waits, and decides about it again.
export async function unlock(read, call) {
  const answer = await answered(call.env, read);
  const resume = () => {
    Hot.unlocked(read, Date.now(), ...answer);
    return Hot.again(call.head, Date.now(), call.patience ?? 0, call.met);
  };
  return ask(call.env, resume);
}

// In the background.
export async function reread(env, read) {
  const answer = await answered(env, read);
  Hot.unlocked(read, Date.now(), ...answer);
}

async function answered(env, read) {
  const [, , what, ...names] = read.split(" ");
  return names.length === 0 ? stored(env, what) : sealed(env, what, names);
}

async function stored(env, name) {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, STORE_TIMEOUT_MS);
  });
  try {
    const value = await Promise.race([env[name].get(), timeout]);
    return typeof value === "string" ? [FOUND, 0, value] : [FAILED, 0, ""];
  } catch {
    return [FAILED, 0, ""];
  } finally {
    clearTimeout(timer);
  }
}

// The newest of what stands under these names: KV may show one of them later than another. So all of
// them have to be read.
async function sealed(env, what, names) {
  const reads = await Promise.all(names.map((name) => load(env, name)));
  if (reads.some(([answer]) => answer === FAILED)) return [FAILED, 0, ""];
  try {
    keys ??= await imported(env);
  } catch {
    return [FAILED, 0, ""];
  }
  let newest = [MISSING, 0, ""];
  for (const [at, [answer, value]] of reads.entries()) {
    if (answer !== FOUND) continue;
    const opened = await open(what, names[at], value).catch(() => undefined);
    if (opened && opened[1] > newest[1]) newest = opened;
    else if (newest[0] === MISSING) newest = [UNREADABLE, 0, ""];
  }
  return newest;
}

// `1.<version>.<base64url of nonce, ciphertext and tag>`, bound to what it is for.
async function open(what, name, value) {
  const parts = /^1\.([1-9][0-9]{0,14})\.([A-Za-z0-9_-]{38,6000})$/.exec(value);
  if (!parts) return undefined;
  const [, version, text] = parts;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));
  const algorithm = {
    name: "AES-GCM",
    iv: bytes.subarray(0, NONCE_BYTES),
    additionalData: new TextEncoder().encode(`keyward/credential/1/${version}/${what}`),
  };
  const plain = await crypto.subtle.decrypt(algorithm, keys.get(name.split("/")[1]), bytes.subarray(NONCE_BYTES));
  return [FOUND, Number(version), new TextDecoder().decode(plain)];
}

// Every asker imports for itself: the platform cancels who waits for another request's promise.
async function imported(env) {
  const words = ask(env, () => Hot.credential_keys()).split(" ");
  const made = new Map();
  for (let i = 0; i + 1 < words.length; i += 2) {
    const bytes = new Uint8Array(words[i + 1].match(/../g).map((pair) => Number.parseInt(pair, 16)));
    made.set(words[i], await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["decrypt"]));
    bytes.fill(0);
  }
  return made;
}
