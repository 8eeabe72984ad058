// A server of pages. Chromium resolves localhost and every name below it to this machine by itself,
// so one port makes as many websites as a test wants.
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Starts a server; `t` closes it. Every path is an empty page with the `Referrer-Policy` of its
 * query, as in /app/start?policy=no-referrer; without one it has the browser's default.
 */
export async function startPages(t) {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url, "http://pages");
    const policy = searchParams.get("policy");
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...(policy && { "referrer-policy": policy }) });
    response.end('<!doctype html><title>A page</title><link rel="icon" href="data:,"><body></body>');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const { port } = server.address();
  /** The origin of the website with this host name. */
  return { at: (host) => `http://${host}:${port}` };
}
