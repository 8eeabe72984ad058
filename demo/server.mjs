// A small HTTP server on this machine, for the demo's two sides.
import { once } from "node:events";
import { createServer } from "node:http";

/** Starts a server on a port of this machine; `answer` gets Node's request and response. */
export async function serve(port, answer) {
  const server = createServer(async (request, response) => {
    try {
      await answer(request, response);
    } catch (error) {
      console.error(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    /** Ends the server and its connections. */
    stop: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}
