// A port that is known before what stands behind it: for origins that are the gateway itself.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Starts a relay; `t` closes it. `to` is the port that its connections lead to, `connections` counts them. */
export async function startRelay(t) {
  const relay = { to: undefined, connections: 0 };
  const sockets = new Set();
  const server = createServer((inner) => {
    relay.connections += 1;
    const outer = connect(relay.to, "127.0.0.1");
    const both = [inner, outer];
    for (const socket of both) {
      sockets.add(socket);
      socket.on("error", () => both.forEach((one) => one.destroy()));
    }
    inner.pipe(outer).pipe(inner);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  relay.url = `http://127.0.0.1:${server.address().port}`;
  return relay;
}
