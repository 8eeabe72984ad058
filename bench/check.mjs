// Before anything is measured: every contestant gives the right answer, and those that stand for
// Keyward's own work do the same work, at the origin and in the answer.

/** What differs from call to call, or from worker to worker, in answers and in what the origin sees. */
const VARYING = [
  [/^date: .*$/im, "date: …"],
  [/^x-request-id: [0-9a-f]{32}$/im, "x-request-id: …"],
  [/^ratelimit: .*$/im, "ratelimit: …"],
  [/^keyward-key-id=key_\w{20}$/m, "keyward-key-id=…"],
  [/^cdn-loop=keyward-[0-9a-f]{8}$/m, "cdn-loop=…"],
];

/** Throws where a lane (see rows.mjs) answers wrongly, or not like the lane that it is to be like. */
export async function check(sender, lanes) {
  const answers = new Map();
  for (const lane of lanes) {
    const given = [];
    const calls = [lane, ...(lane.seen ? [{ ...lane, name: `${lane.name}, seen`, requests: [lane.seen], expected: { status: 200, contains: "authorization=Bearer " } }] : [])];
    for (const call of calls) {
      sender.add(call);
      const { wrong, last } = await sender.send(call.name, 1);
      if (wrong > 0) throw new Error(`the answer to "${call.name}" is wrong:\n${last}`);
      given.push(comparable(last));
    }
    answers.set(lane.name, given.join("\n\n"));
  }
  for (const { name, like } of lanes.filter(({ like }) => like)) {
    const [given, wanted] = [answers.get(name), answers.get(like)];
    if (given !== wanted) throw new Error(`"${name}" does not do what "${like}" does:\n${given}\n--- and that is\n${wanted}`);
  }
}

/** An answer without what varies, its headers in one order and in lower case. */
function comparable(text) {
  const [head, body] = text.split("\r\n\r\n");
  const masked = VARYING.reduce((left, [pattern, put]) => left.replace(pattern, put), `${head.replaceAll("\r", "")}\n\n${body}`);
  const [first, ...lines] = masked.split("\n\n")[0].split("\n");
  const headers = lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase())).sort();
  const length = /^content-length: /;
  return [first, ...headers.filter((line) => !length.test(line)), "", masked.slice(masked.indexOf("\n\n") + 2)].join("\n");
}
