// Sends calls from a thread of its own, so that what is measured here waits for nothing.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { median, quantile } from "./statistics.mjs";

const CONNECTIONS = 32;

/** Starts the thread; `t` ends it. */
export async function startSender(t) {
  const worker = new Worker(new URL("sender-thread.mjs", import.meta.url));
  t.after(() => worker.terminate());
  await once(worker, "online");
  return new Sender(worker);
}

class Sender {
  #worker;

  constructor(worker) {
    this.#worker = worker;
  }

  /**
   * Makes a lane known: { name, port, requests, expected }. Its requests are sent in turn, and the
   * next calls go on where the last ones ended. An answer is right when it has the status of
   * `expected` and `contains` its text.
   */
  add({ name, port, requests, expected }) {
    this.#worker.postMessage({ lane: { name, port, requests, expected } });
  }

  /** Sends calls of a lane: { ms, p50, p99, wrong, sample, last }, times in milliseconds; see sender-thread.mjs. */
  async send(name, count, connections = CONNECTIONS) {
    this.#worker.postMessage({ calls: { of: name, count }, connections });
    const [{ result, error }] = await once(this.#worker, "message");
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    const { times, ...rest } = result;
    return { ...rest, p50: median(times), p99: quantile(times, 0.99) };
  }
}

/** The text of a request without a body; `headers` is an object. */
export function requestText(target, headers, method = "GET") {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
