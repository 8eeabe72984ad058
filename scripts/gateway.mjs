// The gateway in wrangler's development server, which runs it in workerd.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { currentNode } from "./prepare.mjs";
import { Failure, ROOT } from "./run.mjs";

const PATIENCE_MS = 120_000;

/** Starts it on a port of this machine and waits until it answers, or until `stop` is aborted. `state` is the folder for KV and Durable Objects. */
export async function startGateway({ port, state, vars, stop }) {
  const parameters = [
    join(ROOT, "node_modules/wrangler/bin/wrangler.js"),
    ...["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
    ...["--persist-to", state, "--log-level", "warn", "--show-interactive-dev-session=false"],
    ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ];
  // A sample of Cloudflare's request data would be fetched from the internet otherwise.
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  const child = spawn(currentNode(), parameters, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"], env });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const gateway = {
    /** Resolves when the process has ended. */
    ended,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
  try {
    await healthy(`http://127.0.0.1:${port}/_keyward/healthz`, child, stop);
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  return gateway;
}

async function healthy(address, child, stop) {
  let last = "it does not listen";
  for (const limit = Date.now() + PATIENCE_MS; Date.now() < limit; await sleep(100)) {
    if (stop.aborted) throw new Failure("interrupted");
    if (child.exitCode !== null || child.signalCode !== null) throw new Failure("wrangler has ended; its message is above.");
    try {
      const response = await fetch(address, { signal: AbortSignal.timeout(2000) });
      if (response.ok) return;
      last = `${response.status} ${await response.text()}`;
    } catch {
      // Not there yet.
    }
  }
  throw new Failure(`the gateway has not become healthy within ${PATIENCE_MS / 1000} seconds: ${last}`);
}
