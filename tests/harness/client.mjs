// An HTTP/1.1 client on a bare socket: it sends exactly the bytes that a test asks for, keeps the
// header lines as they came, and never repairs anything.
import { once } from "node:events";
import { connect as open } from "node:net";
import { parseHead, readBody } from "./client-response.mjs";

const PATIENCE_MS = 15_000;

/** One request on its own connection: see `Connection.request`. */
export async function request(port, target, options) {
  const connection = await connect(port);
  try {
    return await connection.request(target, options);
  } finally {
    connection.close();
  }
}

/** A connection that stays open between requests. */
export async function connect(port) {
  const socket = open(port, "127.0.0.1");
  await once(socket, "connect");
  return new Connection(socket);
}

class Connection {
  #socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #news = () => {};

  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#news();
    });
    const end = () => {
      this.#ended = true;
      this.#news();
    };
    socket.on("close", end).on("end", end).on("error", end);
  }

  /** Whether the other side has ended the connection. */
  get ended() {
    return this.#ended;
  }

  /**
   * Sends a request and reads its answer. `headers` is an object or a list of [name, value], sent as
   * given; `host` and, for a body, `content-length` are added unless named. Text is sent as Latin-1
   * where it is a header, so that any byte can be written.
   */
  async request(target, { method = "GET", headers = {}, body, host = "localhost" } = {}) {
    const lines = Array.isArray(headers) ? [...headers] : Object.entries(headers);
    const named = (name) => lines.some(([other]) => other.toLowerCase() === name);
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
    if (!named("host")) lines.unshift(["host", host]);
    if (body !== undefined && !named("content-length") && !named("transfer-encoding")) lines.push(["content-length", bytes.length]);
    const head = [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
    this.write(Buffer.concat([Buffer.from(head, "latin1"), bytes]));
    return this.response({ method });
  }

  /** Sends bytes as they are; a text as Latin-1. */
  write(bytes) {
    this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Reads the next answer: { status, lines, header(name), values(name), bytes, text, json(), complete }. */
  async response({ method = "GET" } = {}) {
    const head = await this.head();
    const { bytes, complete } = await readBody(head, method, this.#source);
    const text = bytes.toString();
    return { ...head, bytes, text, complete, json: () => JSON.parse(text) };
  }

  /** Reads only the head of the next answer; the body stays for `take`. */
  async head() {
    const end = await this.#until(() => this.#received.indexOf("\r\n\r\n") + 1);
    if (!end) throw new Error(`no answer: ${JSON.stringify(this.#received.toString("latin1").slice(0, 200))}`);
    return parseHead(this.#cut(end + 3).toString("latin1"));
  }

  /** The next bytes of the body as they come, at least one; empty when the connection has ended. */
  async take() {
    await this.#until(() => this.#received.length);
    return this.#cut(this.#received.length);
  }

  /** Ends the connection at once. */
  close() {
    this.#socket.destroy();
  }

  #source = {
    /** Exactly `length` bytes, or fewer when the connection ends before. */
    exactly: async (length) => {
      await this.#until(() => this.#received.length >= length);
      return this.#cut(Math.min(length, this.#received.length));
    },
    line: async () => {
      const end = await this.#until(() => this.#received.indexOf("\r\n") + 1);
      return end ? this.#cut(end + 1).toString("latin1").slice(0, -2) : undefined;
    },
    rest: async () => {
      await this.#until(() => false);
      return this.#cut(this.#received.length);
    },
  };

  #cut(length) {
    const cut = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return cut;
  }

  /** Waits until `found` gives something true, or the connection has ended. */
  async #until(found) {
    const limit = Date.now() + PATIENCE_MS;
    while (!found() && !this.#ended) {
      const left = limit - Date.now();
      if (left <= 0) throw new Error(`nothing has come for ${PATIENCE_MS} ms`);
      let timer;
      await new Promise((resolve) => {
        this.#news = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
    return found();
  }
}
