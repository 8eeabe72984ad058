// What Chromium sends and receives on the wire: preflights too, and answers that it keeps from the page.
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 10_000;

/**
 * Watches a page, or a frame with a process of its own (every sandboxed one). The returned function
 * waits for `count` exchanges since then, favicons aside: [{ url, sent, status, headers }], header names
 * in lower case.
 */
export async function watchExchanges(frame) {
  const page = frame.page?.() ?? frame;
  const session = await page.context().newCDPSession(frame);
  const exchanges = new Map();
  const add = (id, part) => exchanges.set(id, { ...exchanges.get(id), ...part });
  session.on("Network.requestWillBeSent", ({ requestId, request }) => add(requestId, { url: request.url }));
  session.on("Network.requestWillBeSentExtraInfo", ({ requestId, headers }) => add(requestId, { sent: lower(headers) }));
  session.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode, headers }) =>
    add(requestId, { status: statusCode, headers: lower(headers) }),
  );
  await session.send("Network.enable");
  return async (count) => {
    for (const limit = Date.now() + PATIENCE_MS; Date.now() < limit; await sleep(10)) {
      const complete = [...exchanges.values()].filter(({ url, sent, status }) => url && sent && status && !url.endsWith("/favicon.ico"));
      if (complete.length >= count) return complete;
    }
    throw new Error(`Chromium has made fewer than ${count} exchanges`);
  };
}

const lower = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
