// Hono as its users put it in front of an API: its CORS and bearer middleware, which looks the key up
// in KV by its digest, and its proxy helper. No record in memory, no referrers, no path rules.
import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { cors } from "hono/cors";
import { proxy } from "hono/proxy";

const app = new Hono();

app.use("/v1/*", cors({ origin: ["https://app.example.com"] }));
app.use(
  "/v1/*",
  bearerAuth({
    headerName: "x-api-key",
    prefix: "",
    async verifyToken(key, c) {
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
      const name = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const record = await c.env.KEYS.get(`validator/${name}`, "json");
      c.set("record", record);
      return record !== null && record.status === "active" && record.scopes.includes("orders:read") && Date.now() < record.expires_at;
    },
  }),
);
app.all("/v1/*", (c) => {
  const { key_id, project, environment, kind, owner, scopes } = c.get("record");
  const { pathname, search } = new URL(c.req.url);
  return proxy(c.env.ORIGIN + pathname + search, {
    ...c.req,
    redirect: "manual",
    headers: {
      ...c.req.header(),
      "x-api-key": undefined,
      cookie: undefined,
      "cdn-loop": "keyward-0a1b2c3d",
      "keyward-key-id": key_id,
      "keyward-project": project,
      "keyward-environment": environment,
      "keyward-kind": kind,
      "keyward-owner": owner,
      "keyward-scopes": scopes.join(" "),
      authorization: `Bearer ${c.env.ORIGIN_TOKEN}`,
    },
  });
});

export default app;
