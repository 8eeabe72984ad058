// Keyward's work on the headers of this route, both ways, and no check. What neither a client nor an origin
// may say is looked for by name, in every spelling.
import { edit, send } from "./edits-request.mjs";

const NOT_FROM_CLIENTS = /^(keyward[-_]|x[-_]api[-_]key$|proxy-)/;
const NOT_FROM_ORIGINS = /^(keyward-|access-control-|proxy-|set-cookie$|(cloudflare-)?cdn-cache-control$|surrogate-control$|x-accel-expires$|edge-control$)/;

export async function forward(request, env, kind, set = []) {
  const headers = without(new Headers(request.headers), named(request.headers, NOT_FROM_CLIENTS));
  edit(headers, env, kind);
  const response = await send(request, headers, env);
  const remove = named(response.headers, NOT_FROM_ORIGINS);
  if (remove.length === 0 && set.length === 0) return response;
  const rebuilt = new Response(response.body, response);
  without(rebuilt.headers, remove);
  for (const [name, value] of set) rebuilt.headers.set(name, value);
  return rebuilt;
}

function named(headers, pattern) {
  const names = [];
  headers.forEach((_, name) => {
    if (pattern.test(name)) names.push(name);
  });
  return names;
}

function without(headers, names) {
  for (const name of names) headers.delete(name);
  return headers;
}
