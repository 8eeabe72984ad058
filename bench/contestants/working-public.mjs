// The working floor of a public key: a page may read the response.
import { forward } from "./working-headers.mjs";

export default {
  fetch(request, env) {
    const set = [
      ["access-control-allow-origin", request.headers.get("origin")],
      ["vary", "Accept-Encoding, Origin"],
    ];
    return forward(request, env, "public", set);
  },
};
