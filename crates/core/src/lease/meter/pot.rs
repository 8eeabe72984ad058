//! What a quota or credits are taken from.
//!
//! A pot is counted from one moment on, the latest of: when its period began, when its limit came,
//! when its balance was set. A lease is counted in it if it ends after that moment: then its units
//! may have been taken from this pot, and what is left of them comes back to it. So the rule that
//! a lease across a boundary counts on both sides of it needs nothing kept for each lease.

use serde::{Deserialize, Serialize};

use crate::limits::Schedule;
use crate::time::Millis;

/// A pot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pot {
    /// When it starts anew.
    schedule: Option<Schedule>,
    /// What the limit is from then on, if that changes it.
    refill: Option<u64>,
    /// From when on it is counted.
    from: Millis,
    /// The next boundary.
    until: Option<Millis>,
    /// Units that are spent or held.
    taken: u64,
}

impl Pot {
    /// A pot that nothing was taken from but what leases hold.
    pub(super) fn new(
        schedule: Option<Schedule>,
        refill: Option<u64>,
        held: u64,
        now: Millis,
    ) -> Self {
        Self {
            schedule,
            refill,
            from: now,
            until: schedule.map(|schedule| schedule.span(now).end),
            taken: held,
        }
    }

    /// Takes over what was counted; the boundaries stay its own.
    pub(super) const fn go_on_from(&mut self, before: &Self) {
        self.from = before.from;
        self.taken = before.taken;
    }

    /// Counts from now on.
    pub(super) const fn start_anew(&mut self, held: u64, now: Millis) {
        self.from = now;
        self.taken = held;
    }

    /// Counts no more what will not come back, and says how much that is.
    pub(super) fn write_off(&mut self, open: impl Fn(Millis) -> u64) -> u64 {
        let open = open(self.from);
        let spent = self.taken.saturating_sub(open);
        self.taken = open;
        spent
    }

    /// Starts anew if a boundary has passed; whether one has.
    pub(super) fn turn(&mut self, now: Millis, open: impl Fn(Millis) -> u64) -> bool {
        let (Some(schedule), Some(until)) = (self.schedule, self.until) else {
            return false;
        };
        if now < until {
            return false;
        }
        let span = schedule.span(now);
        self.from = span.start;
        self.until = Some(span.end);
        // No report has come since the boundary: what is open may be spent on this side of it.
        self.taken = open(span.start);
        true
    }

    /// Takes units out.
    pub(super) const fn take(&mut self, units: u64) {
        self.taken = self.taken.saturating_add(units);
    }

    /// Puts units back that a lease did not spend; whether they were of this pot.
    pub(super) fn give_back(&mut self, units: u64, end: Millis) -> bool {
        let counted = units > 0 && end > self.from;
        if counted {
            self.taken = self.taken.saturating_sub(units);
        }
        counted
    }

    /// Units that are spent or held.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// What the limit is after the next boundary, if that changes it.
    pub(super) const fn refill(&self) -> Option<u64> {
        self.refill
    }

    /// When it starts anew.
    pub(super) const fn boundary(&self) -> Option<Millis> {
        self.until
    }
}
