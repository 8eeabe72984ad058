//! Knows the truth: every call, at the true time.
//!
//! Two counts are kept for each key. One is of the calls that were let through: it shows those
//! that a limit did not allow. The other is of an all-knowing counter, which sees each call at once
//! wherever it is made, and lets through what the limits allow: it shows which refusals were wrong.

use std::collections::VecDeque;

use keyward_core::limits::{Limits, Per};

/// The truth about one key.
pub(crate) struct Audit {
    real: Count,
    ideal: Count,
}

#[derive(Clone)]
struct Count {
    /// Of each rate limit: its window in microseconds, its limit, and the calls in it.
    windows: Vec<(u64, u64, VecDeque<u64>)>,
    /// Of quota and credits: the limit, and the calls. A run is within one day.
    totals: Vec<(u64, u64)>,
}

impl Audit {
    /// Of a key that has not been called.
    pub(crate) fn new(limits: &Limits) -> Self {
        let windows = limits.rate.iter().filter(|rate| rate.per == Per::Key);
        let quotas = limits.quota.iter().map(|quota| quota.limit);
        let credits = limits.credits.iter().map(|credits| credits.balance);
        let count = Count {
            windows: windows
                .map(|rate| (rate.window_s * 1_000_000, rate.limit, VecDeque::new()))
                .collect(),
            totals: quotas.chain(credits).map(|limit| (limit, 0)).collect(),
        };
        Self {
            real: count.clone(),
            ideal: count,
        }
    }

    /// A call is made. Whether the all-knowing counter lets it through.
    pub(crate) fn called(&mut self, now: u64) -> bool {
        let allows = self.ideal.allows(now);
        if allows {
            self.ideal.add(now);
        }
        allows
    }

    /// A call was let through. Whether that was one too many.
    pub(crate) fn passed(&mut self, now: u64) -> bool {
        let over = !self.real.allows(now);
        self.real.add(now);
        over
    }
}

impl Count {
    /// Whether one more call is within every limit.
    fn allows(&mut self, now: u64) -> bool {
        let mut allows = self.totals.iter().all(|(limit, spent)| spent < limit);
        for (window, limit, calls) in &mut self.windows {
            while calls.front().is_some_and(|first| first + *window <= now) {
                calls.pop_front();
            }
            allows &= (calls.len() as u64) < *limit;
        }
        allows
    }

    fn add(&mut self, now: u64) {
        for (_, _, calls) in &mut self.windows {
            calls.push_back(now);
        }
        for (_, spent) in &mut self.totals {
            *spent += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Audit;
    use keyward_core::limits::{Limits, OnMeterError, Per, Period, Quota, Rate};

    #[test]
    fn one_call_too_many_is_seen_in_a_window_and_in_a_day() {
        let limits = Limits {
            rate: vec![Rate {
                name: "rate".to_owned(),
                limit: 2,
                window_s: 1,
                per: Per::Key,
            }],
            quota: vec![Quota {
                name: "daily".to_owned(),
                limit: 4,
                period: Period::Day,
                reset_day: None,
            }],
            credits: None,
            on_meter_error: OnMeterError::Deny,
        };
        let mut audit = Audit::new(&limits);
        let calls = [0, 500_000, 999_999, 2_000_000, 3_000_000, 4_000_000];
        let over = calls.map(|at| audit.passed(at));
        assert_eq!(over, [false, false, true, false, true, true]);
        // The all-knowing counter has not let the third through, so it has one left for the fifth.
        let allowed = calls.map(|at| audit.called(at));
        assert_eq!(allowed, [true, true, false, true, true, false]);
    }
}
