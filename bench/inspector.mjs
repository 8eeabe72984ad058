// What V8 says of an isolate's memory, through workerd's inspector.
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

const KNOCK_MS = 20;

export class Inspector {
  #knock;
  #socket;
  #waiting = new Map();
  #asked = 0;

  /**
   * Asks the isolate of a service, in the workerd whose inspector has this port. An isolate only hears
   * it when it is called: `knock` calls it.
   */
  static async of(port, service, knock) {
    const inspector = new Inspector();
    inspector.#knock = knock;
    await inspector.#connect(`ws://127.0.0.1:${port}/${service}`);
    return inspector;
  }

  /** The bytes of the heap that are in use after all garbage was collected, and of what lies outside it. */
  async heap() {
    await this.#ask("HeapProfiler.collectGarbage");
    const { usedSize, totalSize, embedderHeapUsedSize, backingStorageSize } = await this.#ask("Runtime.getHeapUsage");
    return { used: usedSize, total: totalSize, embedder: embedderHeapUsedSize, outside: backingStorageSize };
  }

  close() {
    this.#socket.terminate();
  }

  async #connect(url) {
    this.#socket = new WebSocket(url);
    this.#socket.on("message", (data) => {
      const { id, result, error } = JSON.parse(data);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    });
    await new Promise((resolve, reject) => this.#socket.on("open", resolve).on("error", reject));
  }

  async #ask(method) {
    const id = ++this.#asked;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, method }));
    while (this.#waiting.has(id)) {
      await this.#knock();
      await Promise.race([answer, sleep(KNOCK_MS)]);
    }
    return answer;
  }
}
