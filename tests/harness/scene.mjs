// What the browser tests have in common: pages, the gateway in front of a recording origin, keys,
// and Chromium.
import assert from "node:assert/strict";
import { startChromium } from "./chromium.mjs";
import { createKeys } from "./management.mjs";
import { startPages } from "./pages.mjs";
import { startStage } from "./stage.mjs";

/** The origin's own credential. */
export const CREDENTIAL = "the-origins-own-credential-4711";
const PROJECT = "acme";

/** The gateway's configuration; `home` is the website that the route /cookies lists. */
const routes = (home) => `
[[route]]
path = "/api/**"
strip_prefix = "/api"
origin = "\${ORIGIN}"
accepts = ["public", "private", "derived"]
credential = { secret = "CREDENTIAL", header = "authorization", template = "Bearer {secret}" }
[route.cors]
expose_headers = ["x-total", "etag"]

[[route]]
path = "/cookies/**"
strip_prefix = "/cookies"
origin = "\${ORIGIN}"
cookies = true
[route.cors]
origins = ["${home}"]

[[route]]
path = "/tags/**"
strip_prefix = "/tags"
origin = "\${ORIGIN}"
key_in = ["query:key"]

[[route]]
path = "/scoped/**"
origin = "\${ORIGIN}"
scopes = ["reports:read"]

[[route]]
path = "/servers/**"
origin = "\${ORIGIN}"
accepts = ["private"]

[[route]]
path = "/locked/**"
origin = "\${ORIGIN}"
credential = { secret = "NEVER_SET", header = "authorization" }

[[route]]
path = "/late/**"
strip_prefix = "/late"
origin = "\${ORIGIN}"
timeout_ms = 300

[[route]]
path = "/down/**"
origin = "http://127.0.0.1:1"
`;

/**
 * Starts everything; `t` ends it. `answers` are more paths of the origin, `more` gives the text of more
 * routes, `args` arguments of Chromium as a function of the pages; `options` are those of
 * `startStage`. `home` is the website that the key "public" is made for.
 */
export async function startScene(t, answers, { more = () => "", args = () => [], ...options } = {}) {
  const pages = await startPages(t);
  const home = pages.at("localhost");
  const keys = { public: { kind: "public", referrers: [home] }, private: { kind: "private" } };
  const stage = await startStage(t, { gateway: routes(home) + more(home), keys, credentials: { CREDENTIAL }, answers, ...options });
  return new Scene(stage, { pages, home, browser: await startChromium(t, args(pages)) });
}

class Scene {
  constructor(stage, parts) {
    const { gateway, origin, keys, api, secrets } = stage;
    Object.assign(this, { gateway, origin, keys, api, secrets }, parts);
  }

  /** More keys by name: { name: key fields }. Returns the API's answers. */
  async createKeys(fields) {
    const created = await createKeys(this.gateway, PROJECT, fields);
    for (const [name, { secret }] of Object.entries(created)) {
      this.keys[name] = secret;
      this.secrets.push(secret);
    }
    return created;
  }

  /** revoke, disable or enable. */
  changeKey(created, action) {
    return this.api.changeKey(PROJECT, created.key.id, action);
  }

  /** A page in a new session of the browser; the origin forgets what came before. */
  async open(t, address = this.home, options) {
    const context = await this.browser.newContext(options);
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(address);
    this.origin.forget();
    return page;
  }

  /** The header that carries a key, by the key's name. */
  bearer(name = "public") {
    return { authorization: `Bearer ${this.keys[name]}` };
  }

  /** An address on a route that takes the key from the query. */
  tag(path, name = "public") {
    return `${this.gateway.url}/tags${path}${path.includes("?") ? "&" : "?"}key=${this.keys[name]}`;
  }

  /** The origin saw exactly these requests, as "GET /path", and no key in any of them. */
  assertOriginSaw(...expected) {
    assert.deepEqual(this.origin.requests.map(({ method, target }) => `${method} ${target}`), expected);
    const seen = JSON.stringify(this.origin.requests);
    for (const [name, secret] of Object.entries(this.keys)) assert.ok(!seen.includes(secret), `the origin received the key ${name}`);
  }

  /** Nothing that the gateway has logged is a secret. */
  assertLogIsClean() {
    for (const secret of this.secrets) assert.ok(!this.gateway.log.includes(secret), "a secret is in the log");
  }
}

/** Calls `fetch` in a page or a frame: { status, type, headers, text }, or { error } as the page's script meets it. */
export function call(frame, url, init = {}) {
  return frame.evaluate(
    async ([url, init]) => {
      try {
        const response = await fetch(url, init);
        const { status, type, headers, url: answered } = response;
        return { status, type, url: answered, headers: Object.fromEntries(headers), text: await response.text() };
      } catch (error) {
        return { error: error.name };
      }
    },
    [url, init],
  );
}

/** What a page reads of a refusal: the status and the problem document. */
export function assertRefused(answer, status, code) {
  assert.equal(answer.error, undefined, "the page cannot read the refusal");
  assert.equal(answer.headers["content-type"], "application/problem+json");
  const problem = JSON.parse(answer.text);
  assert.deepEqual({ status: answer.status, code: problem.code }, { status, code });
  assert.equal(problem.status, status);
  assert.match(problem.detail, /^[A-Z].{10,}\.$/);
  return problem;
}
