// Stands in for the Worker's entry, inside workerd: hands a call to a registry or a meter without
// the management API or the gateway, and sets the clock that the modules read.
export { AccountRegistry, Meter, ProjectRegistry } from "./entry.mjs";

const clock = Date.now;

export default {
  async fetch(request, env) {
    const [, binding, encoded] = new URL(request.url).pathname.split("/");
    const name = decodeURIComponent(encoded);
    if (binding === "clock") {
      Date.now = name === "real" ? clock : () => Number(name);
      return new Response();
    }
    return env[binding].getByName(name).fetch("https://object/", { method: "POST", body: await request.text() });
  },
};
