// An origin on loopback that records every request as it arrived, and answers as its path says.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";
import { patternStream } from "./pattern.mjs";

const KEPT_BYTES = 65_536;

/** Starts an origin; `t` closes it. `answers` are more paths, or others for the known ones. */
export async function startOrigin(t, answers = {}) {
  const origin = new Origin({ ...ANSWERS, ...answers });
  await origin.listen();
  t.after(() => origin.stop());
  return origin;
}

/**
 * What the origin answers by path, as a function of the node request and response, and the recorded
 * request with its query. It runs when the body has arrived, except for those with `early`.
 */
const ANSWERS = {
  /** What has arrived, as JSON. */
  "/echo": (_, response, { method, target, lines, text, hash, length }) =>
    json(response, { method, target, headers: lines, body: text, hash, length }),
  /** Any status, with a body where the status may have one: ?is=418 */
  "/status": (_, response, { query }) => {
    const status = Number(query.get("is"));
    response.writeHead(status).end([204, 205, 304].includes(status) ? undefined : `status ${status}`);
  },
  /** A redirect: ?to=https://elsewhere.example/&status=302 */
  "/redirect": (_, response, { query }) =>
    response.writeHead(Number(query.get("status") ?? 302), { location: query.get("to") }).end("moved"),
  /** Any headers: ?name=value */
  "/headers": (_, response, { query }) => {
    for (const [name, value] of query) response.appendHeader(name, value);
    response.end("headers");
  },
  /** Known bytes: ?length=100000000, with &chunked=1 without a length. */
  "/bytes": (_, response, { query }) => {
    const length = Number(query.get("length"));
    response.writeHead(200, query.has("chunked") ? {} : { "content-length": length });
    patternStream(length).pipe(response);
  },
  /** The headers come late: ?ms=500 */
  "/slow": async (_, response, { query }) => {
    await sleep(Number(query.get("ms")), undefined, { ref: false });
    response.end("slow");
  },
  /** Events until their number is reached or the client leaves: ?count=5&every=100 (ms) */
  "/events": async (_, response, { query }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let index = 1; index <= Number(query.get("count") ?? 3) && !response.destroyed; index += 1) {
      response.write(`id: ${index}\ndata: {"event":${index}}\n\n`);
      await sleep(Number(query.get("every") ?? 50), undefined, { ref: false });
    }
    response.end();
  },
  /** Half of the promised body, then the end of the connection. */
  "/close": (_, response) => {
    response.writeHead(200, { "content-length": 2000 });
    response.write("x".repeat(1000), () => response.socket.destroy());
  },
  /** No answer at all: the connection ends. */
  "/drop": (_, response) => response.socket.destroy(),
  /** Never answers. */
  "/hang": () => {},
  /** Switches protocols although nobody has asked. */
  "/switch": (_, response) => response.socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n"),
  /** Answers before it has read the body. */
  "/early": Object.assign((_, response) => response.writeHead(413).end("too large"), { early: true }),
};

class Origin {
  /** Every request, oldest first; see `#record`. */
  requests = [];
  /** Requests whose client left before the answer was complete. */
  left = [];
  #answers;
  #server = createServer((request, response) => this.#serve(request, response));
  #webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });

  constructor(answers) {
    this.#answers = answers;
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.keepAliveTimeout = 0;
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async stop() {
    for (const socket of this.#webSockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** The newest request. */
  get last() {
    return this.requests.at(-1);
  }

  /** Forgets what has arrived. */
  forget() {
    this.requests.length = 0;
    this.left.length = 0;
  }

  #record(request) {
    const { method, url: target, rawHeaders } = request;
    const lines = [];
    for (let index = 0; index < rawHeaders.length; index += 2) lines.push([rawHeaders[index], rawHeaders[index + 1]]);
    const { pathname: path, searchParams: query } = new URL(target, "http://origin");
    const record = { method, target, path, query, lines, text: "", hash: null, length: 0 };
    /** All values of a header, in their order; `_` and case as they arrived do not matter for the name. */
    record.values = (name) => lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
    this.requests.push(record);
    return record;
  }

  async #serve(request, response) {
    const record = this.#record(request);
    response.on("close", () => response.writableFinished || this.left.push(record));
    const answer = this.#answers[record.path] ?? ANSWERS["/echo"];
    const body = this.#receive(request, record);
    if (!answer.early) await body;
    if (!response.destroyed) await answer(request, response, record);
  }

  async #receive(request, record) {
    const hash = createHash("sha256");
    const kept = [];
    try {
      for await (const chunk of request) {
        hash.update(chunk);
        if (record.length < KEPT_BYTES) kept.push(chunk);
        record.length += chunk.length;
      }
    } catch {
      record.broken = true;
    }
    record.text = Buffer.concat(kept).toString();
    record.hash = hash.digest("hex");
  }

  /** Web sockets echo what they receive, and close with the code that they are given. */
  #upgrade(request, socket, head) {
    this.#record(request);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("message", (data, binary) => webSocket.send(data, { binary }));
    });
  }
}

function json(response, value) {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}
