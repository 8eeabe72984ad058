//! The life of a key as a whole: what its state adds up to, and what time does to it.

use crate::record::Status;
use crate::time::Millis;

/// For so long a deleted key can come back: 30 days.
pub const RECOVERABLE_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// How long before the end of a key or a secret its owner is warned, where the project names no
/// time, in seconds: 14 days.
pub const DEFAULT_WARNING_S: u64 = 14 * 24 * 60 * 60;

/// What counts of all that has been said about a key: what takes most away goes first.
#[must_use]
pub const fn status(own: Status, suspended: bool, deleted: bool) -> Status {
    match own {
        _ if deleted => Status::Deleted,
        Status::Revoked => Status::Revoked,
        _ if suspended => Status::Suspended,
        own => own,
    }
}

/// When a deleted key is gone for good.
#[must_use]
pub const fn purge_at(deleted_at: Millis) -> Millis {
    deleted_at.plus(RECOVERABLE_MS)
}

/// Whether the end is near: not yet reached, and at most `warning_s` seconds away.
#[must_use]
pub const fn ends_soon(end: Millis, warning_s: u64, now: Millis) -> bool {
    now.0 < end.0 && end.since(now) <= warning_s.saturating_mul(1000)
}

/// When to wake for the earliest of what is due. What should have been done already is gone on
/// with after a pause: what fails must not be tried without rest.
#[must_use]
pub fn next_wake(due: &[Option<Millis>], now: Millis, pause_ms: u64) -> Option<Millis> {
    let next = due.iter().flatten().min()?;
    Some(if *next <= now {
        now.plus(pause_ms)
    } else {
        *next
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_most_away_counts() {
        use Status::{Active, Deleted, Disabled, Revoked, Suspended};
        for (own, suspended, deleted, expected) in [
            (Active, false, false, Active),
            (Disabled, false, false, Disabled),
            (Revoked, false, false, Revoked),
            (Active, true, false, Suspended),
            (Disabled, true, false, Suspended),
            (Revoked, true, false, Revoked),
            (Active, false, true, Deleted),
            (Revoked, true, true, Deleted),
        ] {
            assert_eq!(status(own, suspended, deleted), expected);
        }
    }

    #[test]
    fn the_warning_begins_so_many_seconds_before_the_end_and_ends_with_it() {
        let end = Millis(100_000);
        for (now, soon) in [
            (89_999, false),
            (90_000, true),
            (99_999, true),
            (100_000, false),
        ] {
            assert_eq!(ends_soon(end, 10, Millis(now)), soon, "{now}");
        }
    }

    #[test]
    fn the_earliest_wakes_and_what_is_overdue_after_a_pause() {
        let now = Millis(100);
        let next = |due: &[Option<u64>]| {
            let due: Vec<_> = due.iter().map(|time| time.map(Millis)).collect();
            next_wake(&due, now, 5).map(|time| time.0)
        };
        assert_eq!(next(&[None, None]), None);
        assert_eq!(next(&[None, Some(200), Some(101)]), Some(101));
        assert_eq!(next(&[Some(100), Some(101)]), Some(105));
        assert_eq!(next(&[Some(3), None]), Some(105));
    }
}
