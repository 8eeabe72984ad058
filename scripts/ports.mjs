// Three ports in a row: the gateway, the demo's API, the demo's page.
import { once } from "node:events";
import { createServer } from "node:net";
import { Failure } from "./run.mjs";

/** The ports from the first; `Failure` when one is in use. */
export async function freePorts(first) {
  if (!Number.isInteger(first) || first < 1 || first > 65_533) throw new Failure(`${first} is not a port; write one between 1 and 65533.`);
  const ports = { gateway: first, api: first + 1, page: first + 2 };
  for (const [name, port] of Object.entries(ports)) await checkFree(name, port, first);
  return ports;
}

async function checkFree(name, port, first) {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    const reason = error.code === "EADDRINUSE" ? "is in use" : `cannot be opened (${error.code})`;
    throw new Failure(
      `port ${port}, for the ${name}, ${reason}. Take three other ports in a row:\n` +
        `  npm start -- --port ${first + 100}\nor set KEYWARD_PORT.`,
    );
  }
  await new Promise((done) => server.close(done));
}
