// Callers on connections of their own: each sends one call after the other and notes what came of it.
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "./client.mjs";

/**
 * One who calls isolates, and knows of every call when it was sent, when the origin saw it (never,
 * when it was refused), and how it was answered.
 */
export class Traffic {
  /**
   * Every call: { number, isolate, sent, answered, took, status, code, header(name) }; `broken` where
   * no answer came. `took` is in real milliseconds, whatever the clock of the test is.
   */
  calls = [];
  #ports;
  #origin;
  /** Connections that wait for a call, by isolate. */
  #idle = [];

  /** `ports()` are the isolates' ports, `origin` is a counting one. */
  constructor(ports, origin) {
    this.#ports = ports;
    this.#origin = origin;
  }

  /** One call to an isolate, on a connection that no other call is using. */
  async call(isolate, secret, { target = "/x", headers = {} } = {}) {
    // The runtime closes connections that were idle for some seconds.
    const idle = (this.#idle[isolate] = (this.#idle[isolate] ?? []).filter(({ ended }) => !ended));
    const connection = idle.pop() ?? (await connect(this.#ports()[isolate]));
    const call = { number: this.calls.length, isolate, sent: this.#origin.now() };
    this.calls.push(call);
    const began = performance.now();
    try {
      const answer = await connection.request(target, { headers: { "x-api-key": secret, "x-call": call.number, ...headers } });
      const code = answer.status >= 400 ? problemOf(answer) : undefined;
      Object.assign(call, { status: answer.status, code, header: answer.header });
    } catch (error) {
      call.broken = error.message;
    }
    call.answered = this.#origin.now();
    call.took = performance.now() - began;
    if (connection.ended || call.broken) connection.close();
    else this.#idle[isolate].push(connection);
    return call;
  }

  /** So many calls at once to each of the isolates, or to all. */
  async burst(secret, each, { isolates = this.#all(), ...options } = {}) {
    const called = isolates.flatMap((isolate) => Array.from({ length: each }, () => isolate));
    return Promise.all(called.map((isolate) => this.call(isolate, secret, options)));
  }

  /** Calls on so many connections to each of the isolates until `until(calls)` says so; between two calls each pauses. */
  async run({ secret, isolates = this.#all(), connections = 2, until, pauseMs = 0, ...options }) {
    const made = [];
    const lane = async (isolate) => {
      while (!until(made)) {
        made.push(await this.call(isolate, secret, options));
        if (pauseMs > 0) await sleep(pauseMs);
      }
    };
    await Promise.all(isolates.flatMap((isolate) => Array.from({ length: connections }, () => lane(isolate))));
    return made;
  }

  /** Those of the calls that were let through, with the time at which the origin saw each. */
  served(calls = this.calls) {
    const arrived = new Map(this.#origin.log.map(({ call, at }) => [call, at]));
    return calls.filter(({ number }) => arrived.has(number)).map((call) => ({ ...call, arrived: arrived.get(call.number) }));
  }

  #all() {
    return this.#ports().map((_, isolate) => isolate);
  }

  /** Ends all connections. */
  close() {
    for (const connection of this.#idle.flat()) connection.close();
    this.#idle = [];
  }
}

function problemOf({ header, text }) {
  return header("content-type")?.startsWith("application/problem+json") ? JSON.parse(text).code : "not a problem";
}

/** How often each came: `{ 200: 12, rate_limited: 3 }`. */
export function outcomes(calls) {
  const counts = {};
  for (const { code, status, broken } of calls) {
    const name = code ?? status ?? `broken: ${broken}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
