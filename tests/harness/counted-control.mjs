// Stands in front of the bindings of the control plane's module, inside workerd, and counts what each
// invocation of a project's registry asks of others: the platform ends one that asks too much, and
// workerd does not. The real bindings are beside it as built-control.js; invocations.mjs has the test's side.
import { AsyncLocalStorage } from "node:async_hooks";
import * as built from "./built-control.js";

export * from "./built-control.js";

/** Every invocation since the start: { kind, kv, meters }. */
const invocations = [];
const running = new AsyncLocalStorage();

const count = (what) => void (running.getStore()[what] += 1);

/** What the registry is bound to, with its calls counted. */
function counted(env) {
  const { KEYS, METERS } = env;
  const bound = {
    KEYS: Object.fromEntries(["get", "put", "delete"].map((name) => [name, (...given) => (count("kv"), KEYS[name](...given))])),
    METERS: { getByName: (name) => ({ fetch: (...given) => (count("meters"), METERS.getByName(name).fetch(...given)) }) },
  };
  return new Proxy(env, { get: (all, name) => bound[name] ?? all[name] });
}

function invoked(kind, run) {
  const invocation = { kind, kv: 0, meters: 0 };
  invocations.push(invocation);
  return running.run(invocation, run);
}

export class Management {
  static async handle(request, env, id) {
    if (request.headers.has("x-invocations")) return Response.json(invocations);
    return built.Management.handle(request, env, id);
  }
}

export class ProjectRegistry extends built.ProjectRegistry {
  constructor(state, env) {
    super(state, counted(env));
  }

  fetch(request) {
    return invoked("request", () => super.fetch(request));
  }

  alarm() {
    return invoked("alarm", () => super.alarm());
  }
}
