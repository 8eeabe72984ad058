// Stands in for the Worker's entry, inside workerd: hands a call to a registry without the
// management API, and sets the clock that the modules read.
export { AccountRegistry, ProjectRegistry } from "./entry.mjs";

const clock = Date.now;

export default {
  async fetch(request, env) {
    const [, binding, name] = new URL(request.url).pathname.split("/");
    if (binding === "clock") {
      Date.now = name === "real" ? clock : () => Number(name);
      return new Response();
    }
    return env[binding].getByName(name).fetch("https://registry/", { method: "POST", body: await request.text() });
  },
};
