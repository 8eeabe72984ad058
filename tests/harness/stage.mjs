// A gateway with an origin behind it and keys in front of it, for tests that call and look.
import assert from "node:assert/strict";
import { request } from "./client.mjs";
import { SECRETS, startKeyward } from "./keyward.mjs";
import { startKv } from "./kv.mjs";
import { createKeys, management } from "./management.mjs";
import { startOrigin } from "./origin.mjs";
import { assertRefusal } from "./problem.mjs";

/**
 * Starts all three; `t` ends them. In `gateway`, `${ORIGIN}` is the origin's address.
 *
 * - `keys`: key fields by name, in the project `acme`; `project`: its settings
 * - `credentials`: Worker secrets, which must never be seen by a client or in the log
 * - `answers`: of `startOrigin`; `origin`: another origin, with `url`, `requests` and `forget()`
 */
export async function startStage(t, { gateway, keys = {}, project, credentials = {}, vars = {}, answers, origin, ...options }) {
  const behind = origin ?? (await startOrigin(t, answers));
  const kv = options.kv ?? (await startKv(t));
  const running = await startKeyward(t, { gateway, vars: { ORIGIN: behind.url, ...credentials, ...vars }, ...options, kv });
  const created = await createKeys(running, "acme", keys, project);
  return new Stage(running, behind, kv, created, Object.values(credentials));
}

class Stage {
  constructor(gateway, origin, kv, created, credentials) {
    Object.assign(this, { gateway, origin, kv, created });
    this.api = management(gateway);
    /** The secret of each key by the key's name. */
    this.keys = Object.fromEntries(Object.entries(created).map(([name, { secret }]) => [name, secret]));
    /** Whatever nobody but its holder may see. */
    this.secrets = [...Object.values(SECRETS), ...credentials, ...Object.values(this.keys)];
  }

  get port() {
    return this.gateway.port;
  }

  /** The same stage, called in another of its isolates. */
  isolate(index) {
    return Object.create(this, { port: { value: Number(new URL(this.gateway.urls[index]).port) } });
  }

  /** One call with a key of this stage by name, or with none; `headers` is an object or a list. */
  call(target, { key, headers = [], ...options } = {}) {
    const lines = Array.isArray(headers) ? headers : Object.entries(headers);
    const own = key === undefined ? [] : [["x-api-key", this.keys[key] ?? key]];
    return request(this.port, target, { headers: [...own, ...lines], ...options });
  }

  /** A call that the origin must see, exactly once; the answer with `seen`, what it saw. */
  async passes(target, options) {
    this.origin.forget();
    const answer = await this.call(target, options);
    assert.equal(this.origin.requests.length, 1, `${answer.status} ${answer.text}`);
    return Object.assign(answer, { seen: this.origin.requests[0] });
  }

  /** A call that is refused with this code before the origin sees anything of it. */
  async refuses(code, target, options = {}) {
    this.origin.forget();
    const answer = await this.call(target, options);
    assertRefusal(answer, code, options);
    this.assertNoSecret(JSON.stringify(answer.lines) + answer.text);
    assert.deepEqual(this.origin.requests, [], "the origin saw a refused call");
    return answer;
  }

  assertNoSecret(text) {
    for (const secret of this.secrets) assert.ok(!text.includes(secret), `a secret is in: ${text.slice(0, 2000)}`);
  }

  /** How often KV has been read. */
  get reads() {
    return this.kv.recorded("get").length;
  }
}
