//! What comes of an ask.

use super::Meter;
use super::counter::{Counter, Held};
use super::isolate::Lease;
use super::pace::ASKS_PER_S;
use super::parts;
use crate::lease::message::{Ask, Outcome};
use crate::lease::{LARGEST_SHARE, LEASE_MS, SHORTEST_MS};
use crate::time::Millis;

/// A share that is smaller is not granted: of so little, each call asks for its own.
const SMALLEST_SHARE: u64 = 8;

impl Meter {
    /// Grants an ask what it may have. `fresh`: it was not answered before.
    pub(super) fn outcome(&mut self, ask: &Ask, fresh: bool, now: Millis) -> Outcome {
        let isolate = self.isolates.get(&ask.isolate);
        if let Some(lease) = isolate.and_then(|isolate| isolate.lease(ask.number)) {
            return Outcome::Granted {
                amount: lease.amount,
                hold_ms: Lease::hold_ms(lease),
            };
        }
        if self.counters.is_empty() {
            return Outcome::Unlimited;
        }
        let held = self.held(now);
        let counters = self.counters.iter_mut();
        let free = counters
            .map(|counter| counter.free(held, now))
            .min()
            .unwrap_or(0);
        // A call that costs nothing is refused too where nothing is left.
        let least = ask.need.max(1);
        if free < least || !fresh && ask.need > 0 {
            return self.exhausted(least, held, now);
        }
        let share = self.share(free.saturating_sub(ask.need), now);
        let amount = ask.need.saturating_add(ask.want.min(share));
        if amount == 0 || !fresh {
            return Outcome::Granted {
                amount: 0,
                hold_ms: 0,
            };
        }
        let hold_ms = self.hold_ms(now);
        for counter in &mut self.counters {
            if counter.grant(amount) {
                self.changed.insert(counter.part());
            }
        }
        if let Some(isolate) = self.isolates.get_mut(&ask.isolate) {
            isolate.keep(ask.number, amount, now, now.plus(hold_ms));
            self.changed.insert(parts::isolate(ask.isolate));
        }
        Outcome::Granted { amount, hold_ms }
    }

    /// Refuses so many units: for the limit that has least, until all could have them.
    fn exhausted(&mut self, units: u64, held: Held, now: Millis) -> Outcome {
        let mut shortest = (u64::MAX, 0);
        let mut retry = Some(now);
        for (index, counter) in self.counters.iter_mut().enumerate() {
            let free = counter.free(held, now);
            shortest = shortest.min((free, index));
            if free < units {
                let free_at = counter.free_at(units, held, now);
                retry = retry.zip(free_at).map(|(one, other)| one.max(other));
            }
        }
        // Those who wait come back no sooner than the meter can bear them all.
        let soonest = (self.asking(now).saturating_mul(1_000) / ASKS_PER_S).max(1);
        Outcome::Exhausted {
            limit: shortest.1,
            retry_ms: retry.map(|retry| retry.since(now).max(soonest)),
        }
    }

    /// What one isolate may have of what is free, beyond its need.
    fn share(&self, free: u64, now: Millis) -> u64 {
        let share = free / LARGEST_SHARE / self.asking(now).max(1);
        if share < SMALLEST_SHARE { 0 } else { share }
    }

    /// How many isolates have asked of late.
    fn asking(&self, now: Millis) -> u64 {
        let isolates = self.isolates.values();
        isolates
            .filter(|isolate| now.since(isolate.seen) < LEASE_MS)
            .count() as u64
    }

    /// How long a lease lasts that is granted now.
    fn hold_ms(&self, now: Millis) -> u64 {
        let longest = |counter: &Counter| counter.longest_hold(now);
        let holds = self.counters.iter().map(longest);
        // An answer takes its time: where a boundary is nearer, the lease counts beyond it too.
        holds.min().unwrap_or(LEASE_MS).clamp(SHORTEST_MS, LEASE_MS)
    }
}
