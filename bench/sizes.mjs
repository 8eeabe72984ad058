// The second table: whether a call costs more where there is more: routes, rules, scopes, keys,
// headers. Each series is measured by itself, its sizes in turn.
import { startKeyward } from "../tests/harness/keyward.mjs";
import { minted, nameFor, recordOf, sealed } from "../tests/harness/record.mjs";
import { measure, ratio } from "./measure.mjs";
import { BODY, startOrigin } from "./origin.mjs";
import { quartiles, table } from "./report.mjs";
import { requestText, startSender } from "./sender.mjs";
import { spread } from "./statistics.mjs";
import { Writer, working } from "./world.mjs";

const ROUTES = [1, 10, 100, 1000];
/** Of the keys that an isolate knows so many are called in turn: those that are not called grow cold. */
const CALLED = 2000;
const KEYS = [1, 1000, 10_000, 100_000];
/** A series that costs by so much more at its largest size, at least, is said to grow. */
const GROWS = 1.03;

const route = (path) => `[[route]]\npath = "${path}"\norigin = "\${ORIGIN}"\nscopes = ["orders:read"]\n`;
const NEEDED = "orders:read";
const PAGE = "https://app.example.com";

/**
 * Measures, with at most `most` keys in memory; `t` ends what it starts. Returns a list of { name, note, sizes, growth }: `sizes` with
 * the processor time { size, cpu } in µs, `growth` the ratio of the largest to the smallest.
 */
export async function sizes(t, { rounds, calls, warmUp, most, progress }) {
  const origin = await startOrigin(t);
  const vars = { ORIGIN: origin.url, ORIGIN_TOKEN: "unused" };
  const routed = ROUTES.map((count) => Array.from({ length: count }, (_, index) => route(index === 0 ? "/v1/**" : `/service-${index}/v1/**`)).join("\n"));
  const many = `[gateway]\nmemory_records = 100000\n${route("/v1/**")}`;
  const keyCounts = KEYS.filter((count) => count <= most);
  const gateways = [...routed, ...keyCounts.map(() => many)];
  const gateway = await startKeyward(t, {
    ...{ gateway: gateways, vars, kv: "memory", isolates: gateways.length },
    // No meter is asked about keys that nobody has registered.
    without: () => ["METERS"],
    beside: { "working-private": working(vars, "private") },
  });
  const { ports, pid } = gateway.process;
  const kv = new Writer(ports.kv);
  const sender = await startSender(t);
  const keys = new Keys(kv);
  const plain = await keys.make({ scopes: [NEEDED] });
  const first = ports["keyward-0"];

  const counted = (count, other, own) => [...Array.from({ length: count - 1 }, (_, index) => other(index)), own];
  const series = [
    { name: "routes", lanes: ROUTES.map((size, index) => ({ size, port: ports[`keyward-${index}`], requests: [request(plain)] })) },
    {
      name: "referrer rules",
      note: "the last one fits",
      lanes: await each([1, 10, 100, 500], async (size) => {
        const key = await keys.make({ scopes: [NEEDED], referrers: counted(size, (index) => `https://site-${index}.example`, PAGE) }, "public");
        return { size, port: first, requests: [request(key, { origin: PAGE })] };
      }),
    },
    {
      name: "scopes",
      note: "the last one is needed; the origin is sent them all",
      lanes: await each([1, 10, 100, 200], async (size) => {
        const key = await keys.make({ scopes: counted(size, (index) => `resource-${index}:read`, NEEDED) });
        return { size, port: first, requests: [request(key)] };
      }),
    },
    {
      name: "warm keys",
      note: `in memory; ${CALLED} of them are called in turn`,
      lanes: await each(keyCounts, async (size, index) => {
        const all = await keys.many(size);
        const port = ports[`keyward-${ROUTES.length + index}`];
        await warm(sender, port, all, progress);
        return { size, port, requests: all.slice(-CALLED).map((key) => request(key)) };
      }),
    },
    { name: "request headers", lanes: [10, 30, 100].map((size) => ({ size, port: first, requests: [request(plain, padding(size))] })) },
    { name: "request headers, working floor", lanes: [10, 30, 100].map((size) => ({ size, port: ports["working-private"], requests: [request(plain, padding(size))] })) },
  ];

  const bar = progress("measuring", series.reduce((sum, { lanes }) => sum + lanes.length, 0) * (rounds + 1));
  const found = [];
  for (const { name, note, lanes } of series) {
    const named = lanes.map((lane) => ({ ...lane, name: `${name}: ${lane.size}`, expected: { status: 200, contains: BODY } }));
    const measured = await measure({ sender, pid, lanes: named, rounds, calls, warmUp, progress: bar });
    const growth = ratio(measured, named.at(-1).name, named[0].name);
    found.push({ name, ...(note && { note }), sizes: named.map(({ name, size }) => ({ size, cpu: spread(measured[name].cpu) })), growth });
  }
  bar.end();
  return found;
}

/** The table as text. */
export function sizesText(found) {
  const width = Math.max(...found.map(({ sizes }) => sizes.length));
  const cells = (list) => Array.from({ length: width }, (_, index) => list[index] ?? "");
  const rows = found.map(({ name, sizes, growth }) => [
    name,
    ...cells(sizes.map(({ size, cpu }) => `${cpu.median.toFixed(1)} at ${size}`)),
    quartiles(growth, 3),
    growth.interval.map((bound) => bound.toFixed(3)).join("-"),
    growth.interval[0] > GROWS ? "grows" : "",
  ]);
  return [
    table(["CPU per call, µs, by size", ...cells([]), "largest to smallest", "95 % interval", ""], rows),
    "",
    ...found.filter(({ note }) => note).map(({ name, note }) => `${name}: ${note}`),
  ].join("\n");
}

/** Makes keys as the registry would publish them. */
class Keys {
  #kv;
  #made = 0;

  constructor(kv) {
    this.#kv = kv;
  }

  async make(restrictions, kind = "private") {
    const [key, entry] = this.#next(restrictions, kind);
    await this.#kv.putAll([entry]);
    return key;
  }

  async many(count) {
    const made = Array.from({ length: count }, () => this.#next({ scopes: [NEEDED] }, "private"));
    await this.#kv.putAll(made.map(([, entry]) => entry));
    return made.map(([key]) => key);
  }

  #next(restrictions, kind) {
    const number = String(this.#made++);
    const key = minted(kind, number.padStart(24, "0"));
    const name = nameFor(key);
    const record = recordOf({ kind, key_id: `key_${number.padStart(20, "0")}`, restrictions, revocation: "eventual" });
    return [key, [name, sealed(name, record)]];
  }
}

/** Calls every key once. */
async function warm(sender, port, keys, progress) {
  const STEP = 1000;
  const bar = progress(`warming ${keys.length} keys`, keys.length);
  sender.add({ name: "warming", port, requests: keys.map((key) => request(key)), expected: { status: 200, contains: BODY } });
  for (let done = 0; done < keys.length; done += STEP) {
    const { wrong, sample } = await sender.send("warming", Math.min(STEP, keys.length - done));
    if (wrong > 0) throw new Error(`${wrong} answers while warming keys are wrong, such as\n${sample}`);
    bar.add(STEP);
  }
  bar.end();
}

/** With its own headers a request has this many. */
const OWN_HEADERS = 4;

function request(key, more = {}) {
  return requestText("/v1/orders", { host: "api.example.com", accept: "application/json", "user-agent": "python-requests/2.32.5", "x-api-key": key, ...more });
}

function padding(headers) {
  return Object.fromEntries(Array.from({ length: headers - OWN_HEADERS }, (_, index) => [`x-header-${index}`, `value of header ${index}`]));
}

async function each(list, make) {
  const made = [];
  for (const [index, item] of list.entries()) made.push(await make(item, index));
  return made;
}
