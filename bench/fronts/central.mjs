// In front of the gateway's entry: counts every call in one Durable Object first, as a gateway would
// whose limits are kept in one place. The least that such an object can do: one row, one statement.
import { DurableObject } from "cloudflare:workers";
import entry from "./entry.mjs";

export * from "./entry.mjs";

export class Central extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS used (key TEXT PRIMARY KEY, units INTEGER NOT NULL)");
  }

  fetch() {
    const { sql } = this.ctx.storage;
    sql.exec("INSERT INTO used VALUES ('key', 1) ON CONFLICT DO UPDATE SET units = units + 1 WHERE units < 1000000000 RETURNING units").toArray();
    return new Response();
  }
}

export default {
  async fetch(request, env, ctx) {
    await env.CENTRAL.getByName("key").fetch("https://central/");
    return entry.fetch(request, env, ctx);
  },
};
