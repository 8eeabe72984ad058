// Serves the demo page, with the address of the gateway and the public key that belongs to it.
import { readFile } from "node:fs/promises";
import { serve } from "./server.mjs";

const FILES = {
  "/": ["index.html", "text/html"],
  "/page.css": ["page.css", "text/css"],
  "/page.js": ["page.js", "text/javascript"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
};

/** Starts the page on a port of this machine; `settings` are { gateway, key, port }. */
export function startPage(port, settings) {
  return serve(port, async (request, response) => {
    const { pathname } = new URL(request.url, "http://page");
    if (pathname === "/settings.json") return send(response, "application/json", JSON.stringify(settings));
    const file = FILES[pathname];
    if (!file) return response.writeHead(404).end();
    send(response, file[1], await readFile(new URL(`page/${file[0]}`, import.meta.url)));
  });
}

function send(response, type, content) {
  response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" }).end(content);
}
