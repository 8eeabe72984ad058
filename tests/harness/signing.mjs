// A stage whose signing is counted, and breaks when a test says so.
import { fileURLToPath } from "node:url";
import { createLocalJWKSet, jwtVerify } from "jose";
import { request } from "./client.mjs";
import { startStage } from "./stage.mjs";

/** Who makes the assertions of a test's deployment. */
export const ISSUER = "https://gate.example.com";

/** As `startStage`, with `signed()`, `breakSigning()` and `mendSigning()`; the clock is the test's. */
export async function startSigning(t, options) {
  const stage = await startStage(t, { clock: true, change: counted, ...options });
  const ask = async (what) => Number((await request(stage.port, "/", { headers: { "x-signing": what } })).header("signed"));
  return Object.assign(stage, {
    /** How often the runtime has signed. */
    signed: () => ask("count"),
    breakSigning: () => ask("break"),
    mendSigning: () => ask("mend"),
    /** The key set as an origin reads it. */
    keySet: async () => (await fetch(`${stage.gateway.url}/_keyward/jwks.json`)).json(),
  });
}

function counted(modules) {
  const front = fileURLToPath(new URL("counted-signing.mjs", import.meta.url));
  return modules.flatMap((module) => {
    if (module.name !== "build/index.js") return [module];
    return [{ ...module, name: "build/built-index.js" }, { name: module.name, path: front }];
  });
}

/** What jose says of a token at the time of the gateway. */
export async function verified(stage, token, keySet) {
  const set = createLocalJWKSet(keySet ?? (await stage.keySet()));
  return jwtVerify(token, set, {
    algorithms: ["EdDSA"],
    typ: "keyward-assertion+jwt",
    issuer: ISSUER,
    audience: stage.origin.url,
    maxTokenAge: "120s",
    clockTolerance: 5,
    requiredClaims: ["sub", "project", "environment", "kind"],
    currentDate: new Date(stage.gateway.clock.now()),
  });
}

/** The parts of a JWT without looking at its signature. */
export function decoded(token) {
  const [header, payload] = token.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
  return { header, payload };
}
