//! How often a meter is asked, and how seldom it wants to be.
//!
//! 1. An isolate that uses a key asks at least once in three quarters of a lease. So leases are
//!    as long as the isolates that have asked within one make them, as soon as they do: the meter
//!    need not be asked too often to know that it will be.
//! 2. Who is refused comes back when all the others that may be refused have had their turn.
//! 3. While twice as much is asked as is borne for long, each isolate counts as several: it asks for
//!    several calls at once, and while it starts, it does so before anything is known of it.
//! 4. Both times are another for each ask, so that isolates that have begun together do not come
//!    back together.
//!
//! Kept in memory only: a meter that starts again learns it anew within seconds.

use std::hash::{Hash, Hasher};

use crate::lease::message::Ask;
use crate::lease::{LEASE_MS, LONGEST_MS};
use crate::time::Millis;

/// Over how long asks are counted.
const SPAN_MS: u64 = 1_000;
/// For how many calls an isolate asks at the same time, at most: what an account allows its calls.
const AT_ONCE: u64 = 4;
/// More than so many times what is borne for long is a flood. Less than that, the isolates of a key with
/// a tight limit may ask all the time: they are not to be refused for long.
const FLOOD: u64 = 2;
/// How long leases are made at most because of a flood: longer only if the number of isolates wants it.
const HURRIED_MS: u64 = 40_000;

/// The asks of the present span and of the one before it, and how long leases are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Asks a second that the meter bears for long.
    bears: u64,
    since: Millis,
    asks: u64,
    before: u64,
    lease_ms: u64,
}

/// Counts of asks that a meter bears change nothing.
impl Hash for Pace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lease_ms.hash(state);
        for asks in [self.asks, self.before] {
            let most = self.overrun().saturating_add(1);
            asks.min(most).saturating_sub(self.bears / 2).hash(state);
        }
    }
}

impl Pace {
    pub(super) const fn new(bears: u64, now: Millis) -> Self {
        Self {
            bears,
            since: now,
            asks: 0,
            before: 0,
            lease_ms: LEASE_MS,
        }
    }

    /// Counts an ask; so many isolates have asked within the time of a lease.
    pub(super) fn ask(&mut self, isolates: u64, now: Millis) {
        let passed_ms = now.since(self.since);
        if passed_ms >= SPAN_MS {
            let follows = passed_ms < 2 * SPAN_MS;
            self.before = if follows { self.asks } else { 0 };
            self.since = now;
            self.asks = 0;
        }
        self.asks = self.asks.saturating_add(1);
        let lease_ms = self.borne_ms(isolates).saturating_mul(4) / 3;
        let hurried_ms = if self.is_flooded() {
            let all_ms = self.borne_ms(isolates).saturating_mul(AT_ONCE);
            all_ms.min(HURRIED_MS)
        } else {
            0
        };
        self.lease_ms = lease_ms.max(hurried_ms).clamp(LEASE_MS, LONGEST_MS);
    }

    /// How long an isolate may go without another ask.
    pub(super) const fn lease_ms(&self) -> u64 {
        self.lease_ms
    }

    /// The same, for who asks.
    pub(super) fn lease_of(&self, ask: &Ask) -> u64 {
        if self.is_normal() {
            return LEASE_MS;
        }
        // Less far than retries: no lease is to be much shorter than the others.
        let lease_ms = self.lease_ms / 2 + spread(self.lease_ms, ask) / 2;
        lease_ms.clamp(LEASE_MS, LONGEST_MS)
    }

    /// How soon one of so many isolates may ask again if it is refused.
    pub(super) fn retry_of(&self, ask: &Ask, isolates: u64) -> u64 {
        let retry_ms = self.borne_ms(isolates).max(1);
        let flooded = self.asks.max(self.before) > self.overrun();
        let retry_ms = retry_ms.saturating_mul(if flooded { AT_ONCE } else { 1 });
        if self.is_normal() {
            return retry_ms;
        }
        spread(retry_ms, ask).min(LONGEST_MS)
    }

    /// Among how many isolates what is free is to be shared, if so many have asked within the time
    /// of a lease. Where that is long, more becomes free before most of them ask again: then it is
    /// those that are to ask within a second.
    pub(super) fn sharers(&self, isolates: u64) -> u64 {
        if self.is_normal() {
            return isolates.max(1);
        }
        self.bears.max(1)
    }

    /// Whether so many isolates ask too often if none may go without asking for longer than a window.
    pub(super) fn is_strained(&self, isolates: u64, window_ms: u64) -> bool {
        let span_ms = window_ms.min(LEASE_MS / 4 * 3);
        let each = if self.is_flooded() { AT_ONCE } else { 1 };
        let asks = u128::from(isolates) * u128::from(each);
        asks * 1_000 > u128::from(self.bears) * u128::from(span_ms)
    }

    /// Whether more is asked than is borne for long.
    pub(super) fn is_pressed(&self) -> bool {
        self.asks.max(self.before) > self.bears
    }

    /// Whether so much more is asked that each isolate counts as several.
    pub(super) fn is_flooded(&self) -> bool {
        self.asks.max(self.before) > self.flood()
    }

    const fn flood(&self) -> u64 {
        self.bears.saturating_mul(FLOOD)
    }

    /// More asks than this within a second are too many, however many calls each isolate asks for at
    /// one time: who is refused then comes back later.
    const fn overrun(&self) -> u64 {
        self.bears.saturating_mul(AT_ONCE)
    }

    /// In which time the meter bears an ask of each of so many isolates.
    fn borne_ms(&self, isolates: u64) -> u64 {
        isolates.saturating_mul(1_000) / self.bears.max(1)
    }

    /// Whether more is asked now than leaves time for those who may come back.
    pub(super) const fn is_crowded(&self) -> bool {
        !self.is_normal() && self.asks > self.bears / 2
    }

    /// Whether leases are as long as they are elsewhere.
    pub(super) const fn is_normal(&self) -> bool {
        self.lease_ms == LEASE_MS
    }
}

/// Between a half and one and a half of a time; the same for the same ask.
fn spread(millis: u64, ask: &Ask) -> u64 {
    let mixed = (ask.isolate ^ ask.number.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let part = mixed >> 54;
    millis / 2 + millis.saturating_mul(part) / 1_024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::ASKS_PER_S;

    fn paced(isolates: u64) -> Pace {
        let mut pace = Pace::new(ASKS_PER_S, Millis(0));
        pace.ask(isolates, Millis(5));
        pace
    }

    fn ask(isolate: u64) -> Ask {
        Ask {
            isolate: isolate.wrapping_mul(0xD134_2543_DE82_EF95),
            number: 3,
            need: 1,
            want: 0,
            lasts_ms: 0,
            leases: Vec::new(),
        }
    }

    #[test]
    fn leases_grow_with_the_isolates_up_to_a_minute_and_shrink_again() {
        let mut pace = paced(2_250);
        assert_eq!(pace.lease_of(&ask(1)), LEASE_MS);
        for (isolates, lease_ms) in [
            (4_500, 20_000),
            (9_000, 40_000),
            (90_000, LONGEST_MS),
            (u64::MAX, LONGEST_MS),
            (10, LEASE_MS),
        ] {
            pace.ask(isolates, Millis(5));
            assert_eq!(pace.lease_ms(), lease_ms, "{isolates}");
        }
    }

    #[test]
    fn who_asks_together_does_not_come_back_together() {
        let pace = paced(9_000);
        for times in [
            |pace: &Pace, isolate| pace.lease_of(&ask(isolate)) * 3 / 4,
            |pace: &Pace, isolate| pace.retry_of(&ask(isolate), 9_000),
        ] {
            let mut seconds = [0_u64; 60];
            for isolate in 1..=9_000 {
                seconds[(times(&pace, isolate) / 1_000) as usize] += 1;
            }
            assert!(seconds.iter().all(|asks| *asks < 700), "{seconds:?}");
            assert_eq!(times(&pace, 7), times(&pace, 7));
        }
    }

    #[test]
    fn where_leases_are_long_what_is_free_is_shared_by_who_asks_now() {
        assert_eq!(paced(0).sharers(0), 1);
        assert_eq!(paced(2_000).sharers(2_000), 2_000);
        assert_eq!(paced(9_000).sharers(9_000), ASKS_PER_S);
    }

    #[test]
    fn only_a_meter_of_many_isolates_is_crowded_and_for_a_second() {
        let mut few = paced(100);
        let mut many = paced(9_000);
        for _ in 0..ASKS_PER_S {
            few.ask(100, Millis(5));
            many.ask(9_000, Millis(5));
        }
        assert!(!few.is_crowded() && many.is_crowded());
        many.ask(9_000, Millis(1_005));
        assert!(!many.is_crowded());
    }
}
