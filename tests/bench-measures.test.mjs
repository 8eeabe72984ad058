// How the benchmark measures: a wrong answer ends it, options are checked, and figures are what they say.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { check } from "../bench/check.mjs";
import { measure, ratio } from "../bench/measure.mjs";
import { options } from "../bench/options.mjs";
import { startSender } from "../bench/sender.mjs";
import { spread } from "../bench/statistics.mjs";

const progress = () => ({ add() {}, end() {} });

describe("an answer", () => {
  const right = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const wrong = "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno";

  it("that is wrong ends the measuring, and is shown", async (t) => {
    const lane = await laneOf(t, [right, right, right, wrong]);
    const sender = await startSender(t);
    const measuring = measure({ sender, pid: process.pid, lanes: [lane], rounds: 5, calls: 1, warmUp: 1, progress: progress() });
    await assert.rejects(measuring, /answers to "a server" are wrong, such as\nHTTP\/1\.1 500 Oh/);
  });

  it("counts as wrong by its status, and by its body", async (t) => {
    const sender = await startSender(t);
    for (const [answer, count] of [[right, 0], [wrong, 4], [right.replace("ok", "no"), 4], ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 0]]) {
      sender.add(await laneOf(t, [answer]));
      assert.equal((await sender.send("a server", 4, 2)).wrong, count, answer);
    }
  });

  it("in pieces is one answer", async (t) => {
    const sender = await startSender(t);
    sender.add(await laneOf(t, [right], 7));
    const { wrong, last } = await sender.send("a server", 3, 1);
    assert.deepEqual([wrong, last], [0, right]);
  });

  it("that is not like Keyward's ends the check", async (t) => {
    const sender = await startSender(t);
    const keyward = { ...(await laneOf(t, [right])), name: "Keyward" };
    const alike = right.replace("Content", "Date: today\r\nContent");
    await check(sender, [{ ...(await laneOf(t, [right])), like: "Keyward" }, keyward]);
    for (const other of [alike.replace("Date", "Vary"), right.replace("Length: 2", "Length: 3").replace("ok", "ok!")]) {
      await assert.rejects(check(sender, [{ ...(await laneOf(t, [other])), like: "Keyward" }, keyward]), /"a server" does not do what "Keyward" does/);
    }
  });
});

describe("the figures", () => {
  it("are medians and quartiles, and the interval holds the median and narrows", () => {
    const of = (length) => spread(Array.from({ length }, (_, index) => 1 + ((index * 7919) % length) / length));
    const { median, low, high } = spread([5, 1, 4, 2, 3]);
    assert.deepEqual([median, low, high], [3, 2, 4]);
    const [few, many] = [of(11), of(1001)].map(({ median, interval: [from, to] }) => {
      assert.ok(from <= median && median <= to);
      return to - from;
    });
    assert.ok(many < few / 4, `${few} ${many}`);
  });

  it("of a ratio are those of its rounds", () => {
    const measured = { a: { cpu: [2, 6, 40] }, b: { cpu: [1, 2, 10] } };
    assert.equal(ratio(measured, "a", "b").median, 3);
  });
});

describe("the options", () => {
  it("choose how much is measured", () => {
    const { rounds, calls, isBounded } = options([]);
    assert.ok(rounds > options(["--short"]).rounds && calls > options(["--short"]).calls && isBounded);
    const given = options(["--rounds", "200", "--calls", "1000", "--only", "forged"]);
    assert.deepEqual([given.rounds, given.calls, given.only, given.isBounded], [200, 1000, "forged", false]);
  });

  it("choose up to how many keys are measured where sizes are", () => {
    const [full, short] = [["--sizes"], ["--sizes", "--short"]].map(options);
    assert.deepEqual([full.sizes, full.most, short.sizes, short.most], [true, 100_000, true, 1000]);
    assert.ok(full.rounds > short.rounds && full.calls > short.calls && full.warmUp > short.warmUp);
  });

  it("are refused when they are none", () => {
    for (const wrong of [["--fast"], ["--rounds", "0"], ["--calls", "many"], ["forged"]]) assert.throws(() => options(wrong), wrong.join(" "));
  });
});

/** A server that gives these answers in turn, in so many pieces, as a lane of which each answer is to be "ok". */
async function laneOf(t, answers, pieces = 1) {
  let given = 0;
  const server = createServer((socket) => {
    socket.setNoDelay(true).on("error", () => {});
    socket.on("data", async () => {
      const answer = answers[given++ % answers.length];
      const length = Math.ceil(answer.length / pieces);
      for (let at = 0; at < answer.length; at += length) {
        socket.write(answer.slice(at, at + length));
        if (pieces > 1) await new Promise((done) => setTimeout(done, 5));
      }
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  return { name: "a server", port: server.address().port, requests: ["GET / HTTP/1.1\r\n\r\n"], expected: { status: 200, contains: "ok" } };
}
