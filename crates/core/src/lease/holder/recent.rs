//! What was spent of paced leases within their window, so that no span of it has more than a lease
//! allows.
//!
//! Spendings that are close together are one group, which counts until the last of them is a window
//! ago: so there are few groups, and what is counted is never less than what was spent. A spending
//! by itself counts to the millisecond.

use crate::time::Millis;

/// In how many parts a window is counted at least.
const PARTS: u64 = 8;
/// The groups that one window can touch, and one more.
const GROUPS: usize = 10;
/// By how much longer than the window a spending counts, in milliseconds: what an isolate's clock
/// may gain on the true time within it.
const SLACK_MS: u64 = 10;

/// The spendings of the last window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Recent {
    window_ms: u64,
    /// Earliest first; those without units are free.
    groups: [Group; GROUPS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Group {
    first: Millis,
    last: Millis,
    units: u64,
}

const NONE: Group = Group {
    first: Millis(0),
    last: Millis(0),
    units: 0,
};

impl Recent {
    pub(super) const fn new(window_ms: u64) -> Self {
        Self {
            window_ms,
            groups: [NONE; GROUPS],
        }
    }

    pub(super) const fn window_ms(&self) -> u64 {
        self.window_ms
    }

    /// Forgets what is a window ago.
    pub(super) fn pass(&mut self, now: Millis) {
        let span_ms = self.span_ms();
        let over = |group: &Group| group.units > 0 && now.since(group.last) >= span_ms;
        let gone = self.groups.iter().take_while(|group| over(group)).count();
        if gone > 0 {
            self.groups.rotate_left(gone);
            let free = GROUPS - gone;
            self.groups
                .iter_mut()
                .skip(free)
                .for_each(|one| *one = NONE);
        }
    }

    /// Units that count.
    pub(super) fn units(&self) -> u64 {
        let units = self.groups.iter().map(|group| group.units);
        units.fold(0, u64::saturating_add)
    }

    /// Units were spent, not before any other.
    pub(super) fn add(&mut self, units: u64, now: Millis) {
        if units == 0 {
            return;
        }
        let new = Group {
            first: now,
            last: now,
            units,
        };
        let count = self.groups.iter().take_while(|one| one.units > 0).count();
        let last = count.checked_sub(1);
        let part_ms = (self.window_ms / PARTS).max(1);
        if let Some(last) = last.and_then(|last| self.groups.get_mut(last))
            && (count == GROUPS || now.since(last.first) < part_ms)
        {
            last.last = now;
            last.units = last.units.saturating_add(units);
        } else if let Some(free) = self.groups.get_mut(count) {
            *free = new;
        }
    }

    /// When at most `most` units count, of those that do now.
    pub(super) fn free_at(&self, most: u64, now: Millis) -> Millis {
        let mut units = 0_u64;
        for group in self.groups.iter().rev() {
            units = units.saturating_add(group.units);
            if units > most {
                return group.last.plus(self.span_ms());
            }
        }
        now
    }

    /// The clock moved back, to `now`: when something was spent cannot be known. Later is safe.
    pub(super) fn lose_time(&mut self, now: Millis) {
        let units = self.units();
        self.groups = [NONE; GROUPS];
        self.add(units, now);
    }

    const fn span_ms(&self) -> u64 {
        self.window_ms.saturating_add(SLACK_MS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_single_spending_counts_for_its_window() {
        let mut recent = Recent::new(1_000);
        recent.add(2, Millis(500));
        recent.pass(Millis(1_509));
        assert_eq!(recent.units(), 2);
        assert_eq!(recent.free_at(1, Millis(1_509)), Millis(1_510));
        assert_eq!(recent.free_at(2, Millis(1_509)), Millis(1_509));
        recent.pass(Millis(1_510));
        assert_eq!(recent, Recent::new(1_000));
    }

    #[test]
    fn a_clock_that_moved_back_makes_nothing_older() {
        let mut recent = Recent::new(1_000);
        recent.add(2, Millis(5_000));
        recent.add(1, Millis(5_900));
        recent.lose_time(Millis(100));
        recent.pass(Millis(1_109));
        assert_eq!(recent.units(), 3);
        recent.pass(Millis(1_110));
        assert_eq!(recent.units(), 0);
    }

    proptest! {
        #[test]
        fn never_less_is_counted_than_was_spent_and_not_much_more(
            window_ms in 1..5_000_u64,
            steps in proptest::collection::vec((0..700_u64, 0..9_u64), 1..200),
        ) {
            let mut recent = Recent::new(window_ms);
            let (mut now, mut log) = (0, Vec::new());
            for (pause, units) in steps {
                now += pause;
                recent.pass(Millis(now));
                recent.add(units, Millis(now));
                log.push((now, units));
                let within = |span: u64| {
                    let recent = log.iter().filter(|(at, _)| at + span > now);
                    recent.map(|(_, units)| units).sum::<u64>()
                };
                let counted = recent.units();
                prop_assert!(counted >= within(window_ms));
                prop_assert!(counted <= within(window_ms + window_ms / 4 + SLACK_MS + 1));
                let free_at = recent.free_at(0, Millis(now));
                recent.clone().pass(free_at);
                let mut later = recent.clone();
                later.pass(free_at);
                prop_assert_eq!(later.units(), 0);
            }
        }
    }
}
