// Chromium as it is installed, driven by playwright-core. Nothing is ever downloaded.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PLACES = [
  "/usr/bin/chromium",
  ...(process.env.PATH ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name))),
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const MISSING =
  "Chromium is not installed. Get it (Debian: sudo apt-get install chromium), or set CHROMIUM to the path of a Chromium or Chrome.";

/** The path of the browser, or undefined. A CHROMIUM that is set wins, even if nothing is there: the launch then says so. */
const executablePath = process.env.CHROMIUM || PLACES.find((path) => existsSync(path));

/** For the option `skip` of a test: why it cannot run here. With CI=true it runs, and fails. */
export const withoutChromium = executablePath || process.env.CI === "true" ? false : MISSING;

/** Starts Chromium with a profile of its own and further arguments; `t` ends it. */
export async function startChromium(t, more = []) {
  if (!executablePath) throw new Error(MISSING);
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox", // does not work for root, and in most containers
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
  t.after(() => browser.close());
  return browser;
}
