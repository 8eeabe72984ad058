// The account registry by itself: calls as the management API sends them, at any time of its clock.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { startKeyward } from "./keyward.mjs";

const DIRECT = { name: "src/direct.mjs", path: fileURLToPath(new URL("direct.mjs", import.meta.url)) };

export const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Starts a gateway that hands every call to its registries. */
export async function startAccount(t) {
  return new Account(await startKeyward(t, { kv: "memory", change: (modules) => [DIRECT, ...modules] }));
}

export class Account {
  constructor(keyward) {
    this.keyward = keyward;
  }

  /** Stops the registry's clock at this time, in milliseconds or as a date. */
  async at(time) {
    const millis = typeof time === "number" ? time : Date.parse(time);
    await fetch(`${this.keyward.url}/clock/${millis}`);
  }

  /** Runs a query on the registry's own database. */
  rows(query) {
    const folder = join(this.keyward.objects, "AccountRegistry");
    const file = readdirSync(folder).find((name) => /^[0-9a-f]+\.sqlite$/.test(name));
    const database = new DatabaseSync(join(folder, file), { readOnly: true });
    try {
      return database.prepare(query).all();
    } finally {
      database.close();
    }
  }

  /** One call: the reply as it is. */
  async ask(command, { by = "Keyward", idempotency = null, request_id = "req" } = {}) {
    const call = { by, ip: "192.0.2.1", request_id, idempotency, command };
    const response = await fetch(`${this.keyward.url}/ACCOUNT/account`, { method: "POST", body: JSON.stringify(call) });
    assert.equal(response.status, 200, JSON.stringify(command));
    return response.json();
  }

  /** The item that a call shows, with its version as `etag`. */
  async item(command, options) {
    const reply = await this.ask(command, options);
    assert.ok(reply.Item, JSON.stringify(reply));
    return Object.assign(reply.Item.item, { etag: reply.Item.version });
  }

  /** Asserts that a call is refused with this code; returns the fields that are wrong. */
  async refuses(code, command, options) {
    const reply = await this.ask(command, options);
    assert.equal(reply.Refused?.code, code, JSON.stringify(reply));
    return reply.Refused.errors.map(({ field }) => field);
  }

  /** Makes a management key: { id, digest, key }. Without a caller, the bootstrap secret makes it. */
  async make(fields, { caller, bootstrap } = {}) {
    const made = newKey(fields, { caller, bootstrap });
    const key = await this.item({ CreateManagementKey: made }, { by: caller ? { ManagementKey: caller } : "Bootstrap" });
    return { id: made.id, digest: made.secret.digest, secret: made.secret.id, key };
  }

  /** Does something with a key, called by another. */
  act(id, act, caller, if_match = null) {
    return this.item(on(id, act, caller, if_match), { by: { ManagementKey: caller } });
  }

  /** Whether this secret is accepted now. */
  async accepts(digest) {
    const reply = await this.ask({ Authenticate: { digest } });
    if (reply.Refused) assert.equal(reply.Refused.code, "key_invalid");
    return reply.Principal !== undefined;
  }
}

/** The command that does something with a management key. */
export const on = (id, act, caller, if_match = null) => ({ ManagementKey: { id, caller: { id: caller }, if_match, act } });

/** What the management API sends to make a management key. */
export function newKey(fields, { caller = null, bootstrap = null } = {}) {
  return { id: id("key", 20), fields, secret: newSecret(), caller: { id: caller }, bootstrap };
}

/** What a registry is told of a new secret. */
export function newSecret() {
  const digest = randomBytes(32).toString("hex");
  return { id: id("sec", 12), digest, sealed: "", redacted: `kw_mk_live_…${digest.slice(0, 4)}` };
}

const id = (prefix, length) => `${prefix}_${randomBytes(length).toString("hex").slice(0, length)}`;
