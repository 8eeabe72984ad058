// Meters in the test's own process: they record what the registries tell them, outlive the gateway,
// and answer as a test wants.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startRegistries } from "./registry.mjs";

const FRONT = { name: "src/recorded-meters.mjs", path: fileURLToPath(new URL("recorded-meters.mjs", import.meta.url)) };

const fronted = ([entry, ...modules]) => [FRONT, { ...entry, name: "src/gateway-entry.mjs" }, ...modules];

/** As `startRegistries`, with `meters` that record. */
export async function startMetered(t, options = {}) {
  const meters = new Meters();
  const server = createServer((incoming, outgoing) => meters.serve(incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const keyward = await startRegistries(t, {
    ...options,
    change: (modules) => fronted((options.change ?? ((same) => same))(modules)),
    vars: { METERS_ARE_AT: `http://127.0.0.1:${server.address().port}`, ...options.vars },
  });
  return Object.assign(keyward, {
    meters,
    /** One call to a project's registry: the reply as it is. */
    async ask(project, command, by = "Keyward") {
      const call = { by, ip: null, request_id: "req", idempotency: null, command };
      const response = await fetch(`${keyward.url}/PROJECTS/${project}`, { method: "POST", body: JSON.stringify(call) });
      assert.equal(response.status, 200, JSON.stringify(command));
      return response.json();
    },
  });
}

class Meters {
  /** In the order of arrival: { at, answered, of, ...what was told }. */
  told = [];
  /** What the next are answered: a status, or { version, leased_ms, credits, before } with a time to wait for. */
  answers = [];
  /** What all others are. */
  usual = {};

  /** What the meter of this subject has been told. */
  of(kind, id) {
    return this.told.filter(({ of }) => of[kind] === id);
  }

  async serve(incoming, outgoing) {
    const { subject, command } = JSON.parse(Buffer.concat(await incoming.toArray()));
    assert.deepEqual(Object.keys(command), ["tell"]);
    const one = { at: Date.now(), answered: null, project: subject.project, of: subject.of, ...command.tell };
    this.told.push(one);
    const answer = this.answers.shift() ?? this.usual;
    const { version = one.version, leased_ms = 0, credits = one.credits.at(-1)?.number ?? 0, before = 0, status = 200 } = typeof answer === "number" ? { status: answer } : answer;
    await (typeof before === "number" ? sleep(before) : before);
    one.answered = Date.now();
    outgoing.writeHead(status).end(status === 200 ? JSON.stringify({ told: { version, leased_ms, credits } }) : "");
  }
}
