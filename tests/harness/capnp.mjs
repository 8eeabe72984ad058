// workerd's configuration as text. Only what the tests need.

/** A text literal of Cap'n Proto. */
export function text(value) {
  const escaped = String(value).replace(/["\\\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}

/**
 * The whole configuration: `services` and `sockets` by name. Workers reach addresses of this
 * machine, because the origins of the tests listen there.
 */
export function config(services, sockets) {
  const network = { internet: `(network = (allow = ["public", "private"]))` };
  const service = ([name, is]) => `    (name = ${text(name)}, ${is.slice(1, -1)}),`;
  const socket = ([name, to]) => `    (name = ${text(name)}, address = "127.0.0.1:0", http = (), service = ${text(to)}),`;
  return [
    `using Workerd = import "/workerd/workerd.capnp";`,
    `const config :Workerd.Config = (`,
    `  services = [`,
    ...Object.entries({ ...network, ...services }).map(service),
    `  ],`,
    `  sockets = [`,
    ...Object.entries(sockets).map(socket),
    `  ],`,
    `);`,
    ``,
  ].join("\n");
}

/**
 * A service of this machine's network, reached over HTTP; `headers` are added to every request, and in the
 * one that `platform` names what a script has told the platform of it.
 */
export function external(address, headers = {}, platform) {
  const added = Object.entries(headers).map(([name, value]) => `(name = ${text(name)}, value = ${text(value)})`);
  const blob = platform ? `, cfBlobHeader = ${text(platform)}` : "";
  return `(external = (address = ${text(address)}, http = (injectRequestHeaders = ${list(added)}${blob})))`;
}

/** A folder that workerd may write to. */
export const disk = (path) => `(disk = (path = ${text(path)}, writable = true))`;

/**
 * A worker. `modules` are { name, file } with the file's path as seen from the configuration;
 * `bindings` come from the functions below; `objects` are its own Durable Object classes; `outbound` is
 * the service that takes what it fetches, where that is not the network.
 */
export function worker({ modules, bindings = [], objects = [], objectsDisk, compatibility, outbound }) {
  const kind = (name) => (name.endsWith(".wasm") ? "wasm" : "esModule");
  const fields = {
    modules: list(modules.map(({ name, file }) => `(name = ${text(name)}, ${kind(name)} = embed ${text(file)})`)),
    bindings: list(bindings),
    compatibilityDate: text(compatibility.date),
    compatibilityFlags: list(compatibility.flags.map(text)),
  };
  if (outbound) fields.globalOutbound = text(outbound);
  if (objects.length > 0) {
    fields.durableObjectNamespaces = list(
      objects.map((name) => `(className = ${text(name)}, uniqueKey = ${text(name)}, enableSql = true)`),
    );
    fields.durableObjectStorage = `(localDisk = ${text(objectsDisk)})`;
  }
  const written = Object.entries(fields).map(([name, value]) => `${name} = ${value}`);
  return `(worker = (${written.join(", ")}))`;
}

/** Bindings of a worker. */
export const bind = {
  text: (name, value) => `(name = ${text(name)}, text = ${text(value)})`,
  kv: (name, service) => `(name = ${text(name)}, kvNamespace = ${text(service)})`,
  service: (name, service) => `(name = ${text(name)}, service = ${text(service)})`,
  /** `owner` is the service that holds the class, when it is another one. */
  object: (name, className, owner) =>
    owner
      ? `(name = ${text(name)}, durableObjectNamespace = (className = ${text(className)}, serviceName = ${text(owner)}))`
      : `(name = ${text(name)}, durableObjectNamespace = ${text(className)})`,
};

const list = (items) => `[${items.join(", ")}]`;
