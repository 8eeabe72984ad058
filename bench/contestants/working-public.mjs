// The working floor of a public key: a page may read the response.
import { forward } from "./working-request.mjs";

export default {
  async fetch(request, env) {
    const response = await forward(request, env, "public");
    const rebuilt = new Response(response.body, response);
    rebuilt.headers.set("access-control-allow-origin", request.headers.get("origin"));
    rebuilt.headers.set("vary", "Accept-Encoding, Origin");
    return rebuilt;
  },
};
