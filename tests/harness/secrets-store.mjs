// A Secrets Store as workerd sees it: a worker with a method `get` that a binding calls. Its socket says
// what it answers: POST /?value=... or /?fails=1 or /?waits=5000; GET tells how often it was asked.
import { WorkerEntrypoint } from "cloudflare:workers";

let [value, fails, waits, asked] = ["", false, 0, 0];

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    if (request.method === "POST") {
      [value, fails, waits] = [searchParams.get("value") ?? value, searchParams.has("fails"), Number(searchParams.get("waits"))];
    }
    return Response.json(asked);
  }

  async get() {
    asked += 1;
    // What is answered late is what it was when it was asked for.
    const now = value;
    await new Promise((resolve) => setTimeout(resolve, waits));
    if (fails) throw new Error("the store does not answer");
    return now;
  }
}
