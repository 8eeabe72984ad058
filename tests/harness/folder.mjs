// A folder for one test.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes an empty folder; `t` removes it. */
export async function temporaryFolder(t) {
  const folder = await mkdtemp(join(tmpdir(), "keyward-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
