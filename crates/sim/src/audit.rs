//! Knows the truth: every call that was let through, at the true time. Counts those that a limit
//! does not allow, and those refusals that an all-knowing counter would not have made.

use std::collections::VecDeque;

use keyward_core::limits::Limits;

/// The truth about one key.
pub(crate) struct Audit {
    /// Of each rate limit: its window in microseconds, its limit, and the calls in it.
    windows: Vec<(u64, u64, VecDeque<u64>)>,
    /// Of quota and credits: the limit, and the calls. A run is within one day.
    totals: Vec<(u64, u64)>,
}

impl Audit {
    /// Of a key that has not been called.
    pub(crate) fn new(limits: &Limits) -> Self {
        let windows = limits.rate.iter();
        let quotas = limits.quota.iter().map(|quota| quota.limit);
        let credits = limits.credits.iter().map(|credits| credits.balance);
        Self {
            windows: windows
                .map(|rate| (rate.window_s * 1_000_000, rate.limit, VecDeque::new()))
                .collect(),
            totals: quotas.chain(credits).map(|limit| (limit, 0)).collect(),
        }
    }

    /// A call was let through. Whether that was one too many.
    pub(crate) fn passed(&mut self, now: u64) -> bool {
        let over = !self.allows(now);
        for (_, _, calls) in &mut self.windows {
            calls.push_back(now);
        }
        for (_, spent) in &mut self.totals {
            *spent += 1;
        }
        over
    }

    /// Whether one more call is within every limit.
    pub(crate) fn allows(&mut self, now: u64) -> bool {
        let mut allows = self.totals.iter().all(|(limit, spent)| spent < limit);
        for (window, limit, calls) in &mut self.windows {
            while calls.front().is_some_and(|first| first + *window <= now) {
                calls.pop_front();
            }
            allows &= (calls.len() as u64) < *limit;
        }
        allows
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
        let calls = [0, 500_000, 999_999, 2_000_000, 3_000_000];
        let over = calls.map(|at| audit.passed(at));
        assert_eq!(over, [false, false, true, false, true]);
    }
}
