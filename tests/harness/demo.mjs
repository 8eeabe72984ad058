// The demo, started and ended as its user does it: npm start, and Ctrl-C.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../scripts/ports.mjs";
import { ROOT } from "./build.mjs";

const START_MS = 240_000;
const STOP_MS = 20_000;

/** Three free ports in a row, as `npm start` takes them: { gateway, api, page }. */
export async function demoPorts() {
  for (;;) {
    const first = 20_000 + 10 * Math.floor(Math.random() * 1000);
    const ports = await freePorts(first).catch(() => undefined);
    if (ports) return ports;
  }
}

/** Runs `npm start` on these ports, with a folder for its state, until it says that it runs or ends; `t` kills it. */
export async function startDemo(t, ports, state) {
  const demo = new Demo(ports, state);
  t.after(() => demo.kill());
  await demo.started();
  return demo;
}

class Demo {
  /** All that it has printed. */
  text = "";
  #child;
  #ended;

  constructor({ gateway }, state) {
    const parameters = ["start", "--", "--port", String(gateway), "--state", state];
    // A process group of its own, as in a terminal: Ctrl-C reaches every process of it.
    this.#child = spawn("npm", parameters, { cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.setEncoding("utf8").on("data", (part) => (this.text += part));
    this.#ended = once(this.#child, "close");
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The addresses and the curl lines that it has printed. */
  get printed() {
    const [, page] = this.text.match(/The demo page +(\S+)/);
    const [, gateway] = this.text.match(/The gateway +(\S+)/);
    return { page, gateway, curls: this.text.split("\n").map((line) => line.trim()).filter((line) => line.startsWith("curl ")) };
  }

  async started() {
    for (const limit = Date.now() + START_MS; Date.now() < limit; await sleep(50)) {
      if (this.text.includes("Ctrl-C ends everything.")) return;
      if (!this.running) throw new Error(`npm start has ended:\n${this.text}`);
    }
    throw new Error(`npm start has not finished:\n${this.text}`);
  }

  /** Ctrl-C. Resolves when every process has let go of its output, or throws. */
  async interrupt() {
    process.kill(-this.#child.pid, "SIGINT");
    const late = sleep(STOP_MS, "late", { ref: false });
    if ((await Promise.race([this.#ended, late])) === "late") throw new Error(`Ctrl-C has not ended it:\n${this.text}`);
  }

  kill() {
    if (this.running) process.kill(-this.#child.pid, "SIGKILL");
  }
}
