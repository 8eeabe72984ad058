// Meters that grant whatever they are asked for, and keep nothing: what an isolate holds of so many
// meters is measured, and not the meters.
const LEASE_MS = 10_000;

export default {
  async fetch(request) {
    const { subject, command } = await request.json();
    const { ask, usage } = command.exchange;
    const granted = { amount: ask.need + ask.want, hold_ms: LEASE_MS };
    const limits = limitsOf(subject.of);
    const answer = { number: ask.number, outcome: limits.length > 0 ? { Granted: granted } : "Unlimited", lease_ms: LEASE_MS, limits };
    return Response.json({ exchanged: { answer, news: null, usage: usage?.number ?? null } });
  },
};

// Keys with limits have an id that says so, and owners have as many as can be.
function limitsOf({ key = "", owner }) {
  if (owner || key.startsWith("key_M")) return MOST;
  return key.startsWith("key_L") ? [standing("60s", { rate: 60 }, 100_000, 60_000), standing("month", "quota", 10_000_000, 86_400_000)] : [];
}

const standing = (name, sort, limit, reset_ms) => ({ name, sort, limit, free: limit / 2, reset_ms });

const MOST = Array.from({ length: 13 }, (_, number) => standing(`limit-${number}-`.padEnd(32, "x"), number < 8 ? { rate: 60 } : "quota", 999_999_999_998, 86_400_000));
