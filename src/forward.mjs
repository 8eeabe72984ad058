// The origin's side of a call: applies the edits that the module has planned.
import { Hot } from "../build/index.js";
import { guarded } from "./guard.mjs";
import { ask } from "./module.mjs";
import { planOf, register, wordsOf } from "./plans.mjs";
import { assertionFor, signed } from "./signer.mjs";

// The platform's cache knows URLs, not keys: what one key was given must not answer another.
// Whatever the status. Of `cacheTtl` the runtime would make the other option on every call.
const UNCACHED = { cacheControl: "no-store", cacheTtlByStatus: { "100-599": -1 } };
const REFUSED = "?";
// How many lengths of a base there are in the number of an ordinary outcome.
const BASES = 2 ** 17;
const NOTHING = [];

// Method, URL, and a line for each header's name and value. No value can hold a line break.
export function gather(request, url) {
  return lines(`${request.method}\n${url}\n`, request.headers);
}

function lines(text, headers) {
  // Cheaper than an iterator, which makes an array for each header.
  headers.forEach((value, name) => {
    text += `${name}\n${value}\n`;
  });
  return text;
}

export function forward(outcome, call, { respond, failed, background }) {
  const { request, env, head } = call;
  const { id, base, address, work, asker, remove, set, toSign } = read(outcome, call);
  const plan = planOf(id) ?? register(Hot.fixed(head));
  const url = address || plan.origin + call.url.slice(base);
  if (work) background(work, call);

  const headers = new Headers(request.headers);
  for (const name of plan.remove) headers.delete(name);
  for (const name of remove) headers.delete(name);
  for (const [name, value] of plan.set) headers.set(name, value);
  for (let i = 0; i < set.length; i += 2) headers.set(set[i], set[i + 1]);

  const refuse = (code) => respond(ask(env, () => Hot.refuse(head, code, plan.kind, plan.account, Date.now())), call);
  const go = () => {
    const timer = plan.timeout === null ? undefined : deadline(plan.timeout);
    return send(url, request, { headers, redirect: "manual", signal: timer?.signal, cf: plan.cache ? undefined : UNCACHED }).then(
      (response) => {
        timer?.met();
        // A switch of protocols that nobody has asked for: the connection is no HTTP any more.
        if (response.status === 101 && !response.webSocket) return refuse("origin_unreachable");
        if (response.status > 599) {
          response.body?.cancel();
          return refuse("origin_unreachable");
        }
        return clean(response, plan, asker, call, { refuse, background });
      },
      () => {
        timer?.met();
        return refuse(timer?.missed() ? "origin_timeout" : "origin_unreachable");
      },
    );
  };
  const proven = prove(headers, plan.assertion, toSign, call);
  // Without what the route wants proven nothing is sent.
  return (proven === undefined ? go() : proven.then(go, () => refuse("internal_error"))).catch(() => failed(request));
}

// What differs from what is registered; of an ordinary call nothing does, and a number says so.
function read(outcome, { request, url }) {
  if (typeof outcome === "number") {
    const base = outcome % BASES;
    const named = (outcome - base) / BASES;
    const page = named % 2 === 1 ? ` ${request.headers.get("origin")}` : "";
    return { id: (named - (named % 2)) / 2, base, address: "", work: "", asker: url.slice(0, base) + page, remove: NOTHING, set: NOTHING, toSign: "" };
  }
  // What is to be signed has no empty line.
  const end = outcome[0] === "G" ? outcome.lastIndexOf("\n\n") : outcome.length;
  const [first, address, work, asker, names, ...set] = outcome.slice(1, end).split("\n");
  const [id, base] = first.split(" ").map(Number);
  return { id, base, address, work, asker, remove: names ? names.split(",") : NOTHING, set, toSign: outcome.slice(end + 2) };
}

// Adds what the origin can verify. A promise only where something has to be signed first.
function prove(headers, claims, base, call) {
  const assertion = claims === null ? undefined : assertionFor(claims, call);
  if (typeof assertion === "string") headers.set("keyward-assertion", assertion);
  const asserted = typeof assertion === "object" && assertion.then((made) => headers.set("keyward-assertion", made));
  const whole = base !== "" && signed(base, call.env).then((value) => headers.set("signature", value));
  return asserted || whole ? Promise.all([asserted, whole]) : undefined;
}

// The runtime refuses a body on GET and HEAD unless the incoming request itself is handed on.
function send(url, request, init) {
  const { method, body } = request;
  if (body !== null && (method === "GET" || method === "HEAD")) {
    return fetch(new Request(url, request), init);
  }
  init.method = method;
  init.body = body;
  return fetch(url, init);
}

// Ends when the response headers arrive: it must never cut a stream.
function deadline(ms) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, met: () => clearTimeout(timer), missed: () => controller.signal.aborted };
}

// What the origin goes on sending is not wanted.
function drop(response) {
  if (response.webSocket) {
    response.webSocket.accept();
    response.webSocket.close();
  } else {
    response.body?.cancel();
  }
}

// A length that is taken away is that of what the runtime decodes.
function searched(response, words, removed) {
  const length = removed.includes("content-length") ? null : response.headers.get("content-length");
  return guarded(response, words, length === null ? null : Number(length));
}

function clean(response, plan, asker, call, { refuse, background }) {
  const { env } = call;
  const answer = lines(`${asker}\n${plan.secret ?? ""}\n`, response.headers);
  let edits = ask(env, () => Hot.answer(plan.route, plan.kind, plan.account, response.status, answer, Date.now()));
  if (edits === undefined && !plan.guard) return response;
  edits ??= "";
  if (edits[0] === REFUSED) {
    drop(response);
    return refuse(edits.slice(REFUSED.length));
  }
  // An exchange that no other would make. Names of headers are in lower case.
  if (edits[0] === "X") {
    const end = edits.indexOf("\n");
    background(edits.slice(0, end), call);
    edits = edits.slice(end + 1);
  }
  if (edits === "" && !plan.guard) return response;
  const [remove, ...set] = edits.split("\n");
  const removed = remove ? remove.split(",") : [];
  const rebuild = (body) => rebuilt(response, body, removed, set);
  if (!plan.guard || response.body === null) return rebuild(response.body);
  const body = searched(response, wordsOf(plan), removed);
  return body instanceof Promise ? body.then(rebuild) : rebuild(body);
}

function rebuilt(response, body, removed, set) {
  const answer = response.webSocket
    ? new Response(null, { status: 101, webSocket: response.webSocket, headers: response.headers })
    : new Response(body, response);
  for (const name of removed) answer.headers.delete(name);
  for (let i = 0; i < set.length; i += 2) answer.headers.set(set[i], set[i + 1]);
  return answer;
}
