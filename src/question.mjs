// JSON that a decision needs beside a call's head, as lines behind that. No client can send headers of
// these names, and in JSON a line break stands only where a blank may.
const MOST = 16 * 1024;
const VERDICT_MS = 5000;

const lines = (name, text) => `${name}\n ${text.replace(/[\r\n]/g, " ")}\n`;

// The body of a request; undefined when there is more than may be asked.
export async function questionOf({ body }) {
  const text = await textOf(body);
  return text === undefined ? undefined : lines(":body", text);
}

// What a service answers to a form. Whatever it does else is no verdict.
export async function verdictOf(question) {
  const [url, body] = question.split("\n");
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  try {
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: AbortSignal.timeout(VERDICT_MS) });
    return lines(":verdict", (answer.status === 200 && (await textOf(answer.body))) || "");
  } catch {
    return lines(":verdict", "");
  }
}

async function textOf(body) {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > MOST) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
