//! How fast an isolate spends: what it asks for beyond what it needs.

use crate::lease::LEASE_MS;
use crate::time::Millis;

/// After this time without spending, the mean is half of what it was, in milliseconds: short, so
/// that a burst is followed within a few asks.
const MEMORY_MS: u64 = 1_000;
/// Who has spent nothing for so long holds nothing for calls to come, in milliseconds.
const SILENT_MS: u64 = LEASE_MS / 2;

/// A mean of units per second, taken from ask to ask. The longer the time between two asks, the
/// less what was before counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Demand {
    /// Thousandths of units per second, at the last ask.
    rate: u64,
    spent: u64,
    since: Millis,
    /// When something was spent last.
    last: Millis,
    /// When a call was refused last, if nothing was spent since.
    missed: Option<Millis>,
}

impl Demand {
    pub(super) const fn new(now: Millis) -> Self {
        Self {
            rate: 0,
            spent: 0,
            since: now,
            last: now,
            missed: None,
        }
    }

    pub(super) const fn spend(&mut self, units: u64, now: Millis) {
        self.spent = self.spent.saturating_add(units);
        self.last = now;
        self.missed = None;
    }

    /// A call was refused that would have spent so much: that is demand too.
    pub(super) const fn miss(&mut self, units: u64, now: Millis) {
        self.spent = self.spent.saturating_add(units);
        self.missed = Some(now);
    }

    /// Calls that were refused want nothing any more.
    pub(super) const fn forgo(&mut self) {
        self.missed = None;
    }

    /// Whether calls were refused a moment ago, and none was paid since.
    pub(super) fn lacks(&self, now: Millis) -> bool {
        self.missed
            .is_some_and(|missed| now.since(missed) < SILENT_MS)
    }

    /// Whether nothing was spent for long.
    pub(super) const fn is_silent(&self, now: Millis) -> bool {
        now.since(self.last) >= SILENT_MS
    }

    /// An ask is made: a span ends and another begins.
    pub(super) fn mark(&mut self, now: Millis) {
        self.rate = self.rate(now);
        self.spent = 0;
        self.since = now;
    }

    /// Begins the span anew, without what was spent in it: its length is not known.
    pub(super) const fn restart(&mut self, now: Millis) {
        self.spent = 0;
        self.since = now;
        self.last = now;
        self.missed = None;
    }

    /// Units that will be spent in so many milliseconds, if it goes on like this.
    pub(super) fn within(&self, millis: u64, now: Millis) -> u64 {
        narrow(u128::from(self.rate(now)) * u128::from(millis) / 1_000_000)
    }

    pub(super) fn is_some(&self, now: Millis) -> bool {
        self.rate(now) > 0
    }

    /// The mean of the rate so far, over [`MEMORY_MS`], and of the span since. It divides by no
    /// span that can be 0: within a request, the platform's clock stands still.
    fn rate(&self, now: Millis) -> u64 {
        let before = u128::from(self.rate) * u128::from(MEMORY_MS);
        let span = u128::from(MEMORY_MS) + u128::from(now.since(self.since));
        narrow((before + u128::from(self.spent) * 1_000_000) / span)
    }
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_found_and_a_pause_forgets_it() {
        let mut demand = Demand::new(Millis(0));
        for second in 1..=10 {
            demand.spend(50, Millis(second * 1000));
            demand.mark(Millis(second * 1000));
        }
        assert!((49..=50).contains(&demand.within(1000, Millis(10_000))));
        assert!((490..=500).contains(&demand.within(10_000, Millis(10_000))));
        assert_eq!(demand.within(1000, Millis(70_000)), 0);
    }

    #[test]
    fn a_clock_that_stands_still_divides_by_nothing() {
        let mut demand = Demand::new(Millis(5));
        demand.spend(u64::MAX, Millis(5));
        demand.mark(Millis(5));
        assert_eq!(demand.within(u64::MAX, Millis(5)), u64::MAX);
    }
}
