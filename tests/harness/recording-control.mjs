// Stands in front of the bindings of the control plane's module, inside workerd, and answers in the
// registries' place when the gateway tells them which keys were used. The real bindings are beside it
// as built-control.js.
import * as built from "./built-control.js";

export * from "./built-control.js";

/** What has arrived: { object, method, call, answered }, the object as its id. */
const seen = [];
/** How the next messages are answered: a status, or a time in milliseconds to wait before the answer. */
let answers = [];

export class Management {
  static async handle(request, env, id) {
    const asked = request.headers.get("x-seen");
    if (asked === null) return built.Management.handle(request, env, id);
    if (asked !== "") answers = JSON.parse(asked);
    const projects = Object.fromEntries(["acme", "globex"].map((name) => [env.PROJECTS.idFromName(name).toString(), name]));
    return Response.json(seen.map(({ object, ...others }) => ({ project: projects[object], ...others })));
  }
}

export class ProjectRegistry extends built.ProjectRegistry {
  #object;

  constructor(state, env) {
    super(state, env);
    this.#object = state.id.toString();
  }

  async fetch(request) {
    const text = await request.clone().text();
    if (!text.includes('"Seen"')) return super.fetch(request);
    const message = { object: this.#object, method: request.method, call: JSON.parse(text), answered: false };
    seen.push(message);
    const next = answers.shift() ?? 200;
    if (next > 999) await new Promise((resolve) => setTimeout(resolve, next));
    message.answered = true;
    return next >= 400 && next < 600 ? new Response(null, { status: next }) : new Response('"Done"');
  }
}
