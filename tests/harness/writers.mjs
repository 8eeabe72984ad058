// Writers that change keys while the gateway dies under them: each repeats a call until it is
// answered, knows what its keys must look like then, and says so when an answer contradicts it.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { pick } from "./random.mjs";

const AGAIN_MS = 30;
/** What may be done to a key in a state. */
const MOVES = {
  active: ["patch", "patch", "rotate", "disable", "revoke", "delete"],
  disabled: ["patch", "rotate", "enable", "enable", "revoke", "delete"],
  revoked: ["delete"],
  deleted: ["undelete"],
};
const LEADS_TO = { disable: "disabled", enable: "active", revoke: "revoked", delete: "deleted" };

/** Repeats a call until it is answered, by the gateway and not by its end. */
export async function answered(call) {
  for (;;) {
    const answer = await call().catch((error) => {
      if (error.name !== "TypeError") throw error; // what `fetch` throws when the connection breaks
    });
    if (answer && answer.status < 500) return answer;
    await sleep(AGAIN_MS);
  }
}

/** Makes projects and management keys for them, of which it revokes every second; each call is repeated until it is answered. */
export class AccountWriter {
  /** What must be there: { status } by the id of a management key, and the ids of projects. */
  keys = new Map();
  projects = [];
  acknowledged = [];
  #api;

  constructor(api) {
    this.#api = api;
  }

  async #post(path, body) {
    const request = `account-${this.acknowledged.length}`;
    const answer = await answered(() => this.#api.post(path, body, { "cf-ray": request, "idempotency-key": request }));
    assert.ok(answer.status < 300, `${path}: ${answer.status} ${answer.text}`);
    this.acknowledged.push(request);
    return answer.body;
  }

  async change() {
    const { id } = await this.#post("/projects", { id: `made-${this.projects.length}` });
    this.projects.push(id);
    const { key } = await this.#post("/management-keys", { name: id, project: id });
    const revoked = this.projects.length % 2 === 0;
    if (revoked) await this.#post(`/management-keys/${key.id}/revoke`);
    this.keys.set(key.id, revoked ? "revoked" : "active");
  }
}

/** Changes keys of its own in one project, one change after the other. */
export class Writer {
  /** What its keys must be: { version, status, before, step, secrets } by id. */
  keys = new Map();
  /** The request of every change that was acknowledged. */
  acknowledged = [];
  /** How many answers were lost after the change had been made, and given again. */
  repeated = 0;
  #api;
  #project;
  #name;
  #random;
  #step = 0;

  constructor(api, project, name, random) {
    this.#api = api;
    this.#project = project;
    this.#name = name;
    this.#random = random;
  }

  /** One change, acknowledged. */
  async change() {
    this.#step += 1;
    const ids = [...this.keys.keys()];
    if (ids.length < 3 || this.#random() < 0.2) return this.#create();
    const id = pick(this.#random, ids);
    const key = this.keys.get(id);
    await this.#move(id, key, pick(this.#random, MOVES[key.status]));
  }

  /** The same request each time that it is repeated, by its name in the audit log and by its Idempotency-Key. */
  #headers(more) {
    const request = `${this.#name}-${this.#step}`;
    return { "cf-ray": request, "idempotency-key": request, ...more };
  }

  #acknowledge(answer, key) {
    assert.ok(answer.status < 300, `${answer.status} ${answer.text}`);
    this.acknowledged.push(`${this.#name}-${this.#step}`);
    if (answer.headers.get("idempotency-replayed") === "true") this.repeated += 1;
    if (answer.body.key) assert.deepEqual([answer.body.key.version, answer.body.key.status], [key.version, key.status]);
  }

  async #create() {
    const name = `${this.#name}-${this.#step}`;
    const headers = this.#headers();
    const answer = await answered(() => this.#api.post(`/projects/${this.#project}/keys`, { name }, headers));
    const key = { version: 1, status: "active", name, secrets: 1 };
    this.#acknowledge(answer, key);
    assert.ok(!this.keys.has(answer.body.key.id));
    this.keys.set(answer.body.key.id, key);
  }

  async #move(id, key, move) {
    const path = `/projects/${this.#project}/keys/${id}`;
    const match = { "if-match": `"${key.version}"` };
    key.version += 1;
    if (move === "delete") key.before = key.status;
    key.status = move === "undelete" ? key.before : (LEADS_TO[move] ?? key.status);
    if (move === "rotate") key.secrets += 1;
    if (move === "patch") key.name = `${this.#name}-${this.#step}`;
    if (move === "patch" || move === "delete") return this.#conditional(path, key, move, match);
    const body = move === "rotate" ? { overlap: 0 } : {};
    this.#acknowledge(await answered(() => this.#api.post(`${path}/${move}`, body, this.#headers(match))), key);
  }

  /** A change that only its version makes safe to repeat: when it was made and the answer lost, the next one is 412. */
  async #conditional(path, key, move, match) {
    const [method, body] = move === "patch" ? ["PATCH", { name: key.name }] : ["DELETE", undefined];
    let tries = 0;
    const answer = await answered(() => {
      tries += 1;
      return this.#api.call(method, path, { body, headers: this.#headers(match) });
    });
    if (answer.status !== 412) return this.#acknowledge(answer, key);
    assert.ok(tries > 1, "nobody else changes this key");
    this.repeated += 1;
    const shown = await answered(() => this.#api.get(path));
    this.#acknowledge({ ...shown, body: { key: shown.body } }, key);
  }
}
