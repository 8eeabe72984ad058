// Meters by themselves: commands as gateways and registries send them, at any time of the clock.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { startKeyward } from "./keyward.mjs";

const DIRECT = { name: "src/entry.mjs", path: fileURLToPath(new URL("direct-meter.mjs", import.meta.url)) };
const BREAKABLE = fileURLToPath(new URL("breakable-meter.mjs", import.meta.url));
const GLUE = "build/meter.js";
const DAY = 86_400_000;

/** The key and the project that the tests ask about, and their meters. */
export const KEY = { project: "acme", of: { key: "key_1" } };
export const OWNER = { project: "acme", of: { owner: "customer/1" } };
export const PROJECT = { project: "acme", of: "project" };

const object = ({ project, of }) => (of.key ? `k/${project}/${of.key}` : of.owner ? `o/${project}/${of.owner}` : `p/${project}`);

/** Starts meters at noon of a day, with a registry that answers what the test says. */
export async function startMeters(t, registry = knows(), { vars } = {}) {
  const fronted = (module) => (module.name === GLUE ? [{ name: GLUE, path: BREAKABLE }, { ...module, name: "build/built-meter.js" }] : [module]);
  const change = ([entry, ...modules]) => [DIRECT, { ...entry, name: "src/gateway-entry.mjs" }, ...modules.flatMap(fronted)];
  const meters = new Meters(await startKeyward(t, { kv: "memory", clock: true, vars, change }));
  await meters.clock.stop();
  await meters.clock.advanceTo((Math.floor(meters.now / DAY) + 1.5) * DAY);
  await meters.registry(registry);
  return meters;
}

class Meters {
  #numbers = new Map();

  constructor(keyward) {
    this.keyward = keyward;
  }

  async #post(name, body) {
    return fetch(`${this.keyward.url}/${encodeURIComponent(name)}`, { method: "POST", body });
  }

  get clock() {
    return this.keyward.clock;
  }

  /** The time that the meters see; only the test moves it. */
  get now() {
    return this.clock.now();
  }

  /** An exchange that is given up after so long. */
  async hurried(isolate, number, patience) {
    const ask = { isolate, number, need: 0, want: 0, leases: [] };
    const body = JSON.stringify({ subject: KEY, command: { exchange: { ask, holds: null, usage: null } } });
    const name = encodeURIComponent(object(KEY));
    const response = fetch(`${this.keyward.url}/${name}`, { method: "POST", body, signal: AbortSignal.timeout(patience) });
    return (await response.catch(() => ({ status: "given up" }))).status;
  }

  /** What the registry answers from now on: { metering, status, wait }. */
  async registry(answer) {
    await this.#post("registry", JSON.stringify(answer));
  }

  /** What the registry was asked since this was asked last: [{ by, command }]. */
  async asked() {
    return (await this.#post("asked")).json();
  }

  /** Lets the module panic at the next command. */
  async break() {
    await this.#post("break");
  }

  /** The data points that were written since this was asked last. */
  async points() {
    return (await this.#post("points")).json();
  }

  /** How it was used, as [start, counts], over the last days. */
  async usage(by, subject = KEY, days = 800) {
    const since = this.now - days * DAY;
    return (await this.ask(subject, { usage: { since, until: this.now + DAY, by } })).usage;
  }

  /** Sends a text to a meter. */
  send(subject, text) {
    return this.#post(object(subject), text);
  }

  /** One command: the status, or the reply when it is 200. */
  async ask(subject, command) {
    const response = await this.send(subject, JSON.stringify({ subject, command }));
    return response.status === 200 ? response.json() : response.status;
  }

  /** An exchange of an isolate, with the next number or a given one: the status, or what it got. */
  async exchange(isolate, { subject = KEY, number, need = 0, want = 0, leases = [], holds = null, usage = null, version } = {}) {
    const next = number ?? (this.#numbers.get(isolate) ?? 0) + 1;
    this.#numbers.set(isolate, next);
    const ask = { isolate, number: next, need, want, leases };
    const reply = await this.ask(subject, { exchange: { ask, holds, usage, version } });
    return reply.exchanged ?? reply;
  }

  /** The number of rows that are written to the tables of all meters while something is done. */
  async written(act) {
    const tables = ["part", "isolate", "usage", "source"];
    const events = tables.flatMap((table) => ["INSERT", "UPDATE", "DELETE"].map((event) => [table, event]));
    await this.keyward.kill();
    this.rows("CREATE TABLE IF NOT EXISTS written (name TEXT)", { readOnly: false });
    for (const [table, event] of events) {
      this.rows(`CREATE TRIGGER IF NOT EXISTS ${event}_${table} AFTER ${event} ON ${table} BEGIN INSERT INTO written VALUES ('${table}'); END`, { readOnly: false });
    }
    await this.keyward.restart();
    const count = () => this.rows("SELECT count(*) AS count FROM written").reduce((sum, { count }) => sum + count, 0);
    const before = count();
    await act();
    return count() - before;
  }

  /** The registry tells: { version, leased_ms, credits }. */
  async tell(knowledge, subject = KEY) {
    return (await this.ask(subject, { tell: knowledge })).told;
  }

  /** Runs statements on the databases of all meters, which may not be in use if they write. */
  rows(query, { readOnly = true } = {}) {
    const folder = join(this.keyward.objects, "Meter");
    const files = readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name));
    return files.flatMap((file) => {
      const database = new DatabaseSync(join(folder, file), { readOnly });
      try {
        return database.prepare(query).all().map((row) => ({ ...row }));
      } finally {
        database.close();
      }
    });
  }
}

/** What the registry knows of the key. */
export function knowledge(fields = {}) {
  const version = fields.version ?? 1;
  return { version, limits: {}, records: [record({ version })], credits: [], ...fields };
}

/** A record of the key as KV has it. */
export function record(fields = {}) {
  return {
    schema: 1,
    project: "acme",
    environment: "live",
    key_id: "key_1",
    secret_id: "sec_1",
    kind: "private",
    version: 1,
    status: "active",
    restrictions: {},
    ...fields,
  };
}

/** A registry that knows this of the key. */
export const knows = (fields) => ({ metering: { Metering: knowledge(fields) } });

/** Asserts that a reply is an answer, and returns it. */
export function answered(reply) {
  assert.equal(typeof reply, "object", `status ${reply}`);
  return reply;
}
