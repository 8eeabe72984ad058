//! The meter: what it grants, and what it counts.
//!
//! A state machine without clock or storage, in parts that are written one by one: what
//! [`Meter::changed`] says has changed must be written before an answer leaves.
//!
//! Only what the promises need is written: that an isolate was granted something, what it said of
//! it, and counts. That one has asked, or was refused, is kept in memory: a meter that starts
//! again may grant a repetition of an ask that it had refused, which nobody may wait for any more.
//! That lease is wasted, and never more than one for each ask that was under way. Without limits
//! nothing is written.
//!
//! An ask is taken so:
//! 1. Time passes: it never goes back, so a clock that does admits nothing more.
//! 2. Pots whose boundary has passed start anew; leases that are over are settled; what nobody
//!    will speak of any more is forgotten.
//! 3. The ask's reports are taken in, each against every limit.
//! 4. A repetition gets the lease that it got before; one that got none gets none.
//! 5. What is needed is granted if every limit has it, and beyond it a fair share of the rest; by a
//!    paced lease where isolates would ask too often for others.

mod counter;
mod index;
mod isolate;
mod outcome;
mod pace;
mod paced;
mod parts;
mod pot;
mod reserve;
mod spent;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use self::counter::{Counter, Held};
use self::index::Index;
use self::isolate::Isolate;
use self::pace::Pace;
pub use self::spent::{Spent, THRESHOLDS, reaches};
use crate::lease::message::{Answer, Ask, Report, Standing};
use crate::limits::Limits;
use crate::time::Millis;

/// Counts for one key, or for one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    limits: Limits,
    /// In the order of [`Answer::limits`]: rates, quotas, credits.
    counters: Vec<Counter>,
    isolates: BTreeMap<u64, Isolate>,
    index: Index,
    /// The latest time that was seen.
    clock: Millis,
    pace: Pace,
    /// The isolates that have a part.
    written: BTreeSet<u64>,
    /// Names of parts that are to be written or deleted.
    changed: BTreeSet<String>,
}

/// What is common comes first, and then isolate by isolate, each after its number: who takes
/// isolates for interchangeable can tell what concerns which.
impl Hash for Meter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            limits,
            counters,
            isolates,
            index,
            clock,
            pace,
            written,
            changed,
        } = self;
        (limits, counters, index, clock, pace, changed).hash(state);
        for (id, isolate) in isolates {
            (id, isolate, written.contains(id)).hash(state);
        }
    }
}

impl Meter {
    /// A meter that has counted nothing. `bears`: how many asks a second it is to have at most, for
    /// long: [`ASKS_PER_S`](crate::lease::ASKS_PER_S).
    #[must_use]
    pub fn new(limits: Limits, bears: u64, now: Millis) -> Self {
        let counters = Counter::all(&limits, 0, now);
        let mut changed: BTreeSet<String> = counters.iter().map(Counter::part).collect();
        changed.insert(parts::CLOCK.to_owned());
        changed.insert(parts::LIMITS.to_owned());
        let isolates = BTreeMap::new();
        Self {
            limits,
            index: Index::of(&isolates, windows(&counters), now),
            counters,
            isolates,
            clock: now,
            pace: Pace::new(bears, now),
            written: BTreeSet::new(),
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
        let held = self.held().units;
        let mut counters = Counter::all(&limits, held, now);
        for counter in &mut counters {
            if let Some(before) = self.counters.iter().find(|old| old.is_same(counter)) {
                counter.go_on_from(before);
            }
        }
        let parts = self.counters.iter().chain(&counters).map(Counter::part);
        self.changed.extend(parts);
        self.changed.insert(parts::LIMITS.to_owned());
        self.changed.insert(parts::CLOCK.to_owned());
        self.index.set_windows(windows(&counters), &self.isolates);
        self.counters = counters;
        self.limits = limits;
    }

    /// Replaces the balance of credits. What leases hold is part of it: no more is spent after
    /// this than the balance, or what was held if that is more.
    pub fn set_credits(&mut self, balance: u64, now: Millis) {
        let now = self.advance(now);
        let held = self.held().units;
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
            if counter.add_credits(units, |after| self.index.open_after(after)) {
                self.changed.insert(counter.part());
            }
        }
    }

    /// Answers an ask.
    pub fn take(&mut self, ask: &Ask, now: Millis) -> Answer {
        let now = self.advance(now);
        let fresh = self.arrives(ask, now);
        self.pace.ask(self.index.asking(), now);
        for report in &ask.leases {
            self.hear(ask.isolate, report, now);
        }
        Answer {
            number: ask.number,
            outcome: self.outcome(ask, fresh, now),
            lease_ms: self.pace.lease_of(ask),
            limits: self.standings(now),
        }
    }

    /// How the limits stand.
    pub fn standing(&mut self, now: Millis) -> Vec<Standing> {
        let now = self.advance(now);
        self.standings(now)
    }

    fn standings(&mut self, now: Millis) -> Vec<Standing> {
        let held = self.held();
        let counters = self.counters.iter_mut();
        counters
            .map(|counter| counter.standing(&held, now))
            .collect()
    }

    /// Notes an ask; whether it may be granted something.
    fn arrives(&mut self, ask: &Ask, now: Millis) -> bool {
        let known = self.isolates.get(&ask.isolate).map(|known| known.seen);
        self.index.see(ask.isolate, known, now);
        let isolate = self
            .isolates
            .entry(ask.isolate)
            .or_insert_with(|| Isolate::new(now));
        isolate.arrives(ask.number, now)
    }

    /// Takes in a report.
    fn hear(&mut self, id: u64, report: &Report, now: Millis) {
        let Some(isolate) = self.isolates.get_mut(&id) else {
            return;
        };
        let mut changed = report.closed && isolate.close(report.number);
        if let Some(lease) = isolate.lease(report.number) {
            self.index.remove(id, report.number, lease);
            changed = true;
        }
        let news = isolate.hear(report, now);
        if let Some(lease) = isolate.lease(report.number) {
            self.index.add(id, report.number, lease);
        }
        self.index.weigh(id, isolate);
        for counter in &mut self.counters {
            if news.is_some_and(|news| counter.hear(&news, isolate)) {
                self.changed.insert(counter.part());
            }
        }
        if changed {
            self.write(id);
        }
    }

    /// Lets time pass, and says what it is now.
    fn advance(&mut self, now: Millis) -> Millis {
        if now <= self.clock {
            return self.clock;
        }
        self.clock = now;
        // Before leases are forgotten: one may reach across a boundary that is long past.
        for counter in &mut self.counters {
            if counter.turn(now, |after| self.index.open_after(after)) {
                self.changed.insert(counter.part());
                self.changed.insert(parts::CLOCK.to_owned());
            }
        }
        self.index.pass(now, self.pace.lease_ms());
        for (id, number) in self.index.unsettled(now) {
            self.settle(id, number);
        }
        for (id, number) in self.index.forgettable(now) {
            if let Some(lease) = (self.isolates.get_mut(&id)).and_then(|one| one.forget(number)) {
                self.index.remove(id, number, &lease);
                self.write(id);
            }
        }
        for id in self.index.silent(now) {
            if self.isolates.get(&id).is_some_and(Isolate::is_empty)
                && let Some(isolate) = self.isolates.remove(&id)
            {
                self.index.forget(id, isolate.seen);
                if self.written.remove(&id) {
                    self.changed.insert(parts::isolate(id));
                    // Its part may have been what showed how late it is.
                    self.changed.insert(parts::CLOCK.to_owned());
                }
            }
        }
        now
    }

    /// An isolate's part is to be written.
    fn write(&mut self, id: u64) {
        self.written.insert(id);
        self.changed.insert(parts::isolate(id));
    }

    /// Counts as spent what a lease that is over has open.
    fn settle(&mut self, id: u64, number: u64) {
        let Some(isolate) = self.isolates.get_mut(&id) else {
            return;
        };
        if let Some(lease) = isolate.lease(number) {
            self.index.remove(id, number, lease);
        }
        if let Some(lease) = isolate.settle(number) {
            if let Some(lease) = isolate.lease(number) {
                self.index.add(id, number, lease);
            }
            for counter in &mut self.counters {
                if counter.settle(&lease, isolate) {
                    self.changed.insert(counter.part());
                }
            }
        }
        self.index.weigh(id, isolate);
        self.write(id);
    }

    /// What leases hold.
    fn held(&self) -> Held {
        self.index.held(self.clock)
    }
}

/// The windows of rate limits, in milliseconds, each once.
fn windows(counters: &[Counter]) -> Vec<u64> {
    let windows: BTreeSet<u64> = counters.iter().filter_map(Counter::window_ms).collect();
    windows.into_iter().collect()
}

#[cfg(test)]
mod tests;
