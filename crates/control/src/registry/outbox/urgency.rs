//! Which of the rows that are due goes first, and how many of a sort may be under way.
//!
//! What withdraws goes before what grants, and what somebody waits for before what a change of
//! many keys, an import or a republication has added: revoking one key never waits for a sweep.

/// How urgent a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registry) enum Urgency {
    /// One key may do less.
    Withdrawal,
    /// One of many keys may do less.
    SweptWithdrawal,
    /// One key may do more, or is new.
    Grant,
    /// One of many keys may do more, or is new, or is published anew.
    SweptGrant,
}

/// Writes in flight at once: the platform opens six connections for one object and queues the
/// rest, in their order.
const WRITES: usize = 6;

impl Urgency {
    /// The most urgent first.
    pub(in crate::registry) const ALL: [Self; 4] = [
        Self::Withdrawal,
        Self::SweptWithdrawal,
        Self::Grant,
        Self::SweptGrant,
    ];

    /// The number in the table's column `withdraws`: bit 0 says that it withdraws, bit 1 that it
    /// is one of many.
    pub(in crate::registry) const fn code(self) -> u64 {
        match self {
            Self::Grant => 0,
            Self::Withdrawal => 1,
            Self::SweptGrant => 2,
            Self::SweptWithdrawal => 3,
        }
    }

    /// The urgency with this number; none that is known counts as the least.
    pub(in crate::registry) const fn of_code(code: u64) -> Self {
        match code {
            0 => Self::Grant,
            1 => Self::Withdrawal,
            3 => Self::SweptWithdrawal,
            _ => Self::SweptGrant,
        }
    }

    /// Whether less is allowed than before.
    pub(in crate::registry) const fn withdraws(self) -> bool {
        matches!(self, Self::Withdrawal | Self::SweptWithdrawal)
    }

    /// Whether it is one of many.
    pub(in crate::registry) const fn swept(self) -> bool {
        matches!(self, Self::SweptWithdrawal | Self::SweptGrant)
    }

    /// Writes that may be in flight of this urgency, and of it and those below it together: what
    /// is more urgent finds one free, however slow KV is.
    const fn caps(self) -> (usize, usize) {
        match self {
            Self::Withdrawal => (WRITES, WRITES),
            Self::SweptWithdrawal => (WRITES - 1, WRITES - 1),
            Self::Grant => (WRITES - 2, WRITES - 1),
            Self::SweptGrant => (WRITES - 2, WRITES - 2),
        }
    }

    const fn level(self) -> u8 {
        match self {
            Self::Withdrawal => 0,
            Self::SweptWithdrawal => 1,
            Self::Grant => 2,
            Self::SweptGrant => 3,
        }
    }

    /// How many more writes of this urgency may start beside those that are under way.
    pub(in crate::registry) fn free(self, under_way: impl Iterator<Item = Self>) -> usize {
        let (mut all, mut own, mut not_above) = (0, 0, 0);
        for other in under_way {
            all += 1;
            own += usize::from(other == self);
            not_above += usize::from(other.level() >= self.level());
        }
        let (cap, cap_not_above) = self.caps();
        WRITES
            .saturating_sub(all)
            .min(cap.saturating_sub(own))
            .min(cap_not_above.saturating_sub(not_above))
    }
}

#[cfg(test)]
mod tests {
    use super::Urgency::{self, Grant, SweptGrant, SweptWithdrawal, Withdrawal};

    fn free(urgency: Urgency, under_way: &[Urgency]) -> usize {
        urgency.free(under_way.iter().copied())
    }

    #[test]
    fn the_table_and_the_type_agree() {
        for urgency in Urgency::ALL {
            assert_eq!(Urgency::of_code(urgency.code()), urgency);
            assert_eq!(urgency.code() & 1 == 1, urgency.withdraws());
            assert_eq!(urgency.code() & 2 == 2, urgency.swept());
        }
    }

    #[test]
    fn each_level_leaves_room_for_what_is_more_urgent() {
        for (urgency, expected) in [
            (Withdrawal, 6),
            (SweptWithdrawal, 5),
            (Grant, 4),
            (SweptGrant, 4),
        ] {
            assert_eq!(free(urgency, &[]), expected);
            assert_eq!(free(urgency, &vec![urgency; expected]), 0);
        }
    }

    #[test]
    fn slow_sweeps_never_hold_back_one_key() {
        assert_eq!(free(Withdrawal, &[SweptWithdrawal; 5]), 1);
        assert_eq!(free(SweptWithdrawal, &[SweptGrant; 4]), 1);
        assert_eq!(free(Grant, &[SweptGrant; 4]), 1);
        let below = [SweptGrant, SweptGrant, SweptGrant, SweptGrant, Grant];
        assert_eq!(free(Grant, &below), 0);
        assert_eq!(free(Withdrawal, &below), 1);
    }

    #[test]
    fn no_more_than_six_are_ever_under_way() {
        assert_eq!(free(SweptGrant, &[Withdrawal; 6]), 0);
        assert_eq!(free(Withdrawal, &[Withdrawal; 6]), 0);
        assert_eq!(free(SweptGrant, &[Withdrawal; 5]), 1);
    }
}
