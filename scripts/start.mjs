// npm start: from a fresh machine to a running gateway with a demo.
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startOrigin } from "../demo/origin.mjs";
import { startPage } from "../demo/page.mjs";
import { startGateway } from "./gateway.mjs";
import { Management } from "./management.mjs";
import { freePorts } from "./ports.mjs";
import { build, prepare } from "./prepare.mjs";
import { Failure, main, ROOT } from "./run.mjs";
import { developmentSecrets } from "./secrets.mjs";
import { managementKey, seed } from "./seed.mjs";

const USAGE = `npm start -- [--port N] [--state DIR]

  --port N     the gateway's port; the demo takes the two after it (KEYWARD_PORT; 8787)
  --state DIR  where keys and records are kept (KEYWARD_STATE; .wrangler)`;

await main(async () => {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => stop.abort());
  const { port, state } = options();
  const ports = await freePorts(port);
  await prepare();
  await build();
  const secrets = developmentSecrets();
  mkdirSync(state, { recursive: true });

  const address = { gateway: `http://127.0.0.1:${ports.gateway}`, api: `http://127.0.0.1:${ports.api}`, page: `http://localhost:${ports.page}` };
  const running = [];
  try {
    running.push(await startOrigin(ports.api, secrets.DEMO_ORIGIN_KEY));
    const gateway = await startGateway({ port: ports.gateway, state: join(state, "state"), vars: { DEMO_ORIGIN: address.api }, stop: stop.signal });
    running.push(gateway);
    const key = await managementKey(join(state, "management.key"), () => address.gateway, secrets.KEYWARD_BOOTSTRAP_KEY);
    const keys = await seed(new Management(() => address.gateway, () => key), join(state, "demo.json"), address.page);
    running.push(await startPage(ports.page, { gateway: address.gateway, key: keys.public }));
    console.log(welcome(address, keys));
    await Promise.race([gateway.ended, stop.signal.aborted || once(stop.signal, "abort")]);
    if (!stop.signal.aborted) throw new Failure("the gateway has ended; its message is above.");
  } finally {
    await Promise.all(running.map((part) => part.stop()));
  }
});

function options() {
  const known = { port: { type: "string" }, state: { type: "string" }, help: { type: "boolean", short: "h" } };
  let given;
  try {
    given = parseArgs({ options: known }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n${USAGE}`);
  }
  if (given.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { KEYWARD_PORT = "8787", KEYWARD_STATE = join(ROOT, ".wrangler") } = process.env;
  return { port: Number(given.port ?? KEYWARD_PORT), state: resolve(given.state ?? KEYWARD_STATE) };
}

function welcome(address, keys) {
  const url = `${address.gateway}/demo/hello`;
  const forged = keys.private.slice(0, -1) + (keys.private.endsWith("A") ? "B" : "A");
  const bearer = (key) => `-H "Authorization: Bearer ${key}"`;
  return `
Keyward is running.

  The demo page   ${address.page}   <- open this
  The gateway     ${address.gateway}
  The demo's API  ${address.api}   (answers only to the gateway)

Allowed: a private key, from a server
  curl ${url} ${bearer(keys.private)}

Refused for its domain: the public key, from another website
  curl ${url} ${bearer(keys.public)} -H "Origin: https://elsewhere.example"

Refused as forged: one character is wrong
  curl ${url} ${bearer(forged)}

Ctrl-C ends everything.`;
}
