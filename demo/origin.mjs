// The demo's origin: an API that knows nothing of keys. It answers only to its own credential,
// which the gateway attaches, and shows what it has received.
import { timingSafeEqual } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "./server.mjs";

const EVENTS = 5;
const EVENT_MS = 600;
const LONGEST_BODY = 65_536;

/** Starts the API on a port of this machine. */
export function startOrigin(port, credential) {
  const expected = Buffer.from(`Bearer ${credential}`);
  return serve(port, async (request, response) => {
    const given = Buffer.from(request.headers.authorization ?? "");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return send(response, 401, { error: "This API answers only to its own credential. Ask through the gateway." });
    }
    const answer = ANSWERS[`${request.method} ${new URL(request.url, "http://origin").pathname}`];
    if (!answer) return send(response, 404, { error: "The API has GET /hello, POST /messages and GET /events." });
    await answer(request, response);
  });
}

const ANSWERS = {
  "GET /hello": (request, response) => send(response, 200, { message: "Hello from the origin.", received: received(request) }),

  "POST /messages": async (request, response) => {
    const message = parsed(await body(request));
    if (message === undefined) return send(response, 400, { error: "The body is not JSON of at most 64 KB." });
    send(response, 201, { message: "The origin has your message.", body: message, received: received(request) });
  },

  "GET /events": async (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    for (let number = 1; number <= EVENTS && !response.destroyed; number += 1) {
      response.write(`id: ${number}\ndata: ${JSON.stringify({ number, of: EVENTS, at: new Date().toISOString() })}\n\n`);
      if (number < EVENTS) await sleep(EVENT_MS);
    }
    response.end();
  },
};

/** What has arrived. The credential is the origin's own secret and is not shown, not even here. */
function received({ method, url, headers }) {
  const shown = Object.entries(headers).map(([name, value]) => [name, name === "authorization" ? "Bearer (the origin's own credential)" : redacted(value)]);
  return { method, path: redacted(url), headers: Object.fromEntries(shown) };
}

/** Keys, if one should ever arrive, are shown without their middle. */
function redacted(text) {
  return text.replace(/\b([a-z0-9]{2,10}_(?:pk|sk|mk|dk)_[a-z0-9]{1,12}_)[A-Za-z0-9]{8,}([A-Za-z0-9]{4})\b/g, "$1…$2");
}

async function body(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= LONGEST_BODY) chunks.push(chunk);
  }
  return length <= LONGEST_BODY ? Buffer.concat(chunks).toString() : "";
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value, null, 2)}\n`);
}
