// A gateway for tests of its registries: every detail of an answer of the management API, and the
// records that stand in KV.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { SECRETS, startKeyward } from "./keyward.mjs";

const BASE = "/_keyward/v1";

/** As `startKeyward`, with the built configuration and an origin that nobody calls. */
export function startRegistries(t, { vars } = {}) {
  return startKeyward(t, { vars: { DEMO_ORIGIN: "http://127.0.0.1:9", ...vars } });
}

/** Calls of the management API of one gateway, with the bootstrap key. */
export class ManagementClient {
  constructor(keyward) {
    this.keyward = keyward;
  }

  /** One call: { status, headers, body, text, took }. A `body` is sent as JSON, a `raw` as it is. */
  async call(method, path, { body, raw, headers = {} } = {}) {
    const began = Date.now();
    const response = await fetch(this.keyward.url + BASE + path, {
      method,
      headers: {
        authorization: `Bearer ${SECRETS.KEYWARD_BOOTSTRAP_KEY}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? raw : JSON.stringify(body),
      ...(raw instanceof ReadableStream && { duplex: "half" }),
    });
    const text = await response.text();
    const took = Date.now() - began;
    return { status: response.status, headers: response.headers, text, took, body: text ? JSON.parse(text) : undefined };
  }

  get(path) {
    return this.call("GET", path);
  }

  post(path, body) {
    return this.call("POST", path, { body });
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

  /** `change` is revoke, disable, enable or delete. */
  async change(project, id, change) {
    const path = `/projects/${project}/keys/${id}`;
    return change === "delete" ? this.must("DELETE", path) : this.must("POST", `${path}/${change}`);
  }

  /** All keys of a project. */
  async keys(project) {
    const keys = [];
    let cursor = "";
    do {
      const page = await this.must("GET", `/projects/${project}/keys?limit=100${cursor && `&cursor=${cursor}`}`);
      keys.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return keys;
  }
}

/** The records that stand in KV, by key id. */
export function records(kv) {
  const all = kv.store.names().map((name) => record(kv.text(name)));
  return new Map(all.map((one) => [one.key_id, one]));
}

/** The record inside a value of KV. */
export function record(value) {
  return JSON.parse(value.slice(value.indexOf("\n") + 1));
}

/** The name in KV of a key's record, as the service has seen it so far. */
export function nameOf(kv, id) {
  return kv.recorded("put").find(({ text }) => record(text).key_id === id)?.name;
}

/** Waits until `holds` no longer throws nor returns false, for at most `millis`. */
export async function eventually(holds, millis) {
  const until = Date.now() + millis;
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
