// The edits alone, of a public key: a page may read the response.
import { edit, send } from "./edits-request.mjs";

export default {
  async fetch(request, env) {
    const headers = new Headers(request.headers);
    edit(headers, env, "public");
    const response = await send(request, headers, env);
    const rebuilt = new Response(response.body, response);
    rebuilt.headers.set("access-control-allow-origin", request.headers.get("origin"));
    rebuilt.headers.set("vary", "Accept-Encoding, Origin");
    return rebuilt;
  },
};
