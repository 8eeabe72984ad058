// Whether a limit was kept, judged from outside: by what the callers sent and what the origin saw,
// and by nothing that the gateway says.
//
// When a call is decided nobody outside can see. But it is between the moment at which its caller
// begins to send it and the moment at which the origin has it; both are read from one clock in the
// test's process. So:
//
// - **Sliding windows.** If more calls than the limit lie *entirely* in one span of the window's
//   length, sent and arrived, then more were decided in it: the limit was broken, without any doubt.
//   Calls of which only a part lies in the span may have been decided outside, and accuse nobody. So
//   there is no false alarm however slow the machine is, and no slack to be guessed; the time that
//   calls take is all that the judge cannot see (`slack`), a few milliseconds of seconds. With a
//   clock that stands still between bursts, sent and arrived are the same and nothing is unseen.
// - **Days, months, credits.** All calls between two resets are counted; those on their way during
//   the reset are not, or the test makes none.
//
// What a caller never heard of still counts: the origin's log says what was let through.

/** The gateway's clock counts whole milliseconds: of a window on it, so much may be missing on the test's. */
export const CLOCK_MS = 1;

/** The most calls, each { sent, arrived }, that lie entirely in one span [t, t + `span`). */
export function mostWithin(calls, span) {
  const ends = calls.map(({ arrived }) => arrived).sort((a, b) => a - b);
  const rank = new Map(ends.map((end, index) => [end, index]));
  const counts = new Counts(ends.length);
  let most = 0;
  // From the last sent on: when a span begins with a call, all that were sent later are counted.
  for (const { sent, arrived } of calls.toSorted((a, b) => b.sent - a.sent)) {
    counts.add(rank.get(arrived));
    most = Math.max(most, counts.below(firstAtLeast(ends, sent + span)));
  }
  return most;
}

/** How long calls were on their way to the origin at most: what the judge cannot see. */
export const slack = (calls) => calls.reduce((most, { sent, arrived }) => Math.max(most, arrived - sent), 0);

/** Sums over the beginning of a list of counters (a Fenwick tree). */
class Counts {
  #sums;

  constructor(length) {
    this.#sums = new Uint32Array(length + 1);
  }

  add(index) {
    for (let at = index + 1; at < this.#sums.length; at += at & -at) this.#sums[at] += 1;
  }

  /** How many were added at indices below this one. */
  below(index) {
    let sum = 0;
    for (let at = index; at > 0; at -= at & -at) sum += this.#sums[at];
    return sum;
  }
}

/** The index of the first value that is not less. */
function firstAtLeast(sorted, value) {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle] < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
