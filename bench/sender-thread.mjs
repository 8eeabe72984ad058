// The thread that sends calls: raw sockets with keep-alive, one call at a time on each, and as
// little parsing as tells a whole answer and a right one. Every answer is looked at.
import { connect } from "node:net";
import { parentPort } from "node:worker_threads";

const END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";
const LENGTH = /\r\ncontent-length: *(\d+)/i;
/** How long calls may take: this, and so much more for each. */
const STUCK_MS = 20_000;
const STUCK_CALL_MS = 20;

/** What is called, by name: { port, requests, expected, next }. */
const lanes = new Map();

parentPort.on("message", async ({ lane, calls, connections }) => {
  if (lane !== undefined) return void lanes.set(lane.name, { ...lane, next: 0 });
  try {
    parentPort.postMessage({ result: await run(lanes.get(calls.of), calls.count, connections) });
  } catch (error) {
    parentPort.postMessage({ error: error.message });
  }
});

/** Sends calls: { ms, times, wrong, sample, last }: all together, of each call, how many answers were wrong, the first of those, and the last answer. */
async function run(lane, calls, connections) {
  const state = { lane, left: calls, times: new Float64Array(calls), answered: 0, wrong: 0, sample: undefined, last: "" };
  // New connections each time: the runtime closes those that were idle for some seconds.
  const sockets = await Promise.all(Array.from({ length: Math.min(connections, calls) }, () => open(lane.port)));
  const stuck = () => sockets.forEach((socket) => socket.destroy(new Error("no answer for too long")));
  const timer = setTimeout(stuck, STUCK_MS + calls * STUCK_CALL_MS);
  const began = performance.now();
  try {
    await Promise.all(sockets.map((socket) => serve(socket, state)));
    const { times, wrong, sample, last } = state;
    return { ms: performance.now() - began, times, wrong, sample, last };
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  }
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.setEncoding("latin1").once("error", reject).once("connect", () => resolve(socket.off("error", reject)));
  });
}

function serve(socket, state) {
  const { lane } = state;
  return new Promise((resolve, reject) => {
    let received = "";
    let sent;
    const next = () => {
      if (state.left === 0) return resolve();
      state.left -= 1;
      sent = performance.now();
      socket.write(lane.requests[lane.next++ % lane.requests.length]);
    };
    socket.on("error", reject).on("close", () => reject(new Error(`a connection was closed: ${received.slice(0, 300)}`)));
    socket.on("data", (chunk) => {
      received = received === "" ? chunk : received + chunk;
      if (!isWhole(received)) return;
      state.times[state.answered++] = performance.now() - sent;
      if (!isRight(received, lane.expected)) {
        state.wrong += 1;
        state.sample ??= received;
      }
      state.last = received;
      received = "";
      next();
    });
    next();
  });
}

function isWhole(text) {
  const head = text.indexOf(END);
  if (head < 0) return false;
  const length = LENGTH.exec(text);
  if (length && length.index < head) return text.length >= head + END.length + Number(length[1]);
  return text.startsWith("204", 9) || text.endsWith(LAST_CHUNK);
}

function isRight(text, { status, contains }) {
  return text.startsWith(String(status), 9) && text.includes(contains);
}
