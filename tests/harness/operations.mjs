// Every operation of the management API, with a call that would be accepted from a key that may
// make it. `/_keyward/openapi.json` says whether one is missing here.

const PROJECT = "/projects/{project}";
const ENVIRONMENT = `${PROJECT}/environments/{environment}`;
const KEY = `${PROJECT}/keys/{key}`;
const WEBHOOK = `${PROJECT}/webhooks/{webhook}`;
const CREDENTIAL = `${PROJECT}/credentials/{credential}`;
const MANAGEMENT_KEY = "/management-keys/{key}";

/**
 * Each is { id, method, path, scope?, account?, holder?, signed?, body?, raw?, headers? }. `scope` is what
 * the management key needs, `account` that it has to be one of the account, `holder` that the call
 * takes any secret and acts on it, `signed` that it takes no key, but a signature.
 */
export const OPERATIONS = [
  op("whoami", "GET /whoami"),

  op("createProject", "POST /projects", { account: true, scope: "projects:write", body: { id: "another" } }),
  op("listProjects", "GET /projects"),
  op("showProject", `GET ${PROJECT}`),
  op("updateProject", `PATCH ${PROJECT}`, { scope: "projects:write", body: { name: "Renamed" } }),
  op("suspendProject", `POST ${PROJECT}/suspend`, { scope: "projects:write", body: { note: "unpaid" } }),
  op("resumeProject", `POST ${PROJECT}/resume`, { scope: "projects:write", body: {} }),
  op("archiveProject", `POST ${PROJECT}/archive`, { account: true, scope: "projects:write", body: {} }),
  op("restoreProject", `POST ${PROJECT}/restore`, { account: true, scope: "projects:write", body: {} }),
  op("publication", `GET ${PROJECT}/publication`, { scope: "keys:read" }),
  op("republish", `POST ${PROJECT}/republish`, { scope: "projects:write", body: {} }),

  op("createEnvironment", `POST ${PROJECT}/environments`, { scope: "projects:write", body: { id: "staging" } }),
  op("listEnvironments", `GET ${PROJECT}/environments`),
  op("archiveEnvironment", `POST ${ENVIRONMENT}/archive`, { scope: "projects:write", body: {} }),
  op("restoreEnvironment", `POST ${ENVIRONMENT}/restore`, { scope: "projects:write", body: {} }),
  op("suspendOwner", `POST ${PROJECT}/owners:suspend`, { scope: "keys:write", body: { owner: "ann" } }),
  op("resumeOwner", `POST ${PROJECT}/owners:resume`, { scope: "keys:write", body: { owner: "ann" } }),
  op("limitOwner", `POST ${PROJECT}/owners:limit`, { scope: "keys:write", body: { owner: "ann", limits: { credits: 5 } } }),
  op("changeOwnerCredits", `POST ${PROJECT}/owners:credits`, { scope: "keys:write", body: { owner: "ann", add: 5 } }),
  op("listOwners", `GET ${PROJECT}/owners`, { scope: "keys:read" }),

  op("projectUsage", `GET ${PROJECT}/usage`, { scope: "usage:read" }),

  op("createKey", `POST ${PROJECT}/keys`, { scope: "keys:write", body: { name: "new" } }),
  op("listKeys", `GET ${PROJECT}/keys`, { scope: "keys:read" }),
  op("listAccountKeys", "GET /keys", { scope: "keys:read" }),
  op("importKeys", `POST ${PROJECT}/keys:import`, { scope: "keys:write", raw: "{}\n", headers: { "content-type": "application/x-ndjson" } }),
  op("exportKeys", `GET ${PROJECT}/keys:export`, { scope: "keys:write" }),
  op("showKey", `GET ${KEY}`, { scope: "keys:read" }),
  op("updateKey", `PATCH ${KEY}`, { scope: "keys:write", body: { name: "renamed" } }),
  op("deleteKey", `DELETE ${KEY}`, { scope: "keys:write" }),
  op("undeleteKey", `POST ${KEY}/undelete`, { scope: "keys:write", body: {} }),
  op("rotateKey", `POST ${KEY}/rotate`, { scope: "keys:write", body: { overlap: 0 } }),
  op("revokeKey", `POST ${KEY}/revoke`, { scope: "keys:write", body: { reason: "superseded" } }),
  op("disableKey", `POST ${KEY}/disable`, { scope: "keys:write", body: {} }),
  op("enableKey", `POST ${KEY}/enable`, { scope: "keys:write", body: {} }),
  op("revokeSecret", `POST ${KEY}/secrets/{secret}/revoke`, { scope: "keys:write", body: {} }),
  op("changeCredits", `POST ${KEY}/credits`, { scope: "keys:write", body: { set: 5 } }),
  op("keyLimits", `GET ${KEY}/limits`, { scope: "usage:read" }),
  op("keyUsage", `GET ${KEY}/usage`, { scope: "usage:read" }),
  op("whereKey", `GET ${KEY}/where`, { scope: "keys:read" }),
  op("selfRevoke", "POST /keys:selfRevoke", { holder: true, body: {} }),

  op("createWebhook", `POST ${PROJECT}/webhooks`, { scope: "projects:write", body: { url: "https://hooks.example.com/" } }),
  op("listWebhooks", `GET ${PROJECT}/webhooks`, { scope: "keys:read" }),
  op("showWebhook", `GET ${WEBHOOK}`, { scope: "keys:read" }),
  op("updateWebhook", `PATCH ${WEBHOOK}`, { scope: "projects:write", body: { description: "changed" } }),
  op("deleteWebhook", `DELETE ${WEBHOOK}`, { scope: "projects:write" }),
  op("rotateWebhook", `POST ${WEBHOOK}/rotate`, { scope: "projects:write", body: { overlap: 0 } }),
  op("disableWebhook", `POST ${WEBHOOK}/disable`, { scope: "projects:write", body: {} }),
  op("enableWebhook", `POST ${WEBHOOK}/enable`, { scope: "projects:write", body: {} }),
  op("testWebhook", `POST ${WEBHOOK}/test`, { scope: "projects:write", body: {} }),

  op("setCredential", `PUT ${CREDENTIAL}`, { scope: "credentials:write", body: { value: "sk-0123456789", origin: "https://api.example.com" } }),
  op("listCredentials", `GET ${PROJECT}/credentials`, { scope: "credentials:read" }),
  op("deleteCredential", `DELETE ${CREDENTIAL}`, { scope: "credentials:write" }),

  op("findLeaks", "POST /leaks:find", { scope: "keys:read", body: { sha256: ["0".repeat(64)] } }),
  op("reportLeaks", "POST /leaks:report", { scope: "keys:write", body: { sha256: ["0".repeat(64)] } }),
  op("githubLeaks", "POST /leaks/github", { signed: true, body: [] }),

  op("projectAudit", `GET ${PROJECT}/audit`, { scope: "audit:read" }),
  op("exportProjectAudit", `GET ${PROJECT}/audit:export`, { scope: "audit:read" }),
  op("accountAudit", "GET /audit", { account: true, scope: "audit:read" }),
  op("exportAccountAudit", "GET /audit:export", { account: true, scope: "audit:read" }),

  op("createManagementKey", "POST /management-keys", { scope: "keys:write", body: { name: "another" } }),
  op("listManagementKeys", "GET /management-keys", { scope: "keys:read" }),
  op("showManagementKey", `GET ${MANAGEMENT_KEY}`, { scope: "keys:read" }),
  op("updateManagementKey", `PATCH ${MANAGEMENT_KEY}`, { scope: "keys:write", body: { name: "renamed" } }),
  op("deleteManagementKey", `DELETE ${MANAGEMENT_KEY}`, { scope: "keys:write" }),
  op("rotateManagementKey", `POST ${MANAGEMENT_KEY}/rotate`, { scope: "keys:write", body: { overlap: 0 } }),
  op("revokeManagementKey", `POST ${MANAGEMENT_KEY}/revoke`, { scope: "keys:write", body: {} }),
  op("disableManagementKey", `POST ${MANAGEMENT_KEY}/disable`, { scope: "keys:write", body: {} }),
  op("enableManagementKey", `POST ${MANAGEMENT_KEY}/enable`, { scope: "keys:write", body: {} }),
  op("revokeManagementSecret", `POST ${MANAGEMENT_KEY}/secrets/{secret}/revoke`, { scope: "keys:write", body: {} }),
];

function op(id, line, fields = {}) {
  const [method, path] = line.split(" ");
  return { id, method, path, ...fields };
}

/** The path of an operation with its names filled in: { project, environment, key, secret, webhook, credential }. */
export function filled({ path }, names) {
  return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(names[name]));
}

/** What `ManagementClient.call` takes for a call of this operation. */
export function callOf({ method, body, raw, headers = {} }) {
  return { body, raw, headers: { ...(method === "PATCH" && { "if-match": "*" }), ...headers } };
}

export const isOfProject = ({ path }) => path.startsWith(PROJECT);
export const isOfManagementKey = ({ path }) => path.startsWith(MANAGEMENT_KEY);
