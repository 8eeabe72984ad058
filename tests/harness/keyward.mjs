// The gateway as it is deployed, in plain workerd: its modules, a KV, its Durable Objects on disk,
// and as many isolates of it as a test wants.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createManagementKey } from "../../scripts/management.mjs";
import { compatibility, gatewayModule, gatewayModules } from "./build.mjs";
import { bind, config, disk, external, worker } from "./capnp.mjs";
import { Clock, clocked } from "./clock.mjs";
import { temporaryFolder } from "./folder.mjs";
import { startKv } from "./kv.mjs";
import { copied, memoryKv } from "./modules.mjs";
import { startWorkerd } from "./workerd.mjs";

/** The secrets of a test's deployment; nothing else may know them. */
export const SECRETS = {
  KEYWARD_SECRET: "a1:dGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQ",
  KEYWARD_BOOTSTRAP_KEY: "kw-bootstrap-for-tests-0123456789abcdef",
};

const OBJECTS = { ACCOUNT: "AccountRegistry", PROJECTS: "ProjectRegistry", METERS: "Meter" };

/** A configuration for tests that proxy nothing. */
const NO_ORIGIN = `[[route]]\norigin = "http://127.0.0.1:1"\n`;

/**
 * Starts the gateway; `t` ends it and removes what it has written.
 *
 * - `gateway`: the text of a gateway.toml, or a list of them for the isolates; without it nothing is proxied
 * - `vars`: variables and secrets of the worker beside SECRETS; `null` takes one away
 * - `kv`: a service of `startKv`, or "memory"; without it a new service of the test
 * - `isolates`: how many isolates share the Durable Objects, which the first of them owns, and the KV
 * - `without`: takes the number of an isolate and gives the bindings that it has not
 * - `clock`: whether the test moves the time, see clock.mjs
 * - `change`: takes the modules { name, path } of the gateway, and the number of an isolate, and gives
 *   those to run instead
 * - `objects`: further classes of Durable Objects that the modules have, by their bindings
 * - `inspected`: whether workerd's inspector can be asked
 * - `flags`: compatibility flags beside those of the deployment
 * - `outbound`: the service, as capnp.mjs writes it, that takes what the gateway sends to origins
 * - `bound`: workers of `beside` by the names under which the gateway calls them
 * - `beside`: other workers in the same process by name, each { modules, vars }, with sockets of their
 *   names and the KV in memory, which then has a socket "kv"
 *
 * Returns { url, urls, kv, clock, process, log, objects, restart(), kill() }.
 */
export async function startKeyward(t, { gateway = NO_ORIGIN, vars = {}, kv, isolates = 1, without = () => [], clock: moved = false, change = (modules) => modules, objects = {}, inspected = false, flags = [], beside = {}, bound = {}, outbound } = {}) {
  const folder = await temporaryFolder(t);
  const service = kv ?? (await startKv(t));
  const names = Array.from({ length: isolates }, (_, index) => `keyward-${index}`);
  const classes = { ...OBJECTS, ...objects };
  const modules = {};
  const configured = await Promise.all([gateway].flat().map((toml, index) => gatewayModule(toml, join(folder, `gateway-${index}`))));
  for (const [index, name] of names.entries()) {
    const changed = change(await gatewayModules(configured[index] ?? configured[0]), index);
    modules[name] = await copied(folder, moved ? clocked(changed) : changed, `${name}_`);
  }
  const dated = await compatibility();
  const memory = service === "memory" && (await memoryKv(folder));
  const services = {
    objects: disk(join(folder, "objects")),
    ...(outbound && { outbound }),
    ...Object.fromEntries(memory ? [["kv", memory]] : names.map((name) => [`kv-${name}`, external(service.address, { "x-isolate": name })])),
  };
  const gatewayOf = (name, time, changed) => {
    const owner = name === names[0] ? undefined : names[0];
    const own = owner ? {} : { objects: Object.values(classes), objectsDisk: "objects" };
    const bindings = Object.entries({ ...SECRETS, ...vars, ...changed }).filter(([, value]) => value !== null);
    return worker({
      ...own,
      modules: modules[name],
      outbound: outbound && "outbound",
      compatibility: { ...dated, flags: [...dated.flags, ...flags] },
      bindings: [
        ...bindings.map(([variable, value]) => bind.text(variable, value)),
        ...(time ? [bind.text("TEST_TIME", JSON.stringify(time))] : []),
        ...Object.entries(bound).map(([binding, service]) => bind.service(binding, service)),
        bind.kv("KEYS", memory ? "kv" : `kv-${name}`),
        ...Object.entries(classes)
          .filter(([binding]) => !without(names.indexOf(name)).includes(binding))
          .map(([binding, className]) => bind.object(binding, className, owner)),
      ],
    });
  };
  for (const [name, { modules, vars: given }] of Object.entries(beside)) {
    const bindings = [...Object.entries(given).map(([variable, value]) => bind.text(variable, value)), bind.kv("KEYS", "kv")];
    services[name] = worker({ modules: await copied(folder, modules, `${name}_`), compatibility: dated, bindings });
  }
  const sockets = [...names, ...Object.keys(beside), ...(Object.keys(beside).length > 0 ? ["kv"] : [])];
  const file = join(folder, "workerd.capnp");
  const settings = { time: undefined, vars: {} };
  const write = (changed) => {
    Object.assign(settings, changed);
    const gateways = names.map((name) => [name, gatewayOf(name, settings.time, settings.vars)]);
    return writeFile(file, config({ ...services, ...Object.fromEntries(gateways) }, Object.fromEntries(sockets.map((name) => [name, name]))));
  };
  const clock = moved ? new Clock((time) => write({ time })) : undefined;
  await mkdir(join(folder, "objects"));
  await write({ time: clock?.time });
  const process = await startWorkerd(t, file, sockets, { inspected });
  const keyward = new Keyward(process, service, names, join(folder, "objects"), clock, write);
  clock?.attach(keyward);
  return keyward;
}

class Keyward {
  #names;
  #managementKey;
  #configure;

  constructor(process, kv, names, objects, clock, configure) {
    this.#configure = configure;
    this.process = process;
    this.kv = kv;
    /** Moves the time, when the gateway was started so. */
    this.clock = clock;
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

  /** A management key of the account, made with the bootstrap secret when it is first asked for. */
  managementKey() {
    this.#managementKey ??= createManagementKey(() => this.url, SECRETS.KEYWARD_BOOTSTRAP_KEY, "tests");
    return this.#managementKey;
  }

  /** Everything that the gateway has logged. */
  get log() {
    return this.process.log;
  }

  /** Ends the gateway as a crash would; `restart` brings it back on the same disk. */
  kill() {
    return this.process.kill();
  }

  /** Kills the gateway and starts it again on the same disk, on new ports; `vars` replaces variables and secrets from here on. */
  async restart({ vars } = {}) {
    if (vars) await this.#configure({ vars });
    await this.process.restart();
  }
}
