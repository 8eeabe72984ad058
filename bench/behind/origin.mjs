// An origin with as little work as can be.
export default { fetch: () => new Response("ok") };
