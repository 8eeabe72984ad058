// One process of plain workerd with everything that is compared, each on a port of its own, the
// origin behind them, and the keys in front of them.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { derive } from "../clients/derive.mjs";
import { temporaryFolder } from "../tests/harness/folder.mjs";
import { startKeyward } from "../tests/harness/keyward.mjs";
import { createKeys } from "../tests/harness/management.mjs";
import { minted, nameFor, recordOf, sealed } from "../tests/harness/record.mjs";
import { ANSWERS } from "./answers.mjs";
import { PLAIN } from "./build.mjs";
import { startOrigin } from "./origin.mjs";
import { startSender } from "./sender.mjs";

/** The origin's own credential, which every contestant attaches. */
const ORIGIN_TOKEN = "the-origins-own-credential-4711-4711-4711";
const FAR_OFF = "2099-12-31T00:00:00Z";

/** What every key of the comparison has, in every contestant that checks it. */
const COMMON = { scopes: ["orders:read", "orders:write"], paths: ["GET /v1/orders", "GET /v1/**", "POST /v1/orders"], owner: "customer-17" };
const REFERRERS = ["https://app.example.com", "*.example.org"];
const KEYS = {
  public: { kind: "public", ...COMMON, referrers: REFERRERS, expires_at: FAR_OFF },
  private: { kind: "private", ...COMMON, expires_at: FAR_OFF },
  limited: {
    ...{ kind: "private", ...COMMON, expires_at: FAR_OFF },
    limits: {
      rate: [{ name: "second", limit: 100_000, window_s: 1 }],
      quota: [{ name: "month", limit: 1_000_000_000, period: "month" }],
    },
  },
};

const ROUTE = `
[[route]]
path = "/v1/**"
origin = "\${ORIGIN}"
projects = ["acme"]
scopes = ["orders:read"]
credential = { secret = "ORIGIN_TOKEN", header = "authorization", template = "Bearer {secret}" }
`;

/** Keyward's isolates by name: the gateway.toml, and what else is different there. */
const ISOLATES = {
  // Has all Durable Objects, and is not called.
  owner: { gateway: ROUTE, front: "central" },
  // Its entry counts each call in one Durable Object first.
  central: { gateway: ROUTE, front: "central" },
  keyward: { gateway: ROUTE },
  // Looks for the credential in the body of each answer.
  guarded: { gateway: `${ROUTE}guard_body = true\n` },
  // Takes derived keys as well.
  derived: { gateway: `${ROUTE}accepts = ["private", "derived"]\n` },
  // Says to the origin whose call it is, signed.
  asserted: { gateway: `[gateway]\nissuer = "https://gate.example.com"\n${ROUTE}assertion = true\n` },
  // No meter is asked, and memory is too small for the keys that are called.
  cold: { gateway: `[gateway]\nmemory_records = 500\n${ROUTE}`, without: ["METERS"] },
};
/** For whom keys are derived. */
const USERS = Array.from({ length: 100 }, (_, index) => `user-${index}`);
/** How many keys are called in turn where each has to be cold. */
export const COLD_KEYS = 3000;

/** Starts everything; `t` ends it. Returns { ports, secrets, pid, sender, versions }. */
export async function startWorld(t) {
  const origin = await startOrigin(t);
  const vars = { ORIGIN: origin.url, ORIGIN_TOKEN };
  const isolates = Object.values(ISOLATES);
  const gateway = await startKeyward(t, {
    ...{ gateway: isolates.map(({ gateway }) => gateway), vars, kv: "memory", isolates: isolates.length },
    change: (modules, isolate) => fronted(modules, isolates[isolate].front),
    without: (isolate) => isolates[isolate].without ?? [],
    objects: { CENTRAL: "Central" },
    beside: await contestants(t, vars),
  });
  const { ports, pid } = gateway.process;
  Object.keys(ISOLATES).forEach((name, index) => (ports[name] = ports[`keyward-${index}`]));

  const created = await createKeys(gateway, "acme", KEYS);
  const secrets = Object.fromEntries(Object.entries(created).map(([name, { secret }]) => [name, secret]));
  const kv = new Writer(ports.kv);
  for (const name of ["public", "private"]) await kv.put(...forOthers(created[name], KEYS[name]));
  const expired = { ...COMMON, kind: "private", expires_at: Date.parse("2020-01-01T00:00:00Z") };
  secrets.expired = secret("private", 0);
  await kv.put(...record(secrets.expired, expired));
  // A page's back end gives one to each of its users.
  secrets.derived = await Promise.all(USERS.map((user) => derive(secrets.private, { user, scopes: ["orders:read"], paths: ["GET /v1/**"], expiresIn: 3_600_000 })));
  secrets.cold = Array.from({ length: COLD_KEYS }, (_, index) => secret("private", 1 + index));
  await kv.putAll(secrets.cold.map((cold) => record(cold, { ...COMMON, kind: "private", revocation: "eventual" })));
  secrets.forged = secrets.cold.map((cold) => cold.slice(0, -1) + (cold.endsWith("0") ? "1" : "0"));
  return { ports, secrets, pid, sender: await startSender(t), versions: await versions(origin) };
}

/** The modules of Keyward, with what stands in front of its entry. */
export function fronted(modules, front) {
  return front ? [{ name: `src/${front}.mjs`, path: file(`fronts/${front}.mjs`) }, ...modules] : modules;
}

/** Everything that is compared with Keyward, as `startKeyward` takes it. */
async function contestants(t, vars) {
  const answers = Object.entries(ANSWERS).map(([name, answer]) => [name, script({ ANSWER: JSON.stringify(answer) }, "answer")]);
  return {
    bare: script(vars, "bare"),
    ...Object.fromEntries(["public", "private"].map((kind) => [`edits-${kind}`, script(vars, `edits-${kind}`, "edits-request")])),
    ...Object.fromEntries(["public", "private", "limited"].map((kind) => [`working-${kind}`, working(vars, kind)])),
    ...Object.fromEntries(answers),
    validator: script(vars, "validator"),
    plain: { vars, modules: [...script(vars, "plain").modules, ...(await plainModules())] },
    hono: { vars, modules: [{ name: "hono.mjs", path: await bundled(t, "contestants/hono.mjs") }] },
  };
}

/** A worker of scripts in `contestants`, the first of which is its entry. */
export function script(vars, ...names) {
  return { vars, modules: names.map((name) => ({ name: `${name}.mjs`, path: file(`contestants/${name}.mjs`) })) };
}

/** The working floor of a kind of keys. */
export const working = (vars, kind) => script(vars, `working-${kind}`, "working-headers", "edits-request");

async function plainModules() {
  const names = (await readdir(PLAIN, { recursive: true })).filter((name) => /\.(js|wasm)$/.test(name));
  return names.map((name) => ({ name, path: join(PLAIN, name) }));
}

/** A script with the npm packages that it imports, in one file. */
async function bundled(t, path) {
  const outfile = join(await temporaryFolder(t), "bundled.mjs");
  await build({ entryPoints: [file(path)], bundle: true, format: "esm", target: "es2022", outfile, logLevel: "error" });
  return outfile;
}

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A secret of this deployment by its number. */
const secret = (kind, number) => minted(kind, String(number).padStart(24, "0"));

/** Name and value in KV of a secret's record, as Keyward's registry would write them. */
function record(secret, { scopes, paths, referrers, ...fields }) {
  const name = nameFor(secret);
  return [name, sealed(name, recordOf({ ...fields, restrictions: { scopes, paths, ...(referrers && { referrers }) } }))];
}

/** Name and value in KV of a key's record for those who keep plain JSON under the digest. */
function forOthers({ key, secret }, fields) {
  const record = { key_id: key.id, project: "acme", environment: "live", status: "active", ...fields, expires_at: Date.parse(fields.expires_at) };
  return [`validator/${createHash("sha256").update(secret).digest("hex")}`, JSON.stringify(record)];
}

/** Writes straight into the KV in memory. */
export class Writer {
  #url;

  constructor(port) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  async put(name, value) {
    const response = await fetch(`${this.#url}/${encodeURIComponent(name)}?urlencoded=true`, { method: "PUT", body: value });
    if (!response.ok) throw new Error(`KV answers ${response.status}`);
    await response.text();
  }

  /** Many, some at a time. */
  async putAll(entries) {
    const left = entries.values();
    await Promise.all(Array.from({ length: 32 }, async () => {
      for (const [name, value] of left) await this.put(name, value);
    }));
  }
}

async function versions(origin) {
  const packages = JSON.parse(await readFile(file("../package-lock.json"), "utf8")).packages;
  const of = (name) => packages[`node_modules/${name}`]?.version;
  return { workerd: of("workerd"), hono: of("hono"), origin: origin.version, node: process.version };
}
