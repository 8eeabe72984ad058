//! The keys: how often each is used and in how many isolates, and its limits.
//!
//! What is assumed: demand follows Zipf's law. A quarter of the keys each has no limits, a rate
//! limit, a rate limit and a quota, or credits. Limits are mostly set well above what a key
//! needs: four or ten times, and not below 60. One key with limits in twenty-one is **tight**: it is allowed half
//! of what it is called for. The most used key is used in all isolates, others in proportion, but
//! none in fewer than three: a key's callers are where its users are.

use keyward_core::limits::{Credits, Limits, OnMeterError, Per, Period, Quota, Rate};

/// What is shown apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Without limits.
    Free,
    /// Allowed well more than it is called for.
    Slack,
    /// Allowed half of that.
    Tight,
}

/// A key.
pub(crate) struct Key {
    pub(crate) class: Class,
    pub(crate) limits: Limits,
    /// Whether a call without a live lease waits for one; where there are limits, it always does.
    pub(crate) waits: bool,
    /// In which isolates it is used: the first, and how many from there on.
    pub(crate) isolates: (u32, u32),
}

/// Windows of the rate limits, in seconds, by turns.
const WINDOWS: [u64; 5] = [60, 10, 3_600, 60, 1];
/// In how few isolates a key is used at least.
const FEWEST: f64 = 3.0;

/// So many keys, the most used first, which are called so often a second in all.
pub(crate) fn keys(count: u32, isolates: u32, calls: f64, zipf: f64, seconds: u64) -> Vec<Key> {
    let weight = |rank: u32| f64::from(rank + 1).powf(-zipf);
    let whole: f64 = (0..count).map(weight).sum();
    let key = |rank: u32| {
        let class = match (rank % 4, rank / 4 % 21) {
            (1, _) => Class::Free,
            (_, 1) => Class::Tight,
            _ => Class::Slack,
        };
        let limits = limits(rank, class, calls * weight(rank) / whole, seconds);
        let spread = (f64::from(isolates) * weight(rank)).max(FEWEST) as u32;
        Key {
            class,
            waits: class != Class::Free || rank % 8 == 1,
            limits,
            isolates: (
                rank.wrapping_mul(2_654_435_761) % isolates,
                spread.min(isolates),
            ),
        }
    };
    (0..count).map(key).collect()
}

fn limits(rank: u32, class: Class, demand: f64, seconds: u64) -> Limits {
    let window_s = WINDOWS[rank as usize / 4 % WINDOWS.len()];
    let allowed = |span_s: u64| {
        let demand = demand * span_s as f64;
        match class {
            Class::Tight => ((demand / 2.0) as u64).max(1),
            _ if (rank / 4).is_multiple_of(2) => ((demand * 4.0) as u64).max(60),
            _ => ((demand * 10.0) as u64).max(60),
        }
    };
    let rates = || vec![rate(allowed(window_s), window_s)];
    match rank % 4 {
        0 => Limits {
            rate: rates(),
            ..none()
        },
        1 => none(),
        2 => Limits {
            rate: rates(),
            ..quota(allowed(seconds))
        },
        _ => credits(allowed(seconds)),
    }
}

/// No limits.
pub(crate) const fn none() -> Limits {
    Limits {
        rate: Vec::new(),
        quota: Vec::new(),
        credits: None,
        on_meter_error: OnMeterError::Deny,
    }
}

/// A rate limit.
pub(crate) fn rate(limit: u64, window_s: u64) -> Rate {
    Rate {
        name: "rate".to_owned(),
        limit,
        window_s,
        per: Per::Key,
    }
}

/// Limits of only a daily quota.
pub(crate) fn quota(limit: u64) -> Limits {
    let quota = Quota {
        name: "daily".to_owned(),
        limit,
        period: Period::Day,
        reset_day: None,
    };
    Limits {
        quota: vec![quota],
        ..none()
    }
}

/// Limits of only credits.
pub(crate) fn credits(balance: u64) -> Limits {
    Limits {
        credits: Some(Credits {
            balance,
            refill: None,
        }),
        ..none()
    }
}
