//! The life of a key's secrets: from when to when each holds, and what a rotation does to it.
//!
//! - A secret holds from its `not_before` (its creation, when it has none) until just before its
//!   end: the earlier of its `not_after` and, where the project limits the age of secrets, of that
//!   age after its beginning.
//! - A key has at most two secrets that hold or are going to. While it has two, it is being
//!   rotated, and only a rotation without overlap is accepted: that one ends every older secret at
//!   once.
//! - A rotation never prolongs an older secret, and gives an end of its own to every one that has
//!   none: whatever age the project allows later, none of them comes back.

use crate::time::Millis;

/// The longest overlap of a rotation, in seconds: 30 days.
pub const LONGEST_OVERLAP_S: u64 = 30 * 24 * 60 * 60;
/// The overlap of a rotation that names none, in seconds: a day.
pub const DEFAULT_OVERLAP_S: u64 = 24 * 60 * 60;

/// What is written about the life of one secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was made.
    pub created_at: Millis,
    /// It does not hold before; none for from its creation on.
    pub not_before: Option<Millis>,
    /// It does not hold from here on.
    pub not_after: Option<Millis>,
    /// It was revoked, for good.
    pub revoked_at: Option<Millis>,
}

/// How a secret stands at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Live,
    /// It is going to hold.
    Scheduled,
    /// It holds no more.
    Ended,
    /// It was revoked.
    Revoked,
}

impl Standing {
    /// The word for it in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Scheduled => "scheduled",
            Self::Ended => "ended",
            Self::Revoked => "revoked",
        }
    }

    /// Whether it holds or is going to.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Live | Self::Scheduled)
    }
}

impl Life {
    /// When the secret is too old, where secrets may have at most this age (in milliseconds).
    #[must_use]
    pub fn too_old_at(&self, max_age: Option<u64>) -> Option<Millis> {
        let begins = self.created_at.max(self.not_before.unwrap_or(Millis(0)));
        max_age.map(|max_age| begins.plus(max_age))
    }

    /// When the secret ends; none for never.
    #[must_use]
    pub fn ends_at(&self, max_age: Option<u64>) -> Option<Millis> {
        let ends = [self.not_after, self.too_old_at(max_age)];
        ends.into_iter().flatten().min()
    }

    /// How the secret stands now.
    #[must_use]
    pub fn standing(&self, max_age: Option<u64>, now: Millis) -> Standing {
        let begins = self.not_before.unwrap_or(Millis(0));
        let ends = self.ends_at(max_age);
        if self.revoked_at.is_some() {
            Standing::Revoked
        } else if ends.is_some_and(|ends| ends <= now || ends <= begins) {
            Standing::Ended
        } else if now < begins {
            Standing::Scheduled
        } else {
            Standing::Live
        }
    }
}

/// The last rotation has not ended: the key has two secrets that hold or are going to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key's last rotation has not ended")]
pub struct InProgress;

/// What a rotation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// From when the new secret holds; none for at once.
    pub not_before: Option<Millis>,
    /// The older secrets that end earlier than they would have, by their index, and when.
    pub ends: Vec<(usize, Millis)>,
}

/// Plans a rotation of a key with these secrets: the new one holds from `at` on (at once, when
/// that is not ahead), and older ones for `overlap_s` seconds longer.
///
/// # Errors
/// [`InProgress`], unless the older secrets are to end at once.
pub fn plan(
    secrets: &[Life],
    overlap_s: u64,
    at: Option<Millis>,
    max_age: Option<u64>,
    now: Millis,
) -> Result<Plan, InProgress> {
    let not_before = at.filter(|at| now < *at);
    let end = not_before
        .unwrap_or(now)
        .plus(overlap_s.saturating_mul(1000));
    let counting = secrets
        .iter()
        .filter(|secret| secret.standing(max_age, now).counts());
    if counting.count() > 1 && end > now {
        return Err(InProgress);
    }
    // Also those that are only too old: the project may allow another age one day, and they must
    // not come back then.
    let ends = secrets
        .iter()
        .enumerate()
        .filter(|(_, secret)| secret.revoked_at.is_none())
        .filter(|(_, secret)| secret.not_after.is_none_or(|not_after| end < not_after))
        .map(|(index, secret)| {
            let too_old_at = secret.too_old_at(max_age).filter(|time| *time <= now);
            (index, too_old_at.map_or(end, |time| time.min(end)))
        })
        .collect();
    Ok(Plan { not_before, ends })
}

#[cfg(test)]
mod tests;
