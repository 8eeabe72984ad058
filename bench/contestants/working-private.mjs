// The working floor of a private key: the response is handed on untouched.
import { forward } from "./working-request.mjs";

export default {
  fetch: (request, env) => forward(request, env, "private"),
};
