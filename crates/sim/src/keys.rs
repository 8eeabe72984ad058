//! The keys: how often each is used, and its limits, some generous and some tight.

use keyward_core::limits::{Credits, Limits, OnMeterError, Per, Period, Quota, Rate};

/// Every key, the most used first.
pub(crate) struct Keys {
    limits: Vec<Limits>,
}

/// What share of its own demand a key is allowed, by turns.
const SLACK: [f64; 3] = [0.5, 1.2, 3.0];
/// Windows of the rate limits, in seconds, by turns.
const WINDOWS: [u64; 4] = [1, 10, 60, 3600];

impl Keys {
    /// So many keys, which are called so often a second in all, by Zipf's law.
    pub(crate) fn new(count: u32, calls: f64, zipf: f64, seconds: u64) -> Self {
        let weight = |rank: u32| f64::from(rank + 1).powf(-zipf);
        let whole: f64 = (0..count).map(weight).sum();
        let limits = (0..count)
            .map(|rank| limits(rank, calls * weight(rank) / whole, seconds))
            .collect();
        Self { limits }
    }

    /// The limits of a key.
    pub(crate) fn limits(&self, key: u32) -> &Limits {
        &self.limits[key as usize]
    }
}

/// A quarter of the keys each: no limits, a rate limit, a rate limit and a quota, credits.
fn limits(rank: u32, demand: f64, seconds: u64) -> Limits {
    let slack = SLACK[rank as usize / 4 % SLACK.len()];
    let window_s = WINDOWS[rank as usize / 12 % WINDOWS.len()];
    let allowed = |span_s: u64| ((demand * slack * span_s as f64) as u64).max(1);
    let rate = Rate {
        name: "rate".to_owned(),
        limit: allowed(window_s),
        window_s,
        per: Per::Key,
    };
    let quota = Quota {
        name: "daily".to_owned(),
        limit: allowed(seconds),
        period: Period::Day,
        reset_day: None,
    };
    let (rate, quota, credits) = match rank % 4 {
        0 => (vec![rate], vec![], None),
        1 => (vec![], vec![], None),
        2 => (vec![rate], vec![quota], None),
        _ => (
            vec![],
            vec![],
            Some(Credits {
                balance: allowed(seconds),
                refill: None,
            }),
        ),
    };
    Limits {
        rate,
        quota,
        credits,
        on_meter_error: OnMeterError::Deny,
    }
}
