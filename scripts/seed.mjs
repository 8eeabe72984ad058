// The demo's project with its two keys, made through the management API and kept for the next start.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createManagementKey, Management, Refused } from "./management.mjs";
import { Failure } from "./run.mjs";

const PROJECT = "demo";

/** The management key of this machine's gateway; `file` keeps it, as its secret is shown only once. */
export async function managementKey(file, base, bootstrap) {
  if (existsSync(file)) return checked(file, base);
  const key = await createManagementKey(base, bootstrap, "npm start").catch((error) => {
    throw new Failure(`no management key can be made: ${error.message}\nIf ${file} is lost, remove the folder around it: the keys in it begin anew.`);
  });
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}

async function checked(file, base) {
  const key = readFileSync(file, "utf8").trim();
  await new Management(base, () => key).call("GET", "/whoami").catch((error) => {
    const advice = `put a management key that works into it, start with --state and another folder, or remove the folder around it: the keys in it begin anew.`;
    throw new Failure(`the management key in ${file} is refused (${error.message})\nIf it was revoked or disabled: ${advice}`);
  });
  return key;
}

/** The secrets of the two keys, { public, private }; `file` remembers them, as their secrets are shown only once. */
export async function seed(api, file, page) {
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  if (kept?.page === page && (await works(api, kept))) return kept.secrets;
  const keys = await create(api, page).catch((error) => {
    throw new Failure(`the demo's keys cannot be made: ${error.message}`);
  });
  const each = (pick) => ({ public: pick(keys.public), private: pick(keys.private) });
  const made = { page, ids: each((created) => created.key.id), secrets: each((created) => created.secret) };
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  return made.secrets;
}

async function create(api, page) {
  await api.ensureProject(PROJECT, "Demo");
  return {
    public: await api.createKey(PROJECT, { name: "demo page", kind: "public", referrers: [page] }),
    private: await api.createKey(PROJECT, { name: "demo server", kind: "private" }),
  };
}

async function works(api, { ids }) {
  try {
    const keys = await Promise.all(Object.values(ids).map((id) => api.showKey(PROJECT, id)));
    return keys.every(({ status }) => status === "active");
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return false;
    throw error;
  }
}
