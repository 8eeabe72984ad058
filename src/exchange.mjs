// What is sent to meters and comes back. Which, what and when the module decides.
import { Hot } from "../build/index.js";

const CALL_MS = 500;
const BACKGROUND_MS = 2000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks for a call that waits: each meter at once, and once more in the same words if it does not answer.
export async function meet(env, lines, ms) {
  if (ms > 0) await pause(ms);
  const replies = [];
  for (let i = 0; i + 2 < lines.length; i += 3) {
    replies.push(asked(env, lines[i], lines[i + 1], lines[i + 2]));
  }
  return (await Promise.all(replies)).join("\n");
}

async function asked(env, from, object, body) {
  const answer = (await post(env, object, body, CALL_MS)) || (await post(env, object, body, CALL_MS));
  return `${from}\n${answer}`;
}

// In the background: now or later, and again as long as the module has something to say.
export async function exchange(env, account, delay) {
  for (let total = delay; ; total += delay) {
    if (delay > 0) await pause(delay);
    const question = Hot.exchange(account, total, Date.now());
    if (question === "") return;
    const [from, object, body] = question.split("\n");
    const answer = await post(env, object, body, BACKGROUND_MS);
    delay = Hot.exchanged(`${from}\n${answer}`, total, Date.now());
    if (delay === 0) return;
  }
}

// The meter's answer; nothing when it fails or takes too long.
async function post(env, object, body, ms) {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, "");
  });
  try {
    return await Promise.race([said(env, JSON.parse(object), body), timeout]);
  } catch {
    return "";
  } finally {
    clearTimeout(timer);
  }
}

async function said(env, object, body) {
  // The host is never looked up: the stub leads to the object.
  const response = await env.METERS.getByName(object).fetch("https://meter/", { method: "POST", body });
  const text = await response.text();
  return response.status === 200 ? text : "";
}
