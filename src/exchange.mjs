// What is sent to meters and comes back. Which, what and when the module decides.
import { Hot } from "../build/index.js";
import { Turns } from "./turns.mjs";
import { Waiting } from "./waiting.mjs";

const CALL_MS = 500;
const BACKGROUND_MS = 2000;

// Each keeps all that belongs to its call in memory: about 18 KB.
const waiting = new Waiting(2000);
// Those beyond that: of each account of an isolate one, or two.
const turns = new Turns(40_000);
// How many of them one call makes at once: the platform bounds the connections of a call.
const AT_ONCE = 5;
// When a call that has nothing to say any more looks for them again, and for how long: the platform ends
// what goes on after an answer within 30 s.
const LOOK_MS = 1000;
const LONGEST_MS = 20_000;

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

// In the background: now or later, and again as long as the module has something to say. Where too many
// wait already it is left to one of them. What is too much even for that, the next call begins again.
export async function exchange(env, account, delay) {
  let [waits, ended] = [false, false];
  for (let total = delay; ; total += delay) {
    if (delay > 0) {
      waits = waiting.take(delay, { goesOn: waits });
      if (!waits) return void (ended || turns.put([account, total], delay));
      await pause(delay);
    }
    const own = ended ? 0 : told(env, account, total);
    await Promise.all([own, ...turns.take(AT_ONCE).map((turn) => inTurn(env, ...turn))]);
    delay = await own;
    if (delay > 0) continue;
    if (turns.isEmpty || total > LONGEST_MS) return;
    ended = true;
    delay = LOOK_MS;
  }
}

async function inTurn(env, account, total) {
  const delay = await told(env, account, total);
  if (delay > 0) turns.put([account, total + delay], delay);
}

// One exchange, `total` milliseconds after the call that has brought it about. Resolves to the delay of the
// one that follows, or to 0.
async function told(env, account, total) {
  const question = Hot.exchange(account, total, Date.now());
  if (question === "") return 0;
  const [from, object, body] = question.split("\n");
  const answer = await post(env, object, body, BACKGROUND_MS);
  return Hot.exchanged(`${from}\n${answer}`, total, Date.now());
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
