// What a refusal of the management API looks like to `ManagementClient`.
import assert from "node:assert/strict";
import { SECRETS } from "./keyward.mjs";

/** The answer is this refusal, as a problem document without a secret of the deployment. `fields` are those that `errors` names. */
export function assertRefused(answer, status, code, fields) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.body.code, code, answer.text);
  assert.equal(answer.body.status, status);
  assert.equal(answer.body.type, `/_keyward/errors/${code}`);
  assert.ok(answer.body.title && answer.body.detail && answer.body.request_id);
  if (fields !== undefined) assert.deepEqual(wrong(answer)?.sort(), [...fields].sort(), answer.text);
  for (const secret of Object.values(SECRETS)) assert.ok(!answer.text.includes(secret));
  assertNoCors(answer);
}

/** No website learns anything of it. */
export function assertNoCors({ headers }) {
  const cors = [...headers.keys()].filter((name) => name.startsWith("access-control-"));
  assert.deepEqual(cors, []);
}

/** The fields that `errors` names. */
export const wrong = (answer) => answer.body.errors?.map(({ field }) => field);

/** All that a caller can tell answers apart by: status, headers and body, but not the request id and the date. */
export function distinct({ status, headers, text }) {
  const lines = [...headers].filter(([name]) => !["date", "content-length"].includes(name));
  return JSON.stringify([status, lines, text.replace(/"request_id":"[^"]*"/, "")]);
}

/** One answer for all, of this refusal. `answers` are [what was called, the answer]. */
export function assertIndistinct(answers, status, code) {
  const kinds = new Map();
  for (const [call, answer] of answers) {
    assert.deepEqual([answer.status, answer.body?.code ?? code], [status, code], `${call}: ${answer.text}`);
    kinds.set(distinct(answer), call);
  }
  assert.equal(kinds.size, 1, `these differ:\n${[...kinds].map(([answer, call]) => `${call}: ${answer}`).join("\n")}`);
}
