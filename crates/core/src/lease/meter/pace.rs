//! How often a meter is asked, and how seldom it wants to be.
//!
//! Kept in memory only: a meter that starts again learns it anew within seconds.

use crate::lease::LEASE_MS;
use crate::time::Millis;

/// Asks a second that a meter bears for long.
pub(super) const ASKS_PER_S: u64 = 300;
/// The longest that an isolate is sent away for.
const LONGEST_MS: u64 = 60_000;
/// Over how long asks are counted.
const SPAN_MS: u64 = 10_000;

/// The asks of the present span, and what those before it led to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pace {
    since: Millis,
    asks: u64,
    lease_ms: u64,
}

impl Pace {
    pub(super) const fn new(now: Millis) -> Self {
        Self {
            since: now,
            asks: 0,
            lease_ms: LEASE_MS,
        }
    }

    /// Counts an ask; how long its isolate may go without another.
    pub(super) fn ask(&mut self, now: Millis) -> u64 {
        let passed = now.since(self.since);
        if passed >= SPAN_MS {
            // In proportion to what it was, not to the normal: the asks that were counted came
            // at the pace that was set for them.
            let borne = (passed.saturating_mul(ASKS_PER_S) / 1_000).max(1);
            let lease_ms = self.lease_ms.saturating_mul(self.asks) / borne;
            self.lease_ms = lease_ms.clamp(LEASE_MS, LONGEST_MS);
            self.since = now;
            self.asks = 0;
        }
        self.asks = self.asks.saturating_add(1);
        self.lease_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(asks_per_s: u64, seconds: u64) -> u64 {
        let mut pace = Pace::new(Millis(0));
        let gap = 1_000_000 / asks_per_s;
        let mut last = 0;
        for ask in 0..=asks_per_s * seconds {
            last = pace.ask(Millis(ask * gap / 1_000));
        }
        last
    }

    #[test]
    fn a_meter_that_is_asked_seldom_asks_for_nothing_longer() {
        assert_eq!(after(1, 60), LEASE_MS);
        assert_eq!(after(250, 11), LEASE_MS);
    }

    #[test]
    fn leases_grow_with_the_asks_up_to_a_minute() {
        assert!((19_900..20_100).contains(&after(600, 11)));
        assert_eq!(after(6_000, 11), LONGEST_MS);
    }

    #[test]
    fn leases_shrink_again_when_asks_become_rare() {
        let mut pace = Pace::new(Millis(0));
        for _ in 0..6_000 {
            pace.ask(Millis(0));
        }
        assert_eq!(pace.ask(Millis(10_000)), 20_000);
        assert_eq!(pace.ask(Millis(20_000)), LEASE_MS);
    }
}
