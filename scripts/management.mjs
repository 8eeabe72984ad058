// The management API as a few calls.

/** An answer of the management API that is not a success. */
export class Refused extends Error {
  constructor(status, problem) {
    super(`${status} ${problem?.code ?? ""}: ${problem?.detail ?? "no problem document"}`);
    this.status = status;
    this.problem = problem;
  }
}

/** Makes a management key of the account with the bootstrap secret, which can be done once. Returns the key's secret. */
export async function createManagementKey(base, bootstrap, name) {
  const { secret } = await new Management(base, () => bootstrap).call("POST", "/management-keys", { name });
  return secret;
}

/** Calls the management API of the gateway whose address `base()` gives at the time of the call, with the key that `key()` gives. */
export class Management {
  #base;
  #key;

  constructor(base, key) {
    this.#base = base;
    this.#key = key;
  }

  /** One call, an object as JSON, with `more` headers; the parsed body of a success, else `Refused`. */
  async call(method, path, body, more = {}) {
    const headers = { authorization: `Bearer ${await this.#key()}`, ...(body && { "content-type": "application/json" }), ...more };
    const sent = typeof body === "object" ? JSON.stringify(body) : body;
    const response = await fetch(`${this.#base()}/_keyward/v1${path}`, { method, headers, body: sent });
    const text = await response.text();
    const parsed = text.startsWith("{") ? JSON.parse(text) : undefined;
    if (!response.ok) throw new Refused(response.status, parsed);
    return parsed;
  }

  /** Creates a project. */
  createProject(id, name = id) {
    return this.call("POST", "/projects", { id, name });
  }

  /** Creates a project, or takes the one that is there. */
  async ensureProject(id, name = id) {
    try {
      return await this.createProject(id, name);
    } catch (error) {
      if (error.problem?.code !== "project_exists") throw error;
      return this.call("GET", `/projects/${id}`);
    }
  }

  /** Creates a key: { key, secret, publication }. */
  createKey(project, fields) {
    return this.call("POST", `/projects/${project}/keys`, fields);
  }

  /** Imports NDJSON, at most 1,000 lines: the report. */
  importKeys(project, lines) {
    return this.call("POST", `/projects/${project}/keys:import`, lines, { "content-type": "application/x-ndjson" });
  }

  showKey(project, id) {
    return this.call("GET", `/projects/${project}/keys/${id}`);
  }

  /** One page of the project's keys, newest first; `query` as in "limit=10&status=active". */
  listKeys(project, query = "") {
    return this.call("GET", `/projects/${project}/keys${query && `?${query}`}`);
  }

  deleteKey(project, id) {
    return this.call("DELETE", `/projects/${project}/keys/${id}`);
  }

  /** `action` is revoke, disable or enable. */
  changeKey(project, id, action) {
    return this.call("POST", `/projects/${project}/keys/${id}/${action}`);
  }
}
