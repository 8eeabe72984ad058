//! The meter: what it grants, and what it counts.
//!
//! A state machine without clock or storage, in parts that are written one by one: what
//! [`Meter::changed`] says has changed must be written before an answer leaves.
//!
//! An ask is taken so:
//! 1. Time passes: it never goes back, so a clock that does admits nothing more.
//! 2. Pots whose boundary has passed start anew; leases that are over are settled; what nobody
//!    will speak of any more is forgotten.
//! 3. The ask's reports are taken in, each against every limit.
//! 4. A repetition gets the lease that it got before; one that got none gets none.
//! 5. What is needed is granted if every limit has it, and beyond it a fair share of the rest.

mod counter;
mod isolate;
mod outcome;
mod pace;
mod parts;
mod pot;

use std::collections::{BTreeMap, BTreeSet};

use self::counter::{Counter, Held};
use self::isolate::{Isolate, Lease};
use self::pace::Pace;
use crate::lease::message::{Answer, Ask, Standing};
use crate::limits::Limits;
use crate::time::Millis;

/// Counts for one key, or for one owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Meter {
    limits: Limits,
    /// In the order of [`Answer::limits`]: rates, quotas, credits.
    counters: Vec<Counter>,
    isolates: BTreeMap<u64, Isolate>,
    /// The latest time that was seen.
    clock: Millis,
    pace: Pace,
    /// Names of parts that are to be written or deleted.
    changed: BTreeSet<String>,
}

impl Meter {
    /// A meter that has counted nothing.
    #[must_use]
    pub fn new(limits: Limits, now: Millis) -> Self {
        let counters = Counter::all(&limits, 0, now);
        let mut changed: BTreeSet<String> = counters.iter().map(Counter::part).collect();
        changed.insert(parts::CLOCK.to_owned());
        changed.insert(parts::LIMITS.to_owned());
        Self {
            limits,
            counters,
            isolates: BTreeMap::new(),
            clock: now,
            pace: Pace::new(now),
            changed,
        }
    }

    /// Changes the limits. One of the same name and sort, and of the same window, goes on from what
    /// it has counted; of credits, the balance stays. Others start empty, but for what leases hold.
    pub fn set_limits(&mut self, limits: Limits, now: Millis) {
        let now = self.advance(now);
        if limits == self.limits {
            return;
        }
        let held = self.held(now).units;
        let mut counters = Counter::all(&limits, held, now);
        for counter in &mut counters {
            if let Some(before) = self.counters.iter().find(|old| old.is_same(counter)) {
                counter.go_on_from(before);
            }
        }
        let parts = self.counters.iter().chain(&counters).map(Counter::part);
        self.changed.extend(parts);
        self.changed.insert(parts::LIMITS.to_owned());
        self.counters = counters;
        self.limits = limits;
    }

    /// Replaces the balance of credits. What leases hold is part of it: no more is spent after
    /// this than the balance, or what was held if that is more.
    pub fn set_credits(&mut self, balance: u64, now: Millis) {
        let now = self.advance(now);
        let held = self.held(now).units;
        for counter in &mut self.counters {
            if counter.set_credits(balance, held, now) {
                self.changed.insert(counter.part());
            }
        }
    }

    /// Adds to the balance of credits.
    pub fn add_credits(&mut self, units: u64, now: Millis) {
        self.advance(now);
        for counter in &mut self.counters {
            if counter.add_credits(units, |after| open(&self.isolates, after)) {
                self.changed.insert(counter.part());
            }
        }
    }

    /// Answers an ask.
    pub fn take(&mut self, ask: &Ask, now: Millis) -> Answer {
        let now = self.advance(now);
        let lease_ms = self.pace.ask(now);
        let isolate = self
            .isolates
            .entry(ask.isolate)
            .or_insert_with(|| Isolate::new(now));
        let fresh = isolate.arrives(ask.number, now);
        self.changed.insert(parts::isolate(ask.isolate));
        for report in &ask.leases {
            let Some(news) = isolate.hear(report, now) else {
                continue;
            };
            for counter in &mut self.counters {
                if counter.hear(&news) {
                    self.changed.insert(counter.part());
                }
            }
        }
        Answer {
            number: ask.number,
            outcome: self.outcome(ask, fresh, now),
            lease_ms,
            limits: self.standings(now),
        }
    }

    /// How the limits stand.
    pub fn standing(&mut self, now: Millis) -> Vec<Standing> {
        let now = self.advance(now);
        self.standings(now)
    }

    fn standings(&mut self, now: Millis) -> Vec<Standing> {
        let held = self.held(now);
        let counters = self.counters.iter_mut();
        counters
            .map(|counter| counter.standing(held, now))
            .collect()
    }

    /// Lets time pass, and says what it is now.
    fn advance(&mut self, now: Millis) -> Millis {
        if now <= self.clock {
            return self.clock;
        }
        self.clock = now;
        self.changed.insert(parts::CLOCK.to_owned());
        // Before leases are forgotten: one may reach across a boundary that is long past.
        for counter in &mut self.counters {
            if counter.turn(now, |after| open(&self.isolates, after)) {
                self.changed.insert(counter.part());
            }
        }
        for (id, isolate) in &mut self.isolates {
            let settled = isolate.settle(now);
            if isolate.forget(now) || !settled.is_empty() || isolate.is_gone(now) {
                self.changed.insert(parts::isolate(*id));
            }
            for (end, units) in settled {
                for counter in &mut self.counters {
                    if counter.spend(end, units) {
                        self.changed.insert(counter.part());
                    }
                }
            }
        }
        self.isolates.retain(|_, isolate| !isolate.is_gone(now));
        now
    }

    /// What leases hold.
    fn held(&self, now: Millis) -> Held {
        let leases = self
            .isolates
            .values()
            .flat_map(|each| each.ending_after(now));
        Held {
            units: open(&self.isolates, now),
            first_end: leases
                .filter(|lease| lease.open() > 0)
                .map(|lease| lease.end)
                .min(),
        }
    }
}

/// Units of the leases that end after a moment which are not known to be spent.
fn open(isolates: &BTreeMap<u64, Isolate>, after: Millis) -> u64 {
    isolates
        .values()
        .flat_map(|isolate| isolate.ending_after(after))
        .map(Lease::open)
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
