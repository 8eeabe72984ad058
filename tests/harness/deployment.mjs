// Projects, keys and management keys in every state, so that calls of a generator meet some.
const STEADY = "acme";
const PROJECTS = [STEADY, "globex"];
const KEYS_OF_EACH = 12;
/** Its keys are made during the run, for what revokes the secret that it is called with. */
const APART = "apart";

/**
 * Makes them through the management API, `api` being a ManagementClient of an account key. Returns
 * what tests/schemathesis/deployment.py reads, but for the key of the run itself.
 */
export async function populate(api) {
  const keys = [];
  for (const project of PROJECTS) {
    await api.project(project);
    for (let index = 0; index < KEYS_OF_EACH; index += 1) keys.push(await ofProject(api, project, index));
    const { webhook } = await api.must("POST", `/projects/${project}/webhooks`, { url: "http://127.0.0.1:1/hook" });
    for (const key of keys.filter((key) => key.project === project)) key.webhook = webhook.id;
    await api.must("POST", `/projects/${project}/owners:suspend`, { owner: "customer-0" });
    await api.must("POST", `/projects/${project}/owners:limit`, { owner: "customer-17", limits: { credits: 50 } });
  }
  const management_keys = [];
  for (let index = 0; index < 8; index += 1) {
    const { key } = await api.managementKey(index % 2 ? { project: STEADY } : {});
    management_keys.push({ key: key.id, secret: key.secrets[0].id });
  }
  await api.project(APART);
  const helper = await api.managementKey({ name: "helper" });
  return { url: api.keyward.url, helper: { id: helper.key.id, secret: helper.secret }, steady: STEADY, apart: APART, keys, management_keys };
}

async function ofProject(api, project, index) {
  const restricted = { referrers: ["https://example.com"], kind: "public" };
  const limits = { rate: [{ limit: 100, window_s: 60 }], quota: { limit: 1000, period: "day" }, credits: 50 };
  const fields = { name: `key ${index}`, ...(index % 4 === 2 && { limits }), owner: `customer-${index % 3}`, ...(index % 4 === 1 && restricted) };
  const { key } = await api.key(project, fields);
  if (index % 6 === 2) await api.change(project, key.id, "disable");
  if (index % 6 === 3) await api.change(project, key.id, "rotate", { overlap: 3600 });
  if (index % 6 === 4) await api.change(project, key.id, "revoke", { reason: "superseded", note: "made by a test" });
  return { project, environment: "live", key: key.id, secret: key.secrets[0].id };
}
