// A gateway of the benchmark's own, with a KV beside it, with its management API.
import { startKeyward } from "../tests/harness/keyward.mjs";
import { management } from "../tests/harness/management.mjs";

/** Starts a gateway with a KV in memory, runs `use` with its management API, and ends it whatever happens. */
export async function managed(use) {
  const ends = [];
  try {
    const gateway = await startKeyward({ after: (end) => ends.push(end) }, {});
    await use(management(gateway), gateway);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
