// How much memory a process has resident while something happens.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const EVERY_MS = 20;

/** The resident memory of a process now, in bytes. */
export async function residentMemory(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => undefined);
  const kilobytes = status ? status.match(/^VmRSS:\s+(\d+) kB$/m)[1] : (await promisify(execFile)("ps", ["-o", "rss=", "-p", pid])).stdout;
  return Number(kilobytes) * 1024;
}

/** Runs `act` and returns what it gives with the largest memory seen meanwhile: { before, peak, result }. */
export async function measured(pid, act) {
  const before = await residentMemory(pid);
  let [peak, running] = [before, true];
  const watching = (async () => {
    while (running) {
      peak = Math.max(peak, await residentMemory(pid));
      await sleep(EVERY_MS);
    }
  })();
  try {
    return { before, result: await act(), get peak() { return peak; } };
  } finally {
    running = false;
    await watching;
  }
}
