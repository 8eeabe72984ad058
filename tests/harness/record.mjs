// Records as the registry publishes them, made by hand: what a later version could write, and what
// somebody with access to KV but without the deployment's secret could.
import { createHmac, hkdfSync } from "node:crypto";
import { SECRETS } from "./keyward.mjs";

/** The name of a key's record in KV: where the registry has put it. */
export function nameOf(kv, created) {
  return kv.recorded("put").find(({ text }) => text.includes(`"${created.key.id}"`)).name;
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
  const [entry, key] = SECRETS.KEYWARD_SECRET.split(":");
  const subkey = hkdfSync("sha256", Buffer.from(key, "base64url"), "keyward/1", "keyward/record/1", 32);
  const json = JSON.stringify(record);
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32BE(schema, 0);
  numbers.writeBigUInt64BE(BigInt(Buffer.byteLength(name)), 4);
  const mac = createHmac("sha256", Buffer.from(subkey)).update(numbers).update(name).update(json).digest("base64url");
  return closed({ schema, entry, mac, json });
}
