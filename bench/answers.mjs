// What Keyward answers by itself, for the workers that only answer: letter for letter, as the
// benchmark checks before it measures.
const problem = (code, title, status, detail, fix) =>
  JSON.stringify({ type: `/_keyward/errors/${code}`, title, status, code, detail, request_id: "8f1c2d3e4f5a6b7c-FRA", fix });
const HEADERS = { "content-type": "application/problem+json", "cache-control": "no-store", vary: "Origin" };
const challenge = (detail) => ({ ...HEADERS, "www-authenticate": `Bearer realm="keyward", error="invalid_token", error_description="${detail}"` });

/** { status, headers, body } by the name of the worker. */
export const ANSWERS = {
  "answer-forged": {
    status: 401,
    headers: challenge("The API key is not valid here."),
    body: problem("key_invalid", "Invalid key", 401, "The API key is not valid here.", "Check that the key was copied whole and belongs to this API."),
  },
  "answer-expired": {
    status: 401,
    headers: challenge("The key has expired."),
    body: problem("key_expired", "Key expired", 401, "The key has expired.", "Ask the owner of the API for a new key."),
  },
  "answer-unknown": {
    status: 404,
    headers: HEADERS,
    body: problem("route_unknown", "No such route", 404, "No route of this gateway matches the host and path.", "Check the base URL; the routes are in the deployment's gateway.toml."),
  },
  "answer-preflight": {
    status: 204,
    headers: {
      "access-control-allow-origin": "https://app.example.com",
      "access-control-allow-methods": "GET",
      "access-control-allow-headers": "x-api-key",
      "access-control-max-age": "7200",
      "cache-control": "no-store",
      vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
    },
    body: null,
  },
};
