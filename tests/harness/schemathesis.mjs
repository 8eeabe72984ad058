// schemathesis against the management API of a gateway: calls made from its OpenAPI document, and
// every answer compared with it.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ACME } from "./asking.mjs";
import { ROOT } from "./build.mjs";
import { temporaryFolder } from "./folder.mjs";

const FOLDER = join(ROOT, "tests/schemathesis");
const LONGEST_MS = 480_000;

/**
 * Runs it on a `deployment` of harness/deployment.mjs with the management key { own: id, secret },
 * and more `parameters` of its command line. Returns { failed, output, operations, cases }.
 */
export async function runSchemathesis(t, python, deployment, parameters = []) {
  const folder = await temporaryFolder(t);
  const file = join(folder, "deployment.json");
  const report = join(folder, "report.json");
  await writeFile(file, JSON.stringify(deployment));
  const { code, output } = await python.module(
    "schemathesis.cli",
    [
      "--config-file", join(FOLDER, "schemathesis.toml"), "--no-color",
      "run", `${deployment.url}/_keyward/openapi.json`,
      "--header", `Authorization: Bearer ${deployment.secret}`,
      "--header", `Keyward-Verify-Key: ${ACME}`,
      "--report", "json", "--report-json-path", report,
      ...parameters,
    ],
    { cwd: folder, timeout: LONGEST_MS, env: { KEYWARD_DEPLOYMENT: file, PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: "1" } },
  );
  const { operations, test_cases } = JSON.parse(await readFile(report, "utf8").catch(() => "{}"));
  return { failed: code !== 0, output, operations: operations?.tested ?? 0, cases: test_cases?.generated ?? 0 };
}
