// In front of the gateway's entry: makes its answer anew and sets the headers that a limited key's
// answers have, as the gateway does for those.
import entry from "./entry.mjs";

export * from "./entry.mjs";

export default {
  async fetch(request, env, ctx) {
    const answer = await entry.fetch(request, env, ctx);
    const response = new Response(answer.body, answer);
    response.headers.set("ratelimit-policy", '"second";q=100000;w=1, "month";q=1000000000');
    response.headers.set("ratelimit", '"second";r=75000;t=1, "month";r=750000000;t=864000');
    return response;
  },
};
