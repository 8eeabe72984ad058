// The working floor of a key with limits: the response says how they stand.
import { forward } from "./working-request.mjs";

export default {
  async fetch(request, env) {
    const response = await forward(request, env, "private");
    const rebuilt = new Response(response.body, response);
    rebuilt.headers.set("ratelimit-policy", '"second";q=100000;w=1, "month";q=1000000000');
    rebuilt.headers.set("ratelimit", '"second";r=75000;t=1, "month";r=750000000;t=864000');
    return rebuilt;
  },
};
