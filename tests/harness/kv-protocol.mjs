// The protocol between workerd and the service behind a KV binding, over an in-memory store.
// It runs in Node, where a test can look into the store, and in workerd itself.

/** The values by name; each is { value: Uint8Array, metadata: string | null, expiration: seconds | null }. */
export class KvStore {
  #entries = new Map();

  get(name) {
    const entry = this.#entries.get(name);
    return entry && (entry.expiration === null || entry.expiration > Date.now() / 1000) ? entry : undefined;
  }

  apply({ operation, name, entry }) {
    if (operation === "put") this.#entries.set(name, entry);
    if (operation === "delete") this.#entries.delete(name);
  }

  names() {
    return [...this.#entries.keys()].filter((name) => this.get(name)).sort();
  }
}

/** Reads one request as { operation: get | put | delete | list | bulk, name?, ... }. */
export async function parse(request) {
  const url = new URL(request.url);
  const name = decodeURIComponent(url.pathname.slice(1));
  const parameter = (key) => url.searchParams.get(key);
  if (request.method === "POST") return { operation: "bulk", ...(await request.json()) };
  if (request.method === "DELETE") return { operation: "delete", name };
  if (request.method === "PUT") {
    const ttl = parameter("expiration_ttl");
    const expiration = ttl ? Date.now() / 1000 + Number(ttl) : Number(parameter("expiration")) || null;
    const metadata = request.headers.get("cf-kv-metadata");
    const value = new Uint8Array(await request.arrayBuffer());
    return { operation: "put", name, entry: { value, metadata, expiration } };
  }
  if (name) return { operation: "get", name, cacheTtl: parameter("cache_ttl") };
  const [prefix, cursor] = [parameter("prefix") ?? "", parameter("cursor") ?? ""];
  return { operation: "list", prefix, cursor, limit: Number(parameter("key_count_limit") ?? 1000) };
}

/** The answer to a request that reads; to one that writes it is empty. */
export function answer(store, asked) {
  if (asked.operation === "get") return one(store.get(asked.name));
  if (asked.operation === "list") return Response.json(page(store, asked));
  if (asked.operation === "bulk") return Response.json(bulk(store, asked));
  return new Response();
}

function one(entry) {
  if (!entry) return new Response(null, { status: 404 });
  return new Response(entry.value, { headers: entry.metadata ? { "cf-kv-metadata": entry.metadata } : {} });
}

function page(store, { prefix, cursor, limit }) {
  const names = store.names().filter((name) => name.startsWith(prefix) && name > cursor);
  const keys = names.slice(0, limit).map((name) => {
    const { metadata, expiration } = store.get(name);
    return { name, ...(expiration && { expiration }), ...(metadata && { metadata: JSON.parse(metadata) }) };
  });
  const complete = names.length <= limit;
  return { keys, list_complete: complete, ...(!complete && { cursor: keys.at(-1).name }) };
}

function bulk(store, { keys, type, withMetadata }) {
  const read = ({ value, metadata }) => {
    const text = new TextDecoder().decode(value);
    const content = type === "json" ? JSON.parse(text) : text;
    return withMetadata ? { value: content, metadata: metadata && JSON.parse(metadata) } : content;
  };
  return Object.fromEntries(keys.map((name) => [name, store.get(name) ? read(store.get(name)) : null]));
}
