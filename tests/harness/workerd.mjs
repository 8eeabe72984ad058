// A process of plain workerd: start, logs, kill and restart with the same configuration and disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BINARY = fileURLToPath(new URL("../../node_modules/workerd/bin/workerd", import.meta.url));
const START_MS = 20_000;

/**
 * Starts workerd on a configuration file with the named sockets; `t` ends it. With `inspected` its
 * inspector has a port too.
 */
export async function startWorkerd(t, file, sockets, { inspected = false } = {}) {
  const process = new Workerd(file, sockets, inspected);
  t.after(() => process.stop());
  await process.start();
  return process;
}

class Workerd {
  /** The port of each socket by name, and that of the `inspector`. A restart gives new ones. */
  ports = {};
  /** All that the process has written so far, over all its starts. */
  stdout = "";
  stderr = "";
  #file;
  #sockets;
  #inspected;
  #child;

  constructor(file, sockets, inspected) {
    this.#file = file;
    this.#sockets = sockets;
    this.#inspected = inspected;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Output and errors together: where a secret must never appear. */
  get log() {
    return this.stdout + this.stderr;
  }

  async start() {
    const arguments_ = ["serve", this.#file, "--experimental", "--verbose", "--control-fd=3"];
    if (this.#inspected) arguments_.push("--inspector-addr=127.0.0.1:0");
    const child = spawn(BINARY, arguments_, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.#child = child;
    // A test file that fails while it is loaded runs no hooks.
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    child.stdout.setEncoding("utf8").on("data", (part) => (this.stdout += part));
    child.stderr.setEncoding("utf8").on("data", (part) => (this.stderr += part));
    const timer = setTimeout(() => child.kill("SIGKILL"), START_MS);
    try {
      await Promise.race([
        this.#listening(child),
        once(child, "exit").then(([code]) => Promise.reject(new Error(`workerd has ended (${code}):\n${this.log}`))),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process at once, as a crash would. */
  async kill() {
    await this.#end("SIGKILL");
  }

  /** Ends the process. */
  async stop() {
    await this.#end("SIGTERM");
  }

  /** Starts again on the same disk. */
  async restart() {
    await this.kill();
    await this.start();
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), 2000);
    await ended;
    clearTimeout(timer);
  }

  async #listening(child) {
    const missing = new Set(this.#inspected ? [...this.#sockets, "inspector"] : this.#sockets);
    for await (const line of createInterface(child.stdio[3])) {
      const { event, socket, port } = JSON.parse(line);
      if (event !== "listen" && event !== "listen-inspector") continue;
      const name = socket ?? "inspector";
      this.ports[name] = port;
      missing.delete(name);
      if (missing.size === 0) return;
    }
    await new Promise(() => {}); // The process ends; its exit is the better error.
  }
}
