// An origin that speaks the protocol of chat completions, as far as the official clients need it, and
// answers only to its own credential.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** The words that it answers with; between them it pauses when they are streamed. */
export const WORDS = ["Keys", " stay", " at", " the", " edge."];

/**
 * Starts it; `t` closes it. `requests` holds what has arrived: { method, target, headers, body }, and
 * `left` when the client has not waited for the end.
 */
export async function startChatOrigin(t, credential, pauseMs = 150) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const { method, url: target, headers } = request;
    const body = Buffer.concat(await request.toArray()).toString();
    const record = { method, target, headers, body };
    requests.push(record);
    response.on("close", () => response.writableFinished || (record.left = true));
    if (headers.authorization !== `Bearer ${credential}`) {
      return json(response, 401, { error: { message: "Incorrect API key provided.", type: "invalid_request_error", param: null, code: "invalid_api_key" } });
    }
    if (method !== "POST" || target !== "/v1/chat/completions") {
      return json(response, 404, { error: { message: "Unknown request URL.", type: "invalid_request_error", param: null, code: null } });
    }
    const { model, stream } = JSON.parse(body);
    const common = { id: "chatcmpl-1", created: 1_795_000_000, model };
    if (!stream) {
      const message = { role: "assistant", content: WORDS.join(""), refusal: null };
      const usage = { prompt_tokens: 4, completion_tokens: WORDS.length, total_tokens: 4 + WORDS.length };
      return json(response, 200, { ...common, object: "chat.completion", choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }], usage });
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    const send = (delta, finish_reason = null) =>
      response.write(`data: ${JSON.stringify({ ...common, object: "chat.completion.chunk", choices: [{ index: 0, delta, logprobs: null, finish_reason }] })}\n\n`);
    for (const content of WORDS) {
      send({ role: "assistant", content });
      await sleep(pauseMs);
    }
    send({}, "stop");
    response.end("data: [DONE]\n\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, url: `http://127.0.0.1:${server.address().port}` };
}

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
