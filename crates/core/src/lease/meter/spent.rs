//! Quotas and credits of which much is spent.
//!
//! Spent is what isolates have said that they spent, and what leases had open that are over: what a
//! live lease holds may come back. So this is late by a lease at most ([`LONGEST_MS`]), and a report
//! that comes after the end of its lease may take a little of it back.
//!
//! [`LONGEST_MS`]: crate::lease::LONGEST_MS

use super::Meter;
use super::counter::Counter;
use crate::lease::message::Sort;
use crate::time::Millis;

/// So many hundredths of a limit are much.
pub const THRESHOLDS: [u64; 2] = [80, 100];

/// A limit of which much is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The limit's name.
    pub name: String,
    /// A quota, or credits.
    pub sort: Sort,
    /// Units in a period; of credits, those that there were after the last change or refill.
    pub limit: u64,
    /// Units that are spent.
    pub spent: u64,
    /// Units that are spent, or held by live leases.
    pub taken: u64,
    /// When it starts anew.
    pub until: Option<Millis>,
}

impl Meter {
    /// The quotas and credits of which the first of the [`THRESHOLDS`] is taken.
    pub fn much_taken(&mut self, now: Millis) -> Vec<Spent> {
        self.advance(now);
        let held = self.index.live();
        let counters = self.counters.iter();
        counters.filter_map(|counter| much(counter, held)).collect()
    }
}

fn much(counter: &Counter, held: u64) -> Option<Spent> {
    let (taken, until) = counter.taken()?;
    let limit = counter.limit();
    if !reaches(taken, limit, THRESHOLDS[0]) {
        return None;
    }
    Some(Spent {
        name: counter.name.clone(),
        sort: counter.sort(),
        limit,
        spent: taken.saturating_sub(held),
        taken,
        until,
    })
}

/// Whether so many units are so many hundredths of a limit; of nothing, nothing is.
#[must_use]
pub fn reaches(units: u64, limit: u64, percent: u64) -> bool {
    limit > 0 && u128::from(units) * 100 >= u128::from(limit) * u128::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::message::{Ask, Report};

    const NOW: Millis = Millis(1_000_000_000);

    fn meter(limits: &str) -> Meter {
        let mut meter = Meter::new(serde_json::from_str(limits).unwrap(), 300, NOW);
        meter.skip_changed();
        meter
    }

    /// An isolate asks for so many units, and says what it has spent of its earlier leases.
    fn ask(meter: &mut Meter, number: u64, need: u64, spent: &[(u64, u64)], now: Millis) {
        let leases = spent.iter().map(|(number, spent)| Report {
            number: *number,
            spent: *spent,
            age_ms: 0,
            held_ms: 0,
            closed: true,
        });
        let ask = Ask {
            isolate: 1,
            number,
            need,
            want: 0,
            lasts_ms: 0,
            leases: leases.collect(),
        };
        meter.take(&ask, now);
    }

    fn spent(meter: &mut Meter, now: Millis) -> Vec<(u64, u64)> {
        let all = meter.much_taken(now).into_iter();
        all.map(|one| (one.spent, one.taken)).collect()
    }

    #[test]
    fn what_a_live_lease_holds_is_taken_and_not_spent() {
        let mut meter = meter(r#"{"quota":[{"name":"day","limit":10,"period":"day"}]}"#);
        ask(&mut meter, 1, 7, &[], NOW);
        assert_eq!(spent(&mut meter, NOW), []);
        ask(&mut meter, 2, 1, &[], NOW);
        assert_eq!(spent(&mut meter, NOW), [(0, 8)]);
        ask(&mut meter, 3, 2, &[(1, 7)], NOW);
        assert_eq!(spent(&mut meter, NOW), [(7, 10)]);
        // Nobody speaks of the rest: it counts as spent when its lease is over.
        assert_eq!(spent(&mut meter, NOW.plus(60_001)), [(10, 10)]);
        // The next day.
        assert_eq!(spent(&mut meter, NOW.plus(86_400_000)), []);
    }

    #[test]
    fn rates_are_no_concern_and_credits_are() {
        let limits = r#"{"rate":[{"name":"r","limit":5,"window_s":60}],"credits":{"balance":5}}"#;
        let mut meter = meter(limits);
        ask(&mut meter, 1, 4, &[], NOW);
        ask(&mut meter, 2, 0, &[(1, 4)], NOW);
        let much = meter.much_taken(NOW);
        assert_eq!(much.len(), 1);
        assert_eq!(
            (much[0].sort, much[0].limit, much[0].spent, much[0].until),
            (Sort::Credits, 5, 4, None)
        );
        meter.add_credits(4, NOW);
        assert_eq!(meter.much_taken(NOW), []);
    }

    #[test]
    fn thresholds_are_reached_exactly() {
        for (units, limit, percent, expected) in [
            (79, 100, 80, false),
            (80, 100, 80, true),
            (3, 4, 80, false),
            (4, 4, 80, true),
            (0, 0, 80, false),
            (u64::MAX - 1, u64::MAX, 100, false),
            (u64::MAX, u64::MAX, 100, true),
        ] {
            assert_eq!(reaches(units, limit, percent), expected, "{units} {limit}");
        }
    }
}
