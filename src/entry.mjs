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
import { keySet } from "./signer.mjs";
import { drained, load, refresh } from "./store.mjs";

// Headers of answers by their lines. What callers choose of them may neither fill it nor make it large.
const made = new Map();
const MOST_MADE = 100;
const LONGEST_MADE = 1000;

export default {
  fetch(request, env, ctx) {
    try {
      const head = gather(request);
      return act(ask(env, () => Hot.handle(head, Date.now())), { request, env, ctx, head });
    } catch {
      return failed(request);
    }
  },
};

function act(outcome, call) {
  switch (outcome[0]) {
    case "F":
    case "G":
      return forward(outcome, call, { respond, failed, background });
    case "R":
      return respond(outcome, call);
    case "L":
      return cold(outcome.slice(1), call).catch(() => failed(call.request));
    case "Q":
      return counted(outcome.slice(1), call).catch(() => failed(call.request));
    case "D":
      return described(outcome, call).catch(() => failed(call.request));
    case "K":
      return keys(outcome, call).catch(() => failed(call.request));
    case "M":
      return manage(call).catch(() => failed());
    default:
      return failed(call.request);
  }
}

async function cold(read, call) {
  const [attempt, , name] = read.split(" ");
  const [answer, value] = await load(call.env, name);
  const resume = () => Hot.resume(call.head, Date.now(), call.patience ?? 0, Number(attempt), answer, value);
  return act(ask(call.env, resume), call);
}

// The meters of a key that has no lease here, or none that suffices, are asked first.
async function counted(questions, call) {
  const [first, ...lines] = questions.split("\n");
  const [patience, ms] = first.split(" ").map(Number);
  // Also when the client leaves: the module waits for an answer to what it has asked, and for what it is given.
  const asked = meet(call.env, lines, ms);
  call.ctx.waitUntil(asked);
  const replies = await asked;
  const met = () => Hot.met(call.head, Date.now(), patience, replies);
  return act(ask(call.env, met), { ...call, patience });
}

// What the call that asks for it does not wait for.
function background(work, { env, ctx }) {
  for (const one of work.split(",")) ctx.waitUntil(one[0] === "X" ? exchange(env, ...one.slice(1).split(" ").map(Number)) : refresh(env, one));
}

// The description of the management API is loaded when it is first asked for.
async function described(outcome, call) {
  const { default: document } = await import("../build/openapi.mjs");
  return respond(call.request.method === "HEAD" ? outcome : outcome + document, call);
}

async function keys(outcome, call) {
  return respond(call.request.method === "HEAD" ? outcome : outcome + (await keySet(call.env)), call);
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
