//! Which keys deserve a look: not used for long, about to end, not restricted, or allowed
//! everything.

use crate::life;
use crate::time::Millis;

/// What counts of a key that may still be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When it was made.
    pub created_at: Millis,
    /// When it was last used, as far as it is known.
    pub last_used_at: Option<Millis>,
    /// When it ends, by itself or by the age of its secret.
    pub ends: [Option<Millis>; 2],
    /// It says nothing about where it may be used.
    pub unrestricted: bool,
    /// It may do everything.
    pub full_access: bool,
}

/// What to look for; each is an alternative to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Not used for so many seconds.
    pub unused_s: Option<u64>,
    /// An end within so many seconds.
    pub expiring_s: Option<u64>,
    /// Any key that is not restricted.
    pub unrestricted: bool,
    /// Any key that may do everything.
    pub full_access: bool,
}

/// Why a key deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// It was not used for so long.
    Unused,
    /// It ends soon.
    Expiring,
    /// It is not restricted.
    Unrestricted,
    /// It may do everything.
    FullAccess,
}

impl Wanted {
    /// Whether anything is looked for.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Why a key is found; nothing when it is not.
    #[must_use]
    pub fn of(&self, facts: &Facts, now: Millis) -> Vec<Attention> {
        let unused = |seconds: u64| {
            let last = facts.last_used_at.unwrap_or(facts.created_at);
            last.plus(seconds.saturating_mul(1000)) <= now
        };
        let expiring = |seconds| {
            let mut ends = facts.ends.into_iter().flatten();
            ends.any(|end| life::ends_soon(end, seconds, now))
        };
        [
            (Attention::Unused, self.unused_s.is_some_and(unused)),
            (Attention::Expiring, self.expiring_s.is_some_and(expiring)),
            (
                Attention::Unrestricted,
                self.unrestricted && facts.unrestricted,
            ),
            (Attention::FullAccess, self.full_access && facts.full_access),
        ]
        .into_iter()
        .filter_map(|(attention, applies)| applies.then_some(attention))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Attention::{Expiring, FullAccess, Unrestricted, Unused};
    use super::*;

    const FACTS: Facts = Facts {
        created_at: Millis(0),
        last_used_at: None,
        ends: [None, None],
        unrestricted: false,
        full_access: false,
    };
    const ALL: Wanted = Wanted {
        unused_s: Some(10),
        expiring_s: Some(10),
        unrestricted: true,
        full_access: true,
    };

    #[test]
    fn a_key_that_was_never_used_counts_from_its_creation() {
        assert_eq!(ALL.of(&FACTS, Millis(9_999)), []);
        assert_eq!(ALL.of(&FACTS, Millis(10_000)), [Unused]);
        let used = Facts {
            last_used_at: Some(Millis(1)),
            ..FACTS
        };
        assert_eq!(ALL.of(&used, Millis(10_000)), []);
        assert_eq!(ALL.of(&used, Millis(10_001)), [Unused]);
    }

    #[test]
    fn an_end_counts_until_it_is_reached() {
        for ends in [[Some(Millis(20_000)), None], [None, Some(Millis(20_000))]] {
            let facts = Facts {
                last_used_at: Some(Millis(30_000)),
                ends,
                ..FACTS
            };
            for (now, found) in [
                (9_999, false),
                (10_000, true),
                (19_999, true),
                (20_000, false),
            ] {
                let expected: &[_] = if found { &[Expiring] } else { &[] };
                assert_eq!(ALL.of(&facts, Millis(now)), expected, "{now}");
            }
        }
    }

    #[test]
    fn only_what_is_wanted_is_found_and_every_reason_is_named() {
        let facts = Facts {
            unrestricted: true,
            full_access: true,
            ..FACTS
        };
        let now = Millis(10_000);
        assert_eq!(ALL.of(&facts, now), [Unused, Unrestricted, FullAccess]);
        let one = Wanted {
            full_access: true,
            ..Wanted::default()
        };
        assert!(one.any() && !Wanted::default().any());
        assert_eq!(one.of(&facts, now), [FullAccess]);
        assert_eq!(Wanted::default().of(&facts, now), []);
    }
}
