//! Whether a management key may be used with one of its secrets at a point in time.

use crate::record::Status;
use crate::rotation::{Life, Standing};
use crate::time::Millis;

/// What decides about the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// What its owner made of it.
    pub status: Status,
    /// It is valid from here on.
    pub not_before: Option<Millis>,
    /// It is valid until just before.
    pub expires_at: Option<Millis>,
}

impl Validity {
    /// Whether this secret of the key opens anything now.
    #[must_use]
    pub fn admits(&self, secret: &Life, now: Millis) -> bool {
        self.status == Status::Active
            && self.not_before.is_none_or(|start| start <= now)
            && self.expires_at.is_none_or(|end| now < end)
            && secret.standing(None, now) == Standing::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_262_400_000);
    const BEFORE: Option<Millis> = Some(Millis(NOW.0 - 1));
    const AFTER: Option<Millis> = Some(Millis(NOW.0 + 1));

    const ACTIVE: Validity = Validity {
        status: Status::Active,
        not_before: None,
        expires_at: None,
    };
    const LIVE: Life = Life {
        created_at: Millis(1),
        not_before: None,
        not_after: None,
        revoked_at: None,
    };

    #[test]
    fn only_an_active_key_admits_anybody() {
        assert!(ACTIVE.admits(&LIVE, NOW));
        for status in [
            Status::Disabled,
            Status::Revoked,
            Status::Suspended,
            Status::Deleted,
        ] {
            assert!(
                !Validity { status, ..ACTIVE }.admits(&LIVE, NOW),
                "{status:?}"
            );
        }
    }

    #[test]
    fn key_and_secret_hold_from_their_start_until_just_before_their_end() {
        for (start, end, holds) in [
            (BEFORE, AFTER, true),
            (Some(NOW), AFTER, true),
            (AFTER, None, false),
            (None, Some(NOW), false),
            (None, BEFORE, false),
        ] {
            let key = Validity {
                not_before: start,
                expires_at: end,
                ..ACTIVE
            };
            assert_eq!(key.admits(&LIVE, NOW), holds, "key {start:?} {end:?}");
            let secret = Life {
                not_before: start,
                not_after: end,
                ..LIVE
            };
            assert_eq!(
                ACTIVE.admits(&secret, NOW),
                holds,
                "secret {start:?} {end:?}"
            );
        }
    }

    #[test]
    fn a_revoked_secret_admits_nobody() {
        let revoked = Life {
            revoked_at: BEFORE,
            ..LIVE
        };
        assert!(!ACTIVE.admits(&revoked, NOW));
    }
}
