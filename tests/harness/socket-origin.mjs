// An origin that speaks web sockets: it echoes, closes when it is told to, and records.
import { once } from "node:events";
import { WebSocketServer } from "ws";

/**
 * Starts it; `t` closes it. Each message is sent back, but for the text `close <code> <reason>`,
 * which closes the socket from this side. `headers` are added to the answer that accepts a handshake;
 * `refuse` gives the status with which one is refused, if any.
 */
export async function startSocketOrigin(t, { headers = [], refuse = () => undefined } = {}) {
  const origin = { handshakes: [], closed: [] };
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    handleProtocols: (offered) => [...offered].at(-1),
    verifyClient: ({ req }, answer) => {
      origin.handshakes.push(recorded(req));
      const status = refuse(req.url);
      answer(status === undefined, status, "refused by the origin");
    },
  });
  server.on("headers", (lines) => lines.push(...headers));
  server.on("connection", (socket, { url: target }) => {
    socket.on("message", (data, isBinary) => {
      const [, code, reason] = data.toString().match(/^close (\d+) (.*)$/) ?? [];
      if (code && !isBinary) socket.close(Number(code), reason);
      else socket.send(data, { binary: isBinary });
    });
    socket.on("error", () => {});
    socket.on("close", (code, reason) => origin.closed.push({ target, code, reason: reason.toString() }));
  });
  await once(server, "listening");
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  origin.url = `http://127.0.0.1:${server.address().port}`;
  return origin;
}

/** A handshake's target and header lines; `values(name)` are all values of a header. */
function recorded({ url, rawHeaders }) {
  const lines = [];
  for (let index = 0; index < rawHeaders.length; index += 2) lines.push([rawHeaders[index].toLowerCase(), rawHeaders[index + 1]]);
  return { target: url, lines, values: (name) => lines.filter(([other]) => other === name).map(([, value]) => value) };
}
