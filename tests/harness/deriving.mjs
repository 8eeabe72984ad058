// Private keys, the keys that are derived from them, and routes that take those or do not: for tests of
// what a derived key may do, and of every way in which one is forged, widened or outlived.
import { createHash, createHmac } from "node:crypto";
import { derive } from "../../clients/derive.mjs";
import { ManagementClient } from "./registry.mjs";
import { derivationKey } from "./seal.mjs";
import { startStage } from "./stage.mjs";

const MINUTE = 60_000;

const ALL_KINDS = 'accepts = ["public", "private", "derived"]';
const GATEWAY = [
  route("v1", ALL_KINDS),
  route("scoped", ALL_KINDS, 'scopes = ["orders:read"]'),
  route("servers", 'accepts = ["public", "private"]'),
  route("unsaid"),
  route("queried", 'accepts = ["public", "derived"]', 'key_in = ["header:x-api-key", "query:key"]'),
  route("pages", 'accepts = ["derived"]'),
  route("testing", ALL_KINDS, 'environments = ["test"]'),
  route("globex", ALL_KINDS, 'projects = ["globex"]'),
  route("legacy", ALL_KINDS, "imported_keys = true", 'key_in = ["bearer", "header:x-api-key", "query:key"]'),
].join("\n");

function route(name, ...lines) {
  return ["[[route]]", `path = "/${name}/**"`, 'origin = "${ORIGIN}"', ...lines, ""].join("\n");
}

/** A stage whose clock stands still, with what makes and calls with keys. `t` ends it. */
export async function startDeriving(t) {
  const stage = await startStage(t, { gateway: GATEWAY, clock: true });
  const { clock } = stage.gateway;
  await clock.stop();
  const api = new ManagementClient(stage.gateway);
  let serial = 0;
  const project = async () => {
    const id = `p${(serial += 1)}`;
    await api.project(id);
    return id;
  };
  return {
    stage,
    clock,
    api,
    /** A project of its own. */
    project,
    /** A private key in a project of its own: { key, secret, path, project }. */
    made: async (fields) => {
      const id = await project();
      const { key, secret } = await api.key(id, fields);
      return { key, secret, project: id, path: `/projects/${id}/keys/${key.id}` };
    },
    derived: (secret, fields) => derive(secret, { now: clock.now(), ...fields }),
    forged: (secret, prefix, lines = `x${clock.now() + MINUTE}`) => forged(secret, prefix, lines),
    passes: (key, target = "/v1/x", options) => stage.passes(target, { key, ...options }),
    refuses: (code, key, target = "/v1/x", options) => stage.refuses(code, target, { key, ...options }),
  };
}

/** What the origin saw of a header. */
export const one = ({ seen }, name) => seen.values(name)[0];

/** What whoever holds a secret of any sort can make of it, whether a client would or not. */
function forged(secret, prefix, lines) {
  const said = Buffer.concat([createHash("sha256").update(secret).digest(), Buffer.from(lines)]);
  const mac = createHmac("sha256", derivationKey(secret)).update(prefix).update(said).digest();
  return prefix + Buffer.concat([said, mac]).toString("base64").replace(/=+$/, "").replaceAll("+", "_p").replaceAll("/", "_s");
}
