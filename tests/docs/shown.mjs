// A page of the documentation that shows HTML, set up as its reader does: the gateway has the
// configuration of the page, the page's commands make the key, and Chromium loads the HTML with that key
// from the websites that the page names.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startChromium } from "../harness/chromium.mjs";
import { startKeyward } from "../harness/keyward.mjs";
import { startWebsites } from "../harness/websites.mjs";
import { withCommand } from "./commands.mjs";
import { blocks, ROOT } from "./markdown.mjs";

const KEY = "kw_pk_live_1…";

/**
 * Starts it; `t` ends it. `origin` is what stands behind the gateway, `vars` are the Worker's secrets,
 * and `sites` the hosts that serve the HTML.
 */
export async function startShown(t, name, { origin, vars, sites }) {
  const found = blocks(await readFile(join(ROOT, name), "utf8"));
  const [toml, html] = ["toml", "html"].map((info) => found.find((block) => block.info === info).code);
  const gateway = await startKeyward(t, { gateway: toml.replace(/^origin = ".*"$/m, 'origin = "${ORIGIN}"'), vars: { ORIGIN: origin, ...vars } });
  const commands = ["sh test=project", "sh test=key"].map((info) => found.find((block) => block.info === info).code);
  const env = { ...(await withCommand()), KEYWARD_URL: gateway.url, KEYWARD_KEY: await gateway.managementKey() };
  const { stdout } = await promisify(execFile)("bash", ["-c", `set -eu\n{ ${commands.join("\n")}\n} >&2\necho "$KEY"`], { env });
  const key = stdout.trim();
  assert.match(key, /^kw_pk_live_1\w+$/);
  assert.equal(html.split(KEY).length, 2, "the HTML has one place for the key");
  const files = { "/": html.replace(KEY, key) };
  const websites = await startWebsites(t, { "gate.example.com": gateway.port, ...Object.fromEntries(sites.map((host) => [host, files])) });
  const browser = await startChromium(t, websites.args);
  /** The page on one of the sites, in a new session; `prepare` runs before it is loaded. */
  const open = async (host, prepare = () => {}) => {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await prepare(page);
    await page.goto(`https://${host}/`);
    return page;
  };
  return { gateway, key, open };
}
