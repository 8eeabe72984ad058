// An origin that answers at once and logs which key was let through, and when: the judge of limits
// and of counts. It runs in the test's process, so that its times and those of the callers compare.
import { once } from "node:events";
import { createServer } from "node:http";

/** Starts one; `t` closes it. `now` is the clock of its times, in milliseconds. */
export async function startCountingOrigin(t, now) {
  const origin = new CountingOrigin(now);
  await origin.listen();
  t.after(() => origin.stop());
  return origin;
}

class CountingOrigin {
  /** Every call that has arrived: { key, call, at }; `call` is the caller's own number, from `x-call`. */
  log = [];
  #server = createServer((request, response) => this.#serve(request, response));

  constructor(now) {
    this.now = now;
  }

  async listen() {
    this.#server.keepAliveTimeout = 0;
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** How often a key, given by its id, was let through. */
  served(key) {
    return this.log.filter((one) => one.key === key).length;
  }

  #serve(request, response) {
    const { "keyward-key-id": key, "x-call": call } = request.headers;
    this.log.push({ key, call: Number(call), at: this.now() });
    request.resume();
    response.end("ok");
  }
}
