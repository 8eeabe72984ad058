// The edits alone, of a private key: nothing is read, nothing is looked for, nothing is checked, and the
// response is handed on as it is.
import { edit, send } from "./edits-request.mjs";

export default {
  fetch(request, env) {
    const headers = new Headers(request.headers);
    edit(headers, env, "private");
    return send(request, headers, env);
  },
};
