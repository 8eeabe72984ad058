// In front of the gateway's entry: waits for its answer, and hands it on.
import entry from "./entry.mjs";

export * from "./entry.mjs";

export default {
  async fetch(request, env, ctx) {
    return await entry.fetch(request, env, ctx);
  },
};
