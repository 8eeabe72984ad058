// Meters that grant whatever they are asked for, and keep nothing: what an isolate holds of so many
// meters is measured, and not the meters.
const LEASE_MS = 10_000;

export default {
  async fetch(request) {
    const { subject, command } = await request.json();
    const { ask, usage } = command.exchange;
    const granted = { amount: ask.need + ask.want, hold_ms: LEASE_MS };
    // Keys with limits have an id that says so.
    const limited = subject.of.key?.startsWith("key_L");
    const limits = limited ? [standing("60s", { rate: 60 }, 100_000, 60_000), standing("month", "quota", 10_000_000, 86_400_000)] : [];
    const answer = { number: ask.number, outcome: limited ? { Granted: granted } : "Unlimited", lease_ms: LEASE_MS, limits };
    return Response.json({ exchanged: { answer, news: null, usage: usage?.number ?? null } });
  },
};

const standing = (name, sort, limit, reset_ms) => ({ name, sort, limit, free: limit / 2, reset_ms });
