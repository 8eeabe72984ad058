// The working floor of a private key: nothing has to be set on the response.
import { forward } from "./working-headers.mjs";

export default {
  fetch: (request, env) => forward(request, env, "private"),
};
