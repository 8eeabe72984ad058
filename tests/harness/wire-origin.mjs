// An origin on a bare socket: it keeps the bytes of every request, and answers with any bytes.
import { once } from "node:events";
import { createServer } from "node:net";
import { parseHead } from "./client-response.mjs";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** Starts one; `t` closes it. `answers` are texts by path, sent as Latin-1, or functions of the socket. */
export async function startWireOrigin(t, answers = {}) {
  const origin = new WireOrigin(answers);
  await origin.listen();
  t.after(() => origin.stop());
  return origin;
}

class WireOrigin {
  /** Every request, oldest first: { method, target, path, lines, values(name), head }, text in Latin-1. */
  requests = [];
  #answers;
  #sockets = new Set();
  #server = createServer((socket) => this.#serve(socket));

  constructor(answers) {
    this.#answers = answers;
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  /** Forgets what has arrived. */
  forget() {
    this.requests.length = 0;
  }

  /** How many connections are open. */
  get open() {
    return this.#sockets.size;
  }

  #serve(socket) {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket)).on("error", () => {});
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      const [head, ...rest] = received.split("\r\n\r\n");
      const body = rest.join("\r\n\r\n");
      if (rest.length === 0) return;
      const request = read(head);
      const length = Number(request.values("content-length")[0] ?? 0);
      if (body.length < length) return;
      received = body.slice(length);
      this.requests.push(request);
      const answer = this.#answers[request.path] ?? OK;
      if (typeof answer === "function") answer(socket);
      else socket.write(Buffer.from(answer, "latin1"));
    });
  }
}

function read(head) {
  const [first, ...rest] = head.split("\r\n");
  const [, method, target] = first.match(/^(\S+) (\S+) HTTP\/1\.1$/);
  const { lines, values } = parseHead(["HTTP/1.1 200 ", ...rest].join("\r\n"));
  return { method, target, path: target.split("?")[0], lines, values, head };
}
