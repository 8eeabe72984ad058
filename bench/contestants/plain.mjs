// The entry of the plain gateway. That of `worker-build` makes a `Proxy` or two for each request on top.
import * as plain from "./plain.js";

export default {
  fetch: (request, env, ctx) => plain.fetch(request, env, ctx),
};
