// A WebAssembly module of its own, loaded when something first asks for it: an isolate that does not
// need it never starts it. `importer` imports its bindings; `title` is what an error calls it; `told` is
// asked once for what the module is told each time it is touched.
export function lazy(title, importer, told = () => undefined) {
  let loaded;

  async function load() {
    // Every asker imports for itself: the platform cancels who waits for another request's promise.
    const module = await importer();
    if (loaded === undefined) {
      module.__keyward_on_loss(lost);
      loaded = { module, state: module.__worker_init_state(), known: told() };
    }
    return loaded;
  }

  const waiting = new Set();

  function lost() {
    for (const fail of waiting) fail(new Error(`${title} was lost`));
    waiting.clear();
  }

  // What Rust promises. It fails when the instance is lost before, for then nothing comes of it any more.
  async function promised(begin) {
    const { module, state, known } = loaded ?? (await load());
    // An instance that was lost to a panic is made anew here, and counted.
    module.touch(known);
    return new Promise((resolve, fail) => {
      waiting.add(fail);
      begin(module, state.instanceId).then(resolve, fail).finally(() => waiting.delete(fail));
    });
  }

  // A Durable Object whose state lives in the module, in the class of this name: made anew after the
  // module was.
  class Held {
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
      return promised((module, instance) => {
        if (this.#made !== instance) {
          this.#inner = new module[this.#name](...this.#parameters);
          this.#made = instance;
        }
        return act(this.#inner);
      });
    }
  }

  return { promised, Held };
}
