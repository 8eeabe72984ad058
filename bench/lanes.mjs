// Calls on several connections at once, each its own, with as little work as can be, and at a bounded
// pace where one is given.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const LANES = 64;

/** Calls to one port of this machine. */
export class Lanes {
  #port;

  constructor(port) {
    this.#port = port;
  }

  /**
   * Makes `count` calls, numbered from 0: `request(number)` is { method, target, headers, body }, and
   * `answered({ number, status, text })` is told of each. `perSecond` is the pace; without it there is
   * none. No call begins later than `forMs`. A connection that ends under a call is an error, unless
   * it was kept from the call before.
   */
  async run(count, request, answered, { perSecond = Infinity, forMs = Infinity } = {}) {
    const began = performance.now();
    let next = 0;
    const lane = async () => {
      const connection = new Connection(this.#port);
      try {
        while (next < count && performance.now() - began < forMs) {
          const number = next++;
          const early = began + (number / perSecond) * 1000 - performance.now();
          if (early > 1) await sleep(early);
          answered({ number, ...(await connection.call(written(request(number)))) });
        }
      } finally {
        connection.end();
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, count) }, lane));
  }
}

function written({ method = "GET", target = "/x", headers = {}, body = "" }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\nhost: localhost\r\n${lines.join("")}\r\n${body}`;
}

class Connection {
  #port;
  #socket;
  #received = "";
  #wake = () => {};

  constructor(port) {
    this.#port = port;
  }

  async call(text) {
    const kept = this.#socket !== undefined;
    const answer = await this.#exchange(text);
    if (answer) return answer;
    // The runtime ends connections that were idle, perhaps while a call was on its way.
    const again = kept && (await this.#exchange(text));
    if (again) return again;
    throw new Error("a connection has ended without an answer");
  }

  end() {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #exchange(text) {
    this.#socket ??= this.#open();
    this.#socket.write(text);
    for (;;) {
      const answer = this.#take();
      if (answer) return answer;
      if (this.#socket === undefined) return undefined;
      await new Promise((wake) => (this.#wake = wake));
    }
  }

  #open() {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true }).setEncoding("latin1");
    this.#received = "";
    const ended = () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#wake();
    };
    return socket.on("error", () => {}).on("close", ended).on("data", (part) => {
      this.#received += part;
      this.#wake();
    });
  }

  /** The answer, once all of it has come. All that is called here says how long its answers are. */
  #take() {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const head = this.#received.slice(0, end);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return undefined;
    const text = this.#received.slice(end + 4, end + 4 + length);
    this.#received = "";
    return { status: Number(head.slice(9, 12)), text };
  }
}
