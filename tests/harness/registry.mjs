// A gateway for tests of its registries: every detail of an answer of the management API, and the
// records that stand in KV.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { startKeyward } from "./keyward.mjs";

const BASE = "/_keyward/v1";

/** As `startKeyward`, with the built configuration and an origin that nobody calls. */
export function startRegistries(t, { vars, ...options } = {}) {
  return startKeyward(t, { vars: { DEMO_ORIGIN: "http://127.0.0.1:9", ...vars }, ...options });
}

/** Calls of the management API of one gateway, with a management key of the account or another secret. */
export class ManagementClient {
  #secret;

  /** `secret` stands in for the account's management key; null sends none. */
  constructor(keyward, secret) {
    this.keyward = keyward;
    this.#secret = secret;
  }

  /** The same gateway, called with another secret; null calls with none. */
  as(secret) {
    return new ManagementClient(this.keyward, secret);
  }

  /**
   * One call: { status, headers, body, text, took }. A `body` is sent as JSON, a `raw` as it is.
   * The answer's `body` is what its JSON says; of NDJSON it is the list of lines.
   */
  async call(method, path, { body, raw, headers = {} } = {}) {
    const secret = this.#secret === undefined ? await this.keyward.managementKey() : this.#secret;
    const began = Date.now();
    const response = await fetch(this.keyward.url + BASE + path, {
      method,
      headers: {
        ...(secret !== null && { authorization: `Bearer ${secret}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? raw : JSON.stringify(body),
      ...(raw instanceof ReadableStream && { duplex: "half" }),
    });
    const text = await response.text();
    const took = Date.now() - began;
    return { status: response.status, headers: response.headers, text, took, body: parsed(response, text) };
  }

  get(path) {
    return this.call("GET", path);
  }

  post(path, body, headers) {
    return this.call("POST", path, { body, headers });
  }

  /** A merge patch of the version that is given: a number, or "*" for any. */
  patch(path, body, version = "*") {
    return this.call("PATCH", path, { body, headers: { "if-match": version === "*" ? version : `"${version}"` } });
  }

  /** The same, where anything but a success is an error of the test. */
  async must(method, path, body) {
    const answer = await this.call(method, path, { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  async project(id) {
    return this.must("POST", "/projects", { id });
  }

  /** Creates a private key and returns { key, secret, publication }. */
  async key(project, fields = {}) {
    return this.must("POST", `/projects/${project}/keys`, fields);
  }

  /** `change` is revoke, rotate, disable, enable, undelete or delete. */
  async change(project, id, change, body) {
    const path = `/projects/${project}/keys/${id}`;
    return change === "delete" ? this.must("DELETE", path) : this.must("POST", `${path}/${change}`, body);
  }

  /** A management key of the account's making: { key, secret }. */
  async managementKey(fields) {
    return this.must("POST", "/management-keys", { name: "made by a test", ...fields });
  }

  /** All keys of a project. */
  keys(project) {
    return this.all(`/projects/${project}/keys`);
  }

  /** Every item of a list, page by page; `query` as in "status=active". */
  async all(path, query = "limit=100") {
    const items = [];
    let cursor = "";
    do {
      const page = await this.must("GET", `${path}?${query}${cursor && `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return items;
  }

  /** Every entry of the audit log of a project, or of the account, oldest first. */
  async audit(project) {
    return (await this.all(project === undefined ? "/audit" : `/projects/${project}/audit`)).reverse();
  }

  /** Every line of a project's export, page by page. */
  async exported(project, query = "limit=1000") {
    const lines = [];
    let cursor = "";
    do {
      const page = await this.call("GET", `/projects/${project}/keys:export?${query}${cursor && `&cursor=${cursor}`}`);
      assert.equal(page.status, 200, page.text);
      lines.push(...page.body);
      cursor = page.headers.get("keyward-next-cursor");
    } while (cursor);
    return lines;
  }

  /** Imports keys, one a line; a line that is text is sent as it is. */
  import(project, lines, { query = "", headers = {} } = {}) {
    const raw = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
    return this.call("POST", `/projects/${project}/keys:import${query}`, { raw, headers: { "content-type": "application/x-ndjson", ...headers } });
  }
}

function parsed(response, text) {
  if (text === "") return undefined;
  const ndjson = response.headers.get("content-type")?.startsWith("application/x-ndjson");
  return ndjson ? text.trimEnd().split("\n").map((line) => JSON.parse(line)) : JSON.parse(text);
}

/** The records that stand in KV, by key id. */
export function records(kv) {
  const all = kv.store.names().map((name) => record(kv.text(name)));
  return new Map(all.map((one) => [one.key_id, one]));
}

/** Every record of a key that stands in KV: { name, entry, ...record }, whatever the secret and the entry. */
export function recordsOf(kv, id) {
  const all = kv.store.names().map((name) => ({ name, entry: name.split("/")[1], ...record(kv.text(name)) }));
  return all.filter(({ key_id }) => key_id === id);
}

/** The record inside a value of KV. */
export function record(value) {
  return JSON.parse(value.slice(value.indexOf("\n") + 1));
}

/** The name in KV of a key's record, as the service has seen it so far. */
export function nameOf(kv, id) {
  return kv.recorded("put").find(({ text }) => record(text).key_id === id)?.name;
}

/** What a busy machine may take longer than a quiet one. */
const BUSY_MS = 20_000;

/** Waits until `holds` no longer throws nor returns false: on a quiet machine for at most `millis`. */
export async function eventually(holds, millis) {
  const until = Date.now() + millis + BUSY_MS;
  for (;;) {
    try {
      if ((await holds()) !== false) return;
      if (Date.now() > until) throw new Error("it has not come to hold in time");
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await sleep(50);
  }
}
