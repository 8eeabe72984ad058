// Websites and the gateway under names of their own, over TLS and HTTP/2, as a CDN has them: one server
// is all of them, and Chromium is told to look for every host there.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { createSecureServer } from "node:http2";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "./folder.mjs";

/** Who calls, as the CDN says it. */
export const CLIENT = "192.0.2.7";
// HTTP/2 has no such headers (RFC 9113 section 8.2.2).
const OF_CONNECTIONS = ["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"];

/**
 * Starts it; `t` closes it. `sites` says by host what is there: a port of the gateway, or pages
 * { path: html }. Returns the `args` for Chromium, whose contexts need `ignoreHTTPSErrors`.
 */
export async function startWebsites(t, sites) {
  const server = createSecureServer({ ...(await certificate(t)), allowHTTP1: true });
  server.on("request", (request, response) => {
    const host = request.authority ?? request.headers.host;
    const site = sites[host];
    if (typeof site === "number") return relay(site, host, request, response);
    const page = site?.[request.url];
    response.writeHead(page ? 200 : 404, { "content-type": "text/html; charset=utf-8" }).end(page);
  });
  const sessions = new Set();
  server.on("session", (session) => sessions.add(session.once("close", () => sessions.delete(session))));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { args: [`--host-resolver-rules=MAP * 127.0.0.1:${server.address().port}`] };
}

/** Hands a request on, both bodies as they come. */
function relay(port, host, request, response) {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith(":") && !OF_CONNECTIONS.includes(name)));
  const { method, url: path } = request;
  const upstream = plainRequest({ port, host: "127.0.0.1", method, path, headers: { ...headers, host, "cf-connecting-ip": CLIENT } });
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode, Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !OF_CONNECTIONS.includes(name))));
    response.flushHeaders();
    answer.pipe(response);
  });
  upstream.on("error", () => response.destroy?.() ?? response.stream.close());
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

async function certificate(t) {
  const folder = await temporaryFolder(t);
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=tests", "-keyout", key, "-out", cert];
  await promisify(execFile)("openssl", made);
  return { key: await readFile(key), cert: await readFile(cert) };
}
