// Seals of derivation keys as the registry keeps them, under the tests' KEYWARD_SECRET.
import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { derived } from "./record.mjs";

/** The seal of a derivation key, bound to its place; `digest` is the SHA-256 of the secret in hexadecimal. */
export function seal({ project, key, digest }, derivationKey) {
  const { entry, subkey } = derived("keyward/derivation/1");
  const context = Buffer.concat([project, key, Buffer.from(digest, "hex")].flatMap((part) => [length(part), Buffer.from(part)]));
  const mac = (...parts) => createHmac("sha256", subkey).update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();
  const tag = mac("tag", context, derivationKey).subarray(0, 16);
  const pad = mac("pad", context, tag);
  return `2.${entry}.${Buffer.concat([tag, Buffer.from(derivationKey.map((byte, index) => byte ^ pad[index]))]).toString("base64url")}`;
}

/** The same as the first version sealed it. */
export function firstSeal({ project, key }, derivationKey) {
  const { entry, subkey } = derived("keyward/sealing/1");
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", subkey, nonce).setAAD(Buffer.from(`keyward/seal/derivation/1\n${project}\n${key}`));
  const hidden = Buffer.concat([nonce, cipher.update(derivationKey), cipher.final(), cipher.getAuthTag()]);
  return `1.${entry}.${hidden.toString("base64url")}`;
}

/** The derivation key of a secret. */
export const derivationKey = (secret) => createHmac("sha256", secret).update("keyward/derive/1").digest();

function length(part) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Buffer.byteLength(part)));
  return bytes;
}
