// The control plane: the management API and the registries, a module of their own. It is loaded
// when something first asks for it, so an isolate that only proxies never starts it.
let loaded;

async function load() {
  // Every asker imports for itself: the platform cancels who waits for another request's promise.
  const control = await import("../build/control.js");
  if (loaded === undefined) {
    control.__keyward_on_loss(lost);
    loaded = { control, state: control.__worker_init_state() };
  }
  return loaded;
}

const waiting = new Set();

function lost() {
  for (const fail of waiting) fail(new Error("the control plane was lost"));
  waiting.clear();
}

// What Rust promises. It fails when the instance is lost before, for then nothing comes of it any more.
async function promised(begin) {
  const { control, state } = loaded ?? (await load());
  // An instance that was lost to a panic is made anew here, and counted.
  control.touch();
  return new Promise((resolve, fail) => {
    waiting.add(fail);
    begin(control, state.instanceId).then(resolve, fail).finally(() => waiting.delete(fail));
  });
}

export function manage({ request, env }) {
  const id = request.headers.get("cf-ray") ?? crypto.randomUUID();
  return promised(({ Management }) => Management.handle(request, env, id));
}

// A Durable Object whose state lives in the module, in the class of this name: made anew after the
// module was.
export class Registry {
  #name;
  #parameters;
  #inner;
  #made;

  constructor(name, ...parameters) {
    this.#name = name;
    this.#parameters = parameters;
  }

  // What `act` promises, which is given the object.
  ask(act) {
    return promised((control, instance) => {
      if (this.#made !== instance) {
        this.#inner = new control[this.#name](...this.#parameters);
        this.#made = instance;
      }
      return act(this.#inner);
    });
  }
}
