// Stands in front of the Worker's entry, inside workerd: a call with `x-project-registry` goes to
// that project's registry as it is, as from an isolate of the management API that is older than
// the registry. Everything else goes on to the Worker.
import entry from "./entry.mjs";

export * from "./entry.mjs";

export default {
  fetch(request, env, context) {
    const project = request.headers.get("x-project-registry");
    if (project === null) return entry.fetch(request, env, context);
    return env.PROJECTS.getByName(project).fetch("https://registry/", { method: "POST", body: request.body });
  },
};
