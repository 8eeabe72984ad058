//! What remains of an outbox row when a write of it ends: the rules, without the table.

use keyward_core::time::Millis;

/// How long an earlier write may take to show its effect.
pub(super) const SETTLE_MS: u64 = 10_000;
const BACKOFF_FIRST_MS: u64 = 1_000;
const BACKOFF_MAX_GRANT_MS: u64 = 60_000;
const BACKOFF_MAX_WITHDRAWAL_MS: u64 = 15_000;

/// A row when its write ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) generation: u64,
    /// The newest generation that KV has acknowledged.
    pub(super) acknowledged: u64,
    pub(super) withdraws: bool,
    pub(super) attempts: u64,
    /// A write that starts earlier is not the last word.
    pub(super) settle_at: Option<Millis>,
    /// Whether a write is unaccounted for.
    pub(super) doubtful: bool,
}

/// What then remains of it, and when its next write is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) row: Standing,
    pub(super) due_at: Millis,
}

impl Standing {
    /// After a write of this generation has been acknowledged; None when the row is finished.
    pub(super) fn after_success(
        self,
        written: u64,
        started_at: Millis,
        now: Millis,
    ) -> Option<Next> {
        let settle_at = self.settle_at.filter(|settle_at| started_at < *settle_at);
        let due_at = if self.generation == written {
            settle_at?
        } else {
            now
        };
        let row = Self {
            acknowledged: written.max(self.acknowledged),
            attempts: 0,
            settle_at,
            doubtful: self.doubtful && settle_at.is_some(),
            ..self
        };
        Some(Next { row, due_at })
    }

    /// After a write that may or may not have taken effect, or will. `jitter` is random.
    pub(super) fn after_failure(self, now: Millis, jitter: u32) -> Next {
        let attempts = self.attempts.saturating_add(1);
        let settle_at = Some(now.plus(SETTLE_MS));
        let row = Self {
            attempts,
            settle_at,
            doubtful: true,
            ..self
        };
        Next {
            row,
            due_at: now.plus(backoff(attempts, self.withdraws, jitter)),
        }
    }
}

/// Exponential, capped, and between half and all of that at random, so that many objects do not
/// come back at the same instant.
pub(in crate::registry) fn backoff(attempts: u64, withdraws: bool, jitter: u32) -> u64 {
    let max = if withdraws {
        BACKOFF_MAX_WITHDRAWAL_MS
    } else {
        BACKOFF_MAX_GRANT_MS
    };
    let doubled = attempts.saturating_sub(1).min(16);
    let whole = BACKOFF_FIRST_MS.saturating_mul(1 << doubled).min(max);
    let half = whole / 2;
    half + half * u64::from(jitter) / u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Standing = Standing {
        generation: 3,
        acknowledged: 0,
        withdraws: false,
        attempts: 2,
        settle_at: None,
        doubtful: false,
    };

    #[test]
    fn an_acknowledged_write_of_the_newest_state_finishes_the_row() {
        assert_eq!(ROW.after_success(3, Millis(100), Millis(150)), None);
    }

    #[test]
    fn a_change_during_the_write_makes_the_row_due_again_at_once() {
        let row = Standing {
            acknowledged: 2,
            attempts: 0,
            ..ROW
        };
        let next = Next {
            row,
            due_at: Millis(150),
        };
        assert_eq!(ROW.after_success(2, Millis(100), Millis(150)), Some(next));
    }

    #[test]
    fn a_success_before_the_settling_delay_is_over_is_repeated_after_it() {
        let before = Standing {
            settle_at: Some(Millis(10_000)),
            doubtful: true,
            ..ROW
        };
        let row = Standing {
            acknowledged: 3,
            attempts: 0,
            ..before
        };
        let next = Next {
            row,
            due_at: Millis(10_000),
        };
        assert_eq!(
            before.after_success(3, Millis(9_999), Millis(10_050)),
            Some(next)
        );
        assert_eq!(
            before.after_success(3, Millis(10_000), Millis(10_050)),
            None
        );
    }

    #[test]
    fn a_failure_is_retried_and_starts_the_settling_delay() {
        let next = ROW.after_failure(Millis(1_000), u32::MAX);
        assert_eq!(next.due_at, Millis(5_000));
        assert_eq!(next.row.settle_at, Some(Millis(1_000 + SETTLE_MS)));
        assert!(next.row.doubtful);
    }

    #[test]
    fn doubt_ends_with_the_settling_delay_even_when_a_change_is_still_owed() {
        let row = Standing {
            settle_at: Some(Millis(10_000)),
            doubtful: true,
            ..ROW
        };
        let next = row
            .after_success(2, Millis(10_000), Millis(10_050))
            .unwrap();
        assert!(!next.row.doubtful);
        assert_eq!(next.due_at, Millis(10_050));
    }

    #[test]
    fn waiting_doubles_up_to_a_cap_that_is_lower_for_withdrawals() {
        let waits: Vec<_> = (1..=8)
            .map(|attempt| backoff(attempt, false, u32::MAX))
            .collect();
        assert_eq!(
            waits,
            [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        );
        assert_eq!(backoff(u64::MAX, true, u32::MAX), 15_000);
        assert_eq!(backoff(u64::MAX, true, 0), 7_500);
    }
}
