// A receiver of webhooks: it keeps every message as it came, and answers as a test says.
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** Starts one; `t` closes it. */
export async function startReceiver(t) {
  const receiver = new Receiver();
  await receiver.listen();
  t.after(() => receiver.stop());
  return receiver;
}

class Receiver {
  /** Every call that has arrived: { path, headers, body, at, type, data, id }. */
  calls = [];
  /** Takes a call and gives a status, a `Location` for a redirect, or null for no answer at all. */
  answer = () => 204;
  #server = createServer((request, response) => this.#serve(request, response));

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** The calls of a type, or all. */
  of(type) {
    return this.calls.filter((call) => type === undefined || call.type === type);
  }

  /** The ids of messages that were answered 2xx, each once. */
  get taken() {
    return [...new Set(this.calls.filter(({ status }) => status >= 200 && status < 300).map(({ id }) => id))];
  }

  async #serve(request, response) {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const { type, data, timestamp } = JSON.parse(body);
    const call = { path: request.url, method: request.method, headers: request.headers, body, type, data, timestamp, id: request.headers["webhook-id"], at: Date.now() };
    call.number = this.calls.push(call);
    const answer = await this.answer(call);
    if (answer === null) return;
    call.status = typeof answer === "string" ? 302 : answer;
    if (typeof answer === "string") response.setHeader("location", answer);
    response.writeHead(call.status).end();
  }
}

/** What signs a call, for each of these secrets. */
export const signed = ({ headers, body }, ...secrets) =>
  secrets
    .map((secret) => createHmac("sha256", Buffer.from(secret.replace("whsec_", ""), "base64")).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest("base64"))
    .map((signature) => `v1,${signature}`)
    .join(" ");
