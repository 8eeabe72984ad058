//! What leases can spend within the window of a rate limit, and what is kept free beside that.
//!
//! An isolate whose clock is set forward takes its last window for over, and spends the units of its
//! pace again. So beside what all paces allow, as much is kept free as the greatest of them does,
//! and one part in [`RESERVE`] of all. It is kept until a window after the last lease is over: one
//! that is told of as closed counts twice until then, if that much was spent of it.

/// One part in so many of what paced leases allow is kept free beside it.
const RESERVE: u64 = 64;

/// What can be spent within a window, of leases that are not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Within {
    /// Of leases that are not paced.
    pub(super) plain: u64,
    /// Of paced ones, if all clocks run evenly.
    pub(super) paced: u64,
    /// The most that one isolate has of that.
    pub(super) greatest: u64,
}

impl Within {
    /// The units that count.
    pub(super) fn units(&self) -> u64 {
        let reserve = self.paced.div_ceil(RESERVE).max(self.greatest);
        let units = self.plain.saturating_add(self.paced);
        units.saturating_add(reserve)
    }

    /// The same, if the isolate that has `own` of the paced leases had `most`.
    pub(super) fn with_pace(mut self, own: u64, most: u64) -> Self {
        self.paced = self.paced.saturating_sub(own).saturating_add(most);
        self.greatest = self.greatest.max(most);
        self
    }

    /// The most that the isolate that has `own` may have, where no more than so many units may count.
    pub(super) fn most(&self, own: u64, units: u64) -> u64 {
        let others = self.paced.saturating_sub(own);
        let room = units.saturating_sub(self.plain.saturating_add(others));
        // Of what is kept free for all, this is the least part that can be this isolate's.
        let (most, all) = (u128::from(room) * u128::from(RESERVE), u128::from(others));
        let part = most.saturating_sub(all) / u128::from(RESERVE + 1);
        let greatest = room.saturating_sub(self.greatest).min(room / 2);
        greatest.min(u64::try_from(part).unwrap_or(u64::MAX))
    }
}
