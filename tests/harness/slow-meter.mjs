// The gateway with meters that take their time. Put in its place by a test.
import * as gateway from "./gateway-entry.mjs";

export * from "./gateway-entry.mjs";
export { default } from "./gateway-entry.mjs";

const SLOW_MS = 100;

export class Meter extends gateway.Meter {
  async fetch(request) {
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    return super.fetch(request);
  }
}
