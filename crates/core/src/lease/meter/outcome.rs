//! What comes of an ask.

use super::Meter;
use super::counter::{Counter, Held};
use super::isolate::{Isolate, Lease};
use crate::lease::message::{Ask, Each, Outcome};
use crate::lease::{LARGEST_SHARE, SHORTEST_MS};
use crate::time::Millis;

/// A refusal stands until one part in so many of the limit is free: were each unit given out as
/// soon as it is free, every call would ask for it.
const HELD_BACK: u64 = 32;

/// Up to how many times what it wants an ask may have that is one of too many, where leases are not long.
const TIMES: u64 = 16;

/// Fewer isolates than this are few.
const FEW: u64 = 64;

/// Nothing was needed, and nothing is granted.
pub(super) const NOTHING: Outcome = Outcome::Granted {
    amount: 0,
    hold_ms: 0,
    each: None,
};

impl Meter {
    /// Grants an ask what it may have. `fresh`: it was not answered before.
    pub(super) fn outcome(&mut self, ask: &Ask, fresh: bool, now: Millis) -> Outcome {
        let isolate = self.isolates.get(&ask.isolate);
        if let Some(lease) = isolate.and_then(|isolate| isolate.lease(ask.number)) {
            return Outcome::Granted {
                amount: lease.amount,
                hold_ms: Lease::hold_ms(lease),
                each: Lease::each(lease),
            };
        }
        if self.counters.is_empty() {
            return Outcome::Unlimited;
        }
        let own = isolate.map_or(0, Isolate::open);
        let held = self.held();
        if fresh && let Some(outcome) = self.paced(ask, &held, now) {
            return outcome;
        }
        let counters = self.counters.iter_mut();
        let free = counters
            .map(|counter| counter.free(&held, now))
            .min()
            .unwrap_or(0);
        // A call that costs nothing is refused too where nothing is left.
        let least = ask.need.max(1);
        let rest = free.saturating_sub(ask.need);
        let part = self.equal_part(&held, now).saturating_sub(own);
        let share = self.share(rest, own).max(part.min(rest));
        let sheds = self.sheds(ask, share, &held, now);
        if free < least || ask.need > 0 && (!fresh || sheds) {
            return self.exhausted(ask, &held, now);
        }
        let share = if sheds { 0 } else { share };
        let amount = ask.need.saturating_add(self.want(ask).min(share));
        if amount == 0 || !fresh {
            return NOTHING;
        }
        let hold_ms = self.hold_ms(amount, held, now);
        self.grant(ask, amount, hold_ms, None, now)
    }

    /// Grants a lease.
    pub(super) fn grant(
        &mut self,
        ask: &Ask,
        amount: u64,
        hold_ms: u64,
        each: Option<Each>,
        now: Millis,
    ) -> Outcome {
        for counter in &mut self.counters {
            if counter.grant(amount) {
                self.changed.insert(counter.part());
            }
        }
        if let Some(isolate) = self.isolates.get_mut(&ask.isolate) {
            let lease = isolate.keep(ask.number, amount, now, now.plus(hold_ms), each);
            self.index.add(ask.isolate, ask.number, lease);
            self.index.weigh(ask.isolate, isolate);
            self.write(ask.isolate);
        }
        Outcome::Granted {
            amount,
            hold_ms,
            each,
        }
    }

    /// What an ask wants. Where leases are long, or far more is asked than is borne, it is what would be its
    /// fair part of the limits, so that the isolate need not ask again before its lease ends.
    pub(super) fn want(&self, ask: &Ask) -> u64 {
        if ask.want == 0 {
            return 0;
        }
        let most = match (self.pace.is_normal(), self.is_hurried()) {
            (false, _) => u64::MAX,
            (true, true) => ask.want.saturating_mul(TIMES),
            (true, false) => ask.want,
        };
        ask.want.max(self.equal() / LARGEST_SHARE).min(most)
    }

    /// Whether far more is asked than is borne, and not by few isolates: these get what they ask for
    /// within a few asks, and are not to take it from each other.
    pub(super) fn is_hurried(&self) -> bool {
        self.index.asking() >= FEW && self.pace.is_flooded()
    }

    /// What each isolate could have of the limits, if all had as much.
    fn equal(&self) -> u64 {
        let isolates = self.index.asking();
        let counters = self.counters.iter();
        let parts = counters.map(|counter| counter.equal(isolates));
        parts.min().unwrap_or(0)
    }

    /// As much as all could have may be one isolate's where leases are long, however little of it is free:
    /// what is shared out in smaller parts is asked for more often. What a quota or credits have given out
    /// does not come back by itself: of these it is a part of what is left.
    fn equal_part(&mut self, held: &Held, now: Millis) -> u64 {
        if self.pace.is_normal() {
            return 0;
        }
        let isolates = self.index.asking().max(1);
        let parts = self.counters.iter_mut().map(|counter| {
            if counter.window_ms().is_some() {
                counter.equal(isolates)
            } else {
                counter.free(held, now) / isolates
            }
        });
        parts.min().unwrap_or(0)
    }

    /// Refuses so many units: for the limit that has least, until all could have them.
    pub(super) fn exhausted(&mut self, ask: &Ask, held: &Held, now: Millis) -> Outcome {
        let units = ask.need.max(1);
        let mut shortest = (u64::MAX, 0);
        let mut retry = Some(now);
        for (index, counter) in self.counters.iter_mut().enumerate() {
            let free = counter.free(held, now);
            shortest = shortest.min((free, index));
            if free < units {
                let units = units.max(counter.limit() / HELD_BACK);
                let free_at = counter.free_at(units, held, now);
                let free_at = free_at.map(|at| at.max(now.plus(counter.pause_ms() / HELD_BACK)));
                retry = retry.zip(free_at).map(|(one, other)| one.max(other));
            }
        }
        // Those who wait come back no sooner than the meter can bear them all.
        let soonest = self.pace.retry_of(ask, self.index.asking());
        Outcome::Exhausted {
            limit: shortest.1,
            retry_ms: retry.map(|retry| retry.since(now).max(soonest)),
        }
    }

    /// Whether an ask gets nothing although there are units: where little is left and it could have
    /// neither half of what it wants nor of what all could have, or where a rate limit has less than a
    /// unit for each isolate. It would be asked for on and on, and the meter could not bear that.
    fn sheds(&mut self, ask: &Ask, share: u64, held: &Held, now: Millis) -> bool {
        if !self.pace.is_crowded() {
            return false;
        }
        let (isolates, longest) = (self.index.asking(), self.pace.lease_ms());
        let short = share <= ask.want.min(self.equal()) / 2;
        self.counters.iter_mut().any(|counter| {
            counter.is_scarce(isolates, longest) || short && counter.is_low(held, now)
        })
    }

    /// What one isolate may have of what is free, beyond its need and what it holds of its `own`.
    pub(super) fn share(&self, free: u64, own: u64) -> u64 {
        let sharers = self.pace.sharers(self.index.asking());
        let share = free.saturating_add(own) / LARGEST_SHARE / sharers;
        share.saturating_sub(own)
    }

    /// How long a lease lasts that is granted now.
    fn hold_ms(&mut self, amount: u64, held: Held, now: Millis) -> u64 {
        let longest = self.pace.lease_ms();
        let held = held.with(amount);
        let hold = |counter: &mut Counter| counter.longest_hold(longest, &held, now);
        let holds = self.counters.iter_mut().map(hold);
        // An answer takes its time: where a boundary is nearer, the lease counts beyond it too.
        holds.min().unwrap_or(longest).clamp(SHORTEST_MS, longest)
    }
}
