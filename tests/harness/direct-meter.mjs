// Stands in for the Worker's entry, inside workerd: hands a command to a meter, and answers in the
// place of the projects' registries. The real entry is beside it as gateway-entry.mjs.
import { DurableObject } from "cloudflare:workers";
import * as built from "./gateway-entry.mjs";

export { AccountRegistry } from "./gateway-entry.mjs";

/** What the registry answers: { metering, status, wait }. */
let registry = {};
/** The commands that it was given. */
let asked = [];
/** What was written to the dataset of Analytics Engine, in the meters that have one. */
let points = [];

const USAGE = { writeDataPoint: (point) => points.push(point) };

export class Meter extends built.Meter {
  constructor(ctx, env) {
    super(ctx, env.TEST_USAGE ? { ...env, USAGE } : env);
  }
}
export class ProjectRegistry extends DurableObject {
  async fetch(request) {
    const { by, command } = await request.json();
    asked.push({ by, command });
    const { metering, status = 200, wait = 0 } = registry;
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (status !== 200) return new Response(null, { status });
    return Response.json(command.Metering ? metering : "Done");
  }
}

const acts = {
  registry: (text) => void (registry = JSON.parse(text)),
  asked: () => asked.splice(0),
  break: () => void (globalThis.breaksMeter = true),
  points: () => points.splice(0),
};

export default {
  async fetch(request, env) {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const body = await request.text();
    if (acts[name]) return Response.json(acts[name](body) ?? null);
    return env.METERS.getByName(name).fetch("https://object/", { method: "POST", body });
  },
};
