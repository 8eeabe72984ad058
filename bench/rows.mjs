// What is called and how: the requests of each lane, and the answer that it has to give.
import { BODY } from "./origin.mjs";
import { requestText } from "./sender.mjs";

const TARGET = "/v1/orders?limit=20&after=ord_8212";
/** Shows what the origin was sent, see origin.mjs. */
const SEEN = "/v1/seen";
/** Of how many clients the calls come: one alone would be held to the limits for an address. */
const CLIENTS = 4096;

/** What Cloudflare's edge adds to every request. */
const EDGE = {
  "cf-ray": "8f1c2d3e4f5a6b7c-FRA",
  "cf-ipcountry": "DE",
  "cf-visitor": '{"scheme":"https"}',
  "x-forwarded-proto": "https",
};
const PAGE = {
  ...{ host: "api.example.com", "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", accept: "application/json" },
  ...{ "accept-language": "en-US,en;q=0.5", "accept-encoding": "gzip, br", origin: "https://app.example.com", referer: "https://app.example.com/" },
  ...{ "sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "sec-fetch-site": "same-site" },
  ...EDGE,
};
const SERVER = { host: "api.example.com", "user-agent": "python-requests/2.32.5", accept: "application/json", "accept-encoding": "gzip, br", ...EDGE };
const PREFLIGHT = { ...PAGE, accept: "*/*", "access-control-request-method": "GET", "access-control-request-headers": "x-api-key" };

const OK = { status: 200, contains: BODY };
const problem = (status, code) => ({ status, contains: `"code":"${code}"` });

/**
 * The lanes by name: { name, port, requests, expected, share, like, seen }. `like` is the lane
 * whose answers these must be, but for what differs from call to call; `seen` is a request that shows
 * what the origin is sent, which must be alike as well.
 */
export function lanes({ ports, secrets }) {
  const calls = (headers, { target = TARGET, method, keys = [] } = {}) =>
    Array.from({ length: Math.max(CLIENTS, keys.length) }, (_, index) => {
      const address = `198.18.${(index >> 8) & 15}.${index & 255}`;
      const key = keys.length > 0 ? { "x-api-key": keys[index % keys.length] } : {};
      return requestText(target, { ...headers, ...key, "cf-connecting-ip": address, "x-forwarded-for": address }, method);
    });
  const warm = (headers, keys) => ({ requests: calls(headers, { keys }), seen: calls(headers, { keys, target: SEEN })[0], expected: OK });
  const kinds = {
    public: warm(PAGE, [secrets.public]),
    private: warm(SERVER, [secrets.private]),
    limited: warm(SERVER, [secrets.limited]),
    guarded: warm(SERVER, [secrets.private]),
    derived: warm(SERVER, secrets.derived),
    asserted: warm(SERVER, [secrets.private]),
    cold: { requests: calls(SERVER, { keys: secrets.cold }), expected: OK, share: 0.25 },
    forged: { requests: calls(SERVER, { keys: secrets.forged }), expected: problem(401, "key_invalid") },
    expired: { requests: calls(SERVER, { keys: [secrets.expired] }), expected: problem(401, "key_expired") },
    preflight: { requests: calls(PREFLIGHT, { method: "OPTIONS" }), expected: { status: 204, contains: "ccess-" } },
    unknown: { requests: calls(SERVER, { keys: [secrets.private], target: "/v2/orders" }), expected: problem(404, "route_unknown") },
  };
  const lane = (contestant, kind, port, more) => ({ name: `${contestant}, ${kind}`, port, ...kinds[kind], ...more });
  const like = (kind) => ({ like: `Keyward, ${kind}` });
  const forwarding = ["public", "private"].flatMap((kind) => [
    lane("bare floor", kind, ports.bare),
    lane("edits alone", kind, ports[`edits-${kind}`], like(kind)),
    lane("working floor", kind, ports[`working-${kind}`], like(kind)),
    lane("JavaScript validator", kind, ports.validator, like(kind)),
    lane("Rust, worker crate", kind, ports.plain, like(kind)),
    lane("Hono", kind, ports.hono),
    lane("Keyward", kind, ports.keyward),
  ]);
  const refusing = ["forged", "expired", "preflight", "unknown"].flatMap((kind) => [
    lane("answer only", kind, ports[`answer-${kind}`], like(kind)),
    lane("Keyward", kind, ports.keyward),
  ]);
  return [
    ...forwarding,
    lane("working floor", "limited", ports["working-limited"], like("limited")),
    lane("Keyward", "limited", ports.keyward),
    lane("one Durable Object call", "limited", ports.central, { share: 0.25 }),
    lane("Keyward", "guarded", ports.guarded),
    lane("Keyward", "derived", ports.derived),
    lane("Keyward", "asserted", ports.asserted),
    lane("Keyward", "cold", ports.cold),
    ...refusing,
  ];
}

/**
 * What is said of Keyward: a row for each way that a call can go, { name, lane, to }, `to` being
 * pairs of another lane and what the ratio to it may be at most, if there is a bound.
 */
export const ROWS = [
  row("warm public key", "public", [["working floor, public", 1.05], ["edits alone, public"], ["bare floor, public", 1.2], ["JavaScript validator, public", 1], ["Rust, worker crate, public"], ["Hono, public"]]),
  row("warm private key", "private", [["working floor, private", 1.05], ["edits alone, private"], ["bare floor, private", 1.1], ["JavaScript validator, private", 1], ["Rust, worker crate, private"], ["Hono, private"]]),
  row("the same, with the body guard", "guarded", [["Keyward, private"], ["bare floor, private"]]),
  row("a key derived from it", "derived", [["Keyward, private"], ["bare floor, private"]]),
  row("with a signed assertion", "asserted", [["Keyward, private"], ["bare floor, private"]]),
  row("with rate limit and quota", "limited", [["working floor, limited", 1.05], ["bare floor, private", 1.2], ["Keyward, private"]]),
  { ...row("one Durable Object call each", "limited", [["working floor, limited"], ["bare floor, private"]]), lane: "one Durable Object call, limited" },
  row("forged key", "forged", [["answer only, forged", 1.05]]),
  row("expired key", "expired", [["answer only, expired"]]),
  row("preflight", "preflight", [["answer only, preflight"]]),
  row("no route (404)", "unknown", [["answer only, unknown"]]),
  row("cold key (one KV read)", "cold", [["working floor, private"], ["bare floor, private"], ["Hono, private"]]),
];

function row(name, kind, to) {
  return { name, lane: `Keyward, ${kind}`, to: to.map(([lane, most]) => ({ lane, most })) };
}
