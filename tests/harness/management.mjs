// Projects and keys for tests, made through the real management API.
import { Management } from "../../scripts/management.mjs";

/** The management API of a gateway of `startKeyward`, also after its restart. */
export function management(gateway, key = () => gateway.managementKey()) {
  return new Management(() => gateway.url, key);
}

/**
 * A project with keys by name: `fields` is { name: key fields }, `settings` those of the project.
 * Returns the answers by name, each { key, secret, publication }.
 */
export async function createKeys(gateway, project, fields, settings) {
  const api = management(gateway);
  await api.ensureProject(project);
  if (settings) await api.call("PATCH", `/projects/${project}`, settings, { "if-match": "*" });
  const created = {};
  for (const [name, given] of Object.entries(fields)) created[name] = await api.createKey(project, { name, ...given });
  return created;
}
