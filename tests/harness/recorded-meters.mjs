// Stands in front of the Worker's entry, inside workerd: meters that hand what they are told to the
// test, and a way to a project's registry without the management API. meters.mjs has the test's
// side, and the real entry is beside it as gateway-entry.mjs.
import { DurableObject } from "cloudflare:workers";
import gateway from "./gateway-entry.mjs";

export * from "./gateway-entry.mjs";

export class Meter extends DurableObject {
  async fetch(request) {
    return fetch(this.env.METERS_ARE_AT, { method: "POST", body: await request.text() });
  }
}

export default {
  async fetch(request, env, ctx) {
    const [, binding, name] = new URL(request.url).pathname.split("/");
    if (binding !== "PROJECTS") return gateway.fetch(request, env, ctx);
    return env.PROJECTS.getByName(name).fetch("https://registry/", { method: "POST", body: await request.text() });
  },
};
