// Records as the registry publishes them, made by hand: what a later version could write, and what
// somebody with access to KV but without the deployment's secret could.
import { createHash, createHmac, hkdfSync } from "node:crypto";
import { SECRETS } from "./keyward.mjs";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The name of a key's record in KV: where the registry has put it. */
export function nameOf(kv, created) {
  return kv.recorded("put").find(({ text }) => text.includes(`"${created.key.id}"`)).name;
}

/** The name in KV of the record of any secret, under the tests' KEYWARD_SECRET. */
export function nameFor(secret) {
  const { entry, subkey } = derived("keyward/look-up/1");
  const digest = createHash("sha256").update(secret).digest();
  return `r/${entry}/${createHmac("sha256", subkey).update(digest).digest("base64url")}`;
}

/** A record with these fields, as a registry of the project `acme` would write it. */
export function recordOf(fields) {
  const key = { project: "acme", environment: "live", key_id: "key_imported000000000000", secret_id: "sec_imported0000" };
  return { schema: 1, ...key, kind: "private", version: 1, status: "active", restrictions: {}, ...fields };
}

/** A value of KV in its parts. */
export function opened(value) {
  const [, schema, entry, mac, json] = value.match(/^(\d+)\.([^.]+)\.([^.]+)\n(.*)$/s);
  return { schema, entry, mac, json };
}

/** Puts the parts together again. */
export const closed = ({ schema, entry, mac, json }) => `${schema}.${entry}.${mac}\n${json}`;

/** A genuine value for a name: its MAC is made with the tests' KEYWARD_SECRET. */
export function sealed(name, record, schema = 1) {
  const { entry, subkey } = derived("keyward/record/1");
  const json = JSON.stringify(record);
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32BE(schema, 0);
  numbers.writeBigUInt64BE(BigInt(Buffer.byteLength(name)), 4);
  const mac = createHmac("sha256", subkey).update(numbers).update(name).update(json).digest("base64url");
  return closed({ schema, entry, mac, json });
}

const SHORT = { public: "pk", private: "sk" };

/** A secret that this deployment could have made: its tag is genuine, its 24 characters are given. */
export function minted(kind, characters) {
  const { subkey } = derived("keyward/tag/1");
  const tagged = `kw_${SHORT[kind]}_live_1${characters}`;
  const mac = createHmac("sha256", subkey).update(tagged).digest();
  let [left, tag] = [mac.readBigUInt64BE(), ""];
  for (; tag.length < 8; left /= 62n) tag = BASE62[Number(left % 62n)] + tag;
  return tagged + tag;
}

/** The subkey of the tests' KEYWARD_SECRET for one use, and the id of its entry. */
export function derived(use) {
  const [entry, key] = SECRETS.KEYWARD_SECRET.split(":");
  subkeys[use] ??= Buffer.from(hkdfSync("sha256", Buffer.from(key, "base64url"), "keyward/1", use, 32));
  return { entry, subkey: subkeys[use] };
}

const subkeys = {};
