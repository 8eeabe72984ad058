// A KV service in the test's own process: it records every operation, outlives the gateway, and
// can be made to fail, to be slow, and to lie about what it has done.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { answer, KvStore, parse } from "./kv-protocol.mjs";

/** What a faulty KV does. A time is milliseconds, or a promise to wait for. */
export const fault = {
  /** Refuses, and changes nothing. */
  fail: (status = 500) => ({ apply: "never", status }),
  /** Takes a time before it does anything. */
  slow: (time) => ({ before: time }),
  /** Changes at once, and answers after a time. */
  answerLate: (time) => ({ after: time }),
  /** Answers at once, and changes after a time. */
  applyLate: (time) => ({ apply: "late", lateBy: time }),
  /** Changes, and says that it has failed. */
  errorAfterApplying: (status = 500) => ({ status }),
  /** Closes the connection without an answer and changes nothing. */
  drop: () => ({ apply: "never", status: null }),
};

const wait = (time) => (typeof time === "number" ? sleep(time) : time);

/** Starts a KV service; `t` closes it. */
export async function startKv(t, kv = new Kv()) {
  await kv.listen();
  t.after(() => kv.stop());
  return kv;
}

export class Kv {
  store = new KvStore();
  /** Every operation in the order of its arrival: { operation, isolate, name, text, at, answered, applied }. */
  operations = [];
  #faults = [];
  #server = createServer((incoming, outgoing) => this.#serve(incoming, outgoing));

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.address = `127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /**
   * The next `times` operations of a kind ("get", "put", "delete", "list", "bulk"), or those whose
   * name `only` accepts, behave like `behaviour`. Returns a function that ends it.
   */
  break(operation, behaviour, { times = Infinity, only = () => true } = {}) {
    const entry = { operation, behaviour, times, only };
    this.#faults.push(entry);
    return () => void (entry.times = 0);
  }

  /** Every later operation works again. */
  repair() {
    this.#faults = [];
  }

  /** The stored text under a name, or undefined. */
  text(name) {
    const entry = this.store.get(name);
    return entry && new TextDecoder().decode(entry.value);
  }

  /** Stores a text as if somebody else had written it. */
  put(name, text, metadata = null) {
    const value = new TextEncoder().encode(text);
    this.store.apply({ operation: "put", name, entry: { value, metadata, expiration: null } });
  }

  /** Removes a name as if somebody else had. */
  delete(name) {
    this.store.apply({ operation: "delete", name });
  }

  /** The recorded operations of one kind. */
  recorded(operation) {
    return this.operations.filter((record) => record.operation === operation);
  }

  /** The store as an isolate sees it when it reads a name. */
  seenBy() {
    return this.store;
  }

  #fault(asked) {
    const found = this.#faults.find(
      ({ operation, times, only }) => operation === asked.operation && times > 0 && only(asked.name),
    );
    if (found) found.times -= 1;
    return found?.behaviour ?? {};
  }

  async #serve(incoming, outgoing) {
    const asked = await parse(await webRequest(incoming));
    const text = asked.entry && new TextDecoder().decode(asked.entry.value);
    const isolate = incoming.headers["x-isolate"];
    const record = { operation: asked.operation, isolate, name: asked.name, text, at: Date.now(), answered: null, applied: null };
    this.operations.push(record);
    const { before, apply = "now", lateBy, after, status } = this.#fault(asked);
    const change = () => {
      this.store.apply(asked);
      record.applied = Date.now();
    };
    await wait(before);
    if (apply === "now") change();
    if (apply === "late") wait(lateBy).then(change);
    const response = answer(this.seenBy(isolate, asked.name), asked);
    await wait(after);
    record.answered = Date.now();
    if (status === null) return void incoming.socket.destroy();
    outgoing.writeHead(status ?? response.status, Object.fromEntries(response.headers));
    outgoing.end(new Uint8Array(await response.arrayBuffer()));
  }
}

async function webRequest(incoming) {
  const chunks = await incoming.toArray();
  const { method, url, headers } = incoming;
  const body = ["GET", "HEAD"].includes(method) ? null : Buffer.concat(chunks);
  const metadata = headers["cf-kv-metadata"];
  return new Request(`http://kv${url}`, { method, body, headers: metadata ? { "cf-kv-metadata": metadata } : {} });
}
