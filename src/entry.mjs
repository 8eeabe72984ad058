// The Worker's entry: gathers a request into one string, makes one call into the module, and
// does what it is told. It decides nothing.
import { DurableObject } from "cloudflare:workers";
import { Hot } from "../build/index.js";
import { manage, Registry } from "./control.mjs";
import { exchange, meet } from "./exchange.mjs";
import { forward, gather } from "./forward.mjs";
import { hold } from "./hold.mjs";
import { Counter } from "./meter.mjs";
import { ask } from "./module.mjs";
import { questionOf, verdictOf } from "./question.mjs";
import { assertionFor, keySet } from "./signer.mjs";
import { drained, FAILED, load, refresh } from "./store.mjs";
import { reread, unlock } from "./vault.mjs";

// Headers of answers by their lines. What callers choose of them may neither fill it nor make it large.
const made = new Map();
const MOST_MADE = 100;
const LONGEST_MADE = 1000;

// What a call has met, in the module's bits: KV did not answer it, or a credential was read for it.
const KV_FAILED = 1;
const UNLOCKED = 2;

export default {
  fetch(request, env, ctx) {
    try {
      const { url } = request;
      const head = gather(request, url);
      return act(ask(env, () => Hot.handle(head, Date.now())), { request, env, ctx, url, head });
    } catch {
      return failed(request);
    }
  },
};

function act(outcome, call) {
  if (typeof outcome === "number") return forward(outcome, call, { respond, failed, background });
  switch (outcome[0]) {
    case "F":
    case "G":
      return forward(outcome, call, { respond, failed, background });
    case "R":
      return respond(outcome, call);
    case "B":
      return asked(outcome.slice(1), call).catch(() => failed(call.request));
    case "C":
      return challenged(outcome.slice(1), call).catch(() => failed(call.request));
    case "L":
      return cold(outcome.slice(1), call).catch(() => failed(call.request));
    case "Q":
      return counted(outcome.slice(1), call).catch(() => failed(call.request));
    case "V":
      return unlocked(outcome.slice(1), call).catch(() => failed(call.request));
    case "D":
      return described(outcome, call).catch(() => failed(call.request));
    case "K":
      return keys(outcome, call).catch(() => failed(call.request));
    case "A":
      return vouched(outcome, call).catch(() => failed(call.request));
    case "M":
      return manage(call).catch(() => failed());
    default:
      return failed(call.request);
  }
}

// Who asks about another call has proven itself, and its question is in the body.
async function asked(work, call) {
  if (work) background(work, call);
  const question = await questionOf(call.request);
  if (question === undefined) return respond(ask(call.env, () => Hot.refuse(call.head, "body_too_large", 0, 0, Date.now())), call);
  const head = call.head + question;
  return act(ask(call.env, () => Hot.handle(head, Date.now())), { ...call, head });
}

// What a service says of the challenge that a page has met.
async function challenged(question, call) {
  const work = question.slice(question.lastIndexOf("\n") + 1);
  if (work) background(work, call);
  const head = call.head + (await verdictOf(question));
  return act(ask(call.env, () => Hot.handle(head, Date.now())), { ...call, head });
}

async function cold(read, call) {
  const [attempt, , name] = read.split(" ");
  const [answer, value] = await load(call.env, name);
  const next = answer === FAILED ? { ...call, met: call.met | KV_FAILED } : call;
  const resume = () => Hot.resume(next.head, Date.now(), next.patience ?? 0, next.met ?? 0, Number(attempt), answer, value);
  return act(ask(next.env, resume), next);
}

// Also where it was not read: a call waits for that once.
async function unlocked(read, call) {
  const next = { ...call, met: call.met | UNLOCKED };
  return act(await unlock(read, next), next);
}

// The meters of a key that has no lease here, or none that suffices, are asked first.
async function counted(questions, call) {
  const [first, ...lines] = questions.split("\n");
  const [patience, ms] = first.split(" ").map(Number);
  // Also when the client leaves: the module waits for an answer to what it has asked, and for what it is given.
  const asked = meet(call.env, lines, ms);
  call.ctx.waitUntil(asked);
  const replies = await asked;
  const met = () => Hot.met(call.head, Date.now(), patience, call.met ?? 0, replies);
  return act(ask(call.env, met), { ...call, patience });
}

// What the call that asks for it does not wait for.
function background(work, { env, ctx }) {
  for (const one of work.split(",")) {
    if (one[0] === "X") ctx.waitUntil(exchange(env, ...one.slice(1).split(" ").map(Number)));
    else ctx.waitUntil(one[0] === "V" ? reread(env, one.slice(1)) : refresh(env, one));
  }
}

// The description of the management API is loaded when it is first asked for.
async function described(outcome, call) {
  const { default: document } = await import("../build/openapi.mjs");
  return respond(call.request.method === "HEAD" ? outcome : outcome + document, call);
}

async function keys(outcome, call) {
  return respond(call.request.method === "HEAD" ? outcome : outcome + (await keySet(call.env)), call);
}

// A proxy may let its client pass, and passes on who that is, signed.
async function vouched(outcome, call) {
  const end = outcome.indexOf("\n\n") + 2;
  const assertion = await assertionFor(outcome.slice(end), call);
  const answer = await respond(outcome.slice(0, end), call);
  answer.headers.set("keyward-assertion", assertion);
  return answer;
}

function respond(outcome, call) {
  const { request } = call;
  const line = outcome.indexOf("\n");
  const end = outcome.indexOf("\n\n", line);
  const [first, ...work] = outcome.slice(1, line).split(" ");
  const [status, wait = 0] = first.split("+").map(Number);
  if (work.length > 0) background(work.join(" "), call);
  const body = outcome.slice(end + 2) || null;
  const response = new Response(body, { status, headers: headersOf(outcome.slice(line + 1, end)) });
  // A refused upload that nobody reads would break the next request on the same connection.
  // One that was on its way to the origin is no longer ours to read.
  const answer = request.body && !request.bodyUsed ? drained(request.body).then(() => response) : response;
  return hold(answer, wait);
}

// Most refusals have the same headers, and copying them costs less than making them.
function headersOf(text) {
  const known = made.get(text);
  if (known) return known;
  const headers = new Headers();
  const lines = text.split("\n");
  for (let i = 0; i + 1 < lines.length; i += 2) headers.append(lines[i], lines[i + 1]);
  if (text.length > LONGEST_MADE) return headers;
  if (made.size >= MOST_MADE) made.clear();
  made.set(text, headers);
  return headers;
}

// The last resort, when the module itself failed. Without the request no page can read it.
function failed(request) {
  const problem = {
    type: "/_keyward/errors/internal_error",
    title: "Internal error",
    status: 500,
    code: "internal_error",
    detail: "The gateway failed while handling this request; nothing was decided in its favour.",
    request_id: crypto.randomUUID(),
    fix: "Try again; if it stays, report the request id.",
  };
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store", vary: "Origin" });
  const origin = request?.headers.get("origin");
  if (origin && origin !== "null") headers.set("access-control-allow-origin", origin);
  return new Response(request?.method === "HEAD" ? null : JSON.stringify(problem), { status: 500, headers });
}

// The platform finds the classes of the Durable Objects here before their modules are loaded.
const durable = (Held, name) =>
  class extends DurableObject {
    #held = new Held(name, this.ctx, this.env);
    fetch(request) {
      return this.#held.ask((inner) => inner.fetch(request));
    }
    alarm() {
      return this.#held.ask((inner) => inner.alarm());
    }
  };

export class AccountRegistry extends durable(Registry, "AccountRegistry") {}
export class ProjectRegistry extends durable(Registry, "ProjectRegistry") {}
export class Meter extends durable(Counter, "Meter") {}
