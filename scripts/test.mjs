// npm test: the Rust tests, the build, and the tests against the built gateway.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build, currentNode, prepare } from "./prepare.mjs";
import { main, ROOT, run } from "./run.mjs";

// Each file starts several processes of its own; two at once keep small machines responsive.
const FILES_AT_ONCE = 2;
const LONGEST_TEST_MS = 300_000;

await main(async () => {
  await prepare();
  await run("cargo", ["test", "--workspace", "--locked"], { failure: "the Rust tests have failed" });
  await build();
  const files = readdirSync(join(ROOT, "tests")).filter((name) => name.endsWith(".test.mjs"));
  const parameters = ["--test", "--test-reporter=spec", `--test-concurrency=${FILES_AT_ONCE}`, `--test-timeout=${LONGEST_TEST_MS}`];
  await run(currentNode(), [...parameters, ...files.map((name) => join("tests", name))], { failure: "the tests against the gateway have failed" });
});
