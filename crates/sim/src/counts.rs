//! What a run counts.

use crate::keys::{Class, Key};

/// What is counted.
#[derive(Default)]
pub(crate) struct Counts {
    free: Tally,
    slack: Tally,
    tight: Tally,
    /// Calls that were let through although a limit did not allow them.
    pub(crate) over: u64,
    /// Calls that waited for a meter.
    pub(crate) waited: u64,
    /// Asks that have arrived.
    pub(crate) asks: u64,
    /// The fewest that would do if each isolate that uses a key asked once in the time of a lease.
    pub(crate) needed: u64,
    /// Rows that the meters have written for them.
    pub(crate) rows: u64,
    /// The most asks that one meter had in 10 s, while isolates start.
    pub(crate) busiest_at_start: u64,
    /// In the minute after that.
    pub(crate) busiest_between: u64,
    /// And from then on.
    pub(crate) busiest: u64,
    /// How long after a change an isolate last went by what was before, in microseconds, where
    /// calls wait for a lease.
    pub(crate) strict: Vec<u64>,
    /// And where they do not.
    pub(crate) eventual: Vec<u64>,
}

/// Calls of one class of keys.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    /// Those that an all-knowing counter lets through.
    pub(crate) ideal: u64,
    pub(crate) passed: u64,
    /// Those that were refused for a limit.
    pub(crate) refused: u64,
    /// Of these, those that the all-knowing counter has let through.
    pub(crate) wrongly: u64,
    /// Those for which the meter could not be reached in time.
    pub(crate) unavailable: u64,
}

impl Counts {
    /// The calls of a class.
    pub(crate) const fn of(&mut self, class: Class) -> &mut Tally {
        match class {
            Class::Free => &mut self.free,
            Class::Slack => &mut self.slack,
            Class::Tight => &mut self.tight,
        }
    }

    /// Of all calls.
    pub(crate) fn sum(&self) -> Tally {
        let mut sum = Tally::default();
        for one in [self.free, self.slack, self.tight] {
            sum.calls += one.calls;
            sum.ideal += one.ideal;
            sum.passed += one.passed;
            sum.refused += one.refused;
            sum.wrongly += one.wrongly;
            sum.unavailable += one.unavailable;
        }
        sum
    }

    /// How long an isolate went by what was before a change of a key; 0 is none.
    pub(crate) fn changed(&mut self, key: &Key, stale: u64) {
        if stale > 0 && key.waits {
            self.strict.push(stale);
        } else if stale > 0 {
            self.eventual.push(stale);
        }
    }
}
