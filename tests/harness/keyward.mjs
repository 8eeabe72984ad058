// The gateway as it is deployed, in plain workerd: its modules, a KV, its Durable Objects on disk,
// and as many isolates of it as a test wants.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compatibility, gatewayModule, gatewayModules } from "./build.mjs";
import { bind, config, disk, external, worker } from "./capnp.mjs";
import { temporaryFolder } from "./folder.mjs";
import { startKv } from "./kv.mjs";
import { copied, memoryKv } from "./modules.mjs";
import { startWorkerd } from "./workerd.mjs";

/** The secrets of a test's deployment; nothing else may know them. */
export const SECRETS = {
  KEYWARD_SECRET: "a1:dGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQ",
  KEYWARD_BOOTSTRAP_KEY: "kw-bootstrap-for-tests-0123456789abcdef",
};

const OBJECTS = { ACCOUNT: "AccountRegistry", PROJECTS: "ProjectRegistry" };

/** A configuration for tests that proxy nothing. */
const NO_ORIGIN = `[[route]]\norigin = "http://127.0.0.1:1"\n`;

/**
 * Starts the gateway; `t` ends it and removes what it has written.
 *
 * - `gateway`: the text of a gateway.toml; without it nothing is proxied
 * - `vars`: variables and secrets of the worker beside SECRETS; `null` takes one away
 * - `kv`: a service of `startKv`, or "memory"; without it a new service of the test
 * - `isolates`: how many isolates share the Durable Objects and the KV
 * - `change`: takes the modules { name, path } of the gateway and gives those to run instead
 *
 * Returns { url, urls, kv, process, log, objects, restart(), kill() }.
 */
export async function startKeyward(t, { gateway = NO_ORIGIN, vars = {}, kv, isolates = 1, change = (modules) => modules } = {}) {
  const folder = await temporaryFolder(t);
  const service = kv ?? (await startKv(t));
  const module = await gatewayModule(gateway, folder);
  const modules = await copied(folder, change(await gatewayModules(module)));
  const names = Array.from({ length: isolates }, (_, index) => `keyward-${index}`);
  const bindings = Object.entries({ ...SECRETS, ...vars }).filter(([, value]) => value !== null);
  const common = { modules, compatibility: await compatibility() };
  const services = {
    objects: disk(join(folder, "objects")),
    kv: service === "memory" ? await memoryKv(folder) : external(service.address),
  };
  for (const name of names) {
    const owner = name === names[0] ? undefined : names[0];
    const own = owner ? {} : { objects: Object.values(OBJECTS), objectsDisk: "objects" };
    services[name] = worker({
      ...common,
      ...own,
      bindings: [
        ...bindings.map(([variable, value]) => bind.text(variable, value)),
        bind.kv("KEYS", "kv"),
        ...Object.entries(OBJECTS).map(([binding, className]) => bind.object(binding, className, owner)),
      ],
    });
  }
  await mkdir(join(folder, "objects"));
  const file = join(folder, "workerd.capnp");
  await writeFile(file, config(services, Object.fromEntries(names.map((name) => [name, name]))));
  const process = await startWorkerd(t, file, names);
  return new Keyward(process, service, names, join(folder, "objects"));
}

class Keyward {
  #names;

  constructor(process, kv, names, objects) {
    this.process = process;
    this.kv = kv;
    /** The folder with the databases of the Durable Objects, one folder for each class. */
    this.objects = objects;
    this.#names = names;
  }

  /** The base addresses of all isolates. */
  get urls() {
    return this.#names.map((name) => `http://127.0.0.1:${this.process.ports[name]}`);
  }

  /** The base address of the first isolate. */
  get url() {
    return this.urls[0];
  }

  /** The port of the first isolate. */
  get port() {
    return this.process.ports[this.#names[0]];
  }

  /** Everything that the gateway has logged. */
  get log() {
    return this.process.log;
  }

  /** Ends the gateway as a crash would; `restart` brings it back on the same disk. */
  kill() {
    return this.process.kill();
  }

  /** Kills the gateway and starts it again on the same disk, on new ports. */
  restart() {
    return this.process.restart();
  }
}
