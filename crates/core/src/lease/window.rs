//! What was spent in a sliding window.
//!
//! A window of 10 s and one of a month are kept alike, in about `PARTS` sums: a spending is
//! entered at the end of the part of the window in which it fell. So it is forgotten up to one part
//! too late and never too early, and what is counted is never less than what was spent.
//!
//! A window is counted from one moment on: when its limit came. What was entered for a moment
//! after that can be taken back from it.

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// In how many parts a window is counted: one part is what rounding costs, less than 1 %.
const PARTS: u64 = 128;

/// A log of units in a window that slides.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    window_ms: u64,
    /// From when on it is counted.
    from: Millis,
    /// Ends of parts and the units spent in them, earliest first, each part once.
    sums: Vec<(Millis, u64)>,
}

impl Window {
    /// An empty log for a window of so many seconds, which begins now.
    #[must_use]
    pub const fn new(window_s: u64, now: Millis) -> Self {
        Self {
            window_ms: window_s.saturating_mul(1_000),
            from: now,
            sums: Vec::new(),
        }
    }

    /// Enters units that were spent, or may be spent yet, at a point in time: earlier or later than
    /// any other.
    pub fn add(&mut self, at: Millis, units: u64) {
        if units == 0 {
            return;
        }
        let (end, place) = self.part(at);
        match self.sums.get_mut(place) {
            Some((time, sum)) if *time == end => *sum = sum.saturating_add(units),
            _ => self.sums.insert(place, (end, units)),
        }
    }

    /// Takes units back that were entered for a point in time and were not spent after all;
    /// whether they were entered here, and counted yet.
    pub fn take_back(&mut self, at: Millis, units: u64) -> bool {
        let (end, place) = self.part(at);
        match self.sums.get_mut(place) {
            Some((time, sum)) if *time == end && at > self.from && units > 0 => {
                *sum = sum.saturating_sub(units);
                true
            }
            _ => false,
        }
    }

    /// The end of the part in which a point in time is, and its place among the sums.
    fn part(&self, at: Millis) -> (Millis, usize) {
        let part_ms = (self.window_ms / PARTS).max(1);
        let end = Millis(at.0.div_ceil(part_ms).saturating_mul(part_ms));
        (end, self.sums.partition_point(|(time, _)| *time < end))
    }

    /// The units that count now, those of later points in time among them. What is older is
    /// forgotten, so a clock that moves back does not bring it up again.
    pub fn used(&mut self, now: Millis) -> u64 {
        let window_ms = self.window_ms;
        self.sums
            .retain(|(time, sum)| *sum > 0 && time.plus(window_ms) > now);
        let units = self.sums.iter().map(|(_, units)| *units);
        units.fold(0, u64::saturating_add)
    }

    /// When, from now on, at most `most` units count; now if it is so already. `None` is never, and
    /// only for what was entered at the end of all time.
    #[must_use]
    pub fn free_at(&self, now: Millis, most: u64) -> Option<Millis> {
        let mut units = 0_u64;
        for (time, sum) in self.sums.iter().rev() {
            units = units.saturating_add(*sum);
            if units > most {
                let end = Millis(time.0.checked_add(self.window_ms)?);
                return Some(end.max(now));
            }
        }
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn exact(log: &[(u64, u64)], window_ms: u64, now: u64) -> u64 {
        let counts = |(at, _): &&(u64, u64)| at + window_ms > now;
        log.iter().filter(counts).map(|(_, units)| units).sum()
    }

    #[test]
    fn a_unit_counts_until_its_window_is_over() {
        let mut window = Window::new(128, Millis(0));
        window.add(Millis(5_000), 2);
        window.add(Millis(7_000), 1);
        assert_eq!(window.used(Millis(0)), 3);
        assert_eq!(window.free_at(Millis(6_000), 3), Some(Millis(6_000)));
        assert_eq!(window.free_at(Millis(6_000), 2), Some(Millis(133_000)));
        assert_eq!(window.free_at(Millis(6_000), 0), Some(Millis(135_000)));
        assert_eq!(window.used(Millis(132_999)), 3);
        assert_eq!(window.used(Millis(133_000)), 1);
        assert_eq!(window.used(Millis(135_000)), 0);
        assert_eq!(window.free_at(Millis(135_000), 0), Some(Millis(135_000)));
    }

    #[test]
    fn what_was_not_spent_is_taken_back_if_it_was_entered_here() {
        let mut window = Window::new(128, Millis(5_000));
        window.add(Millis(5_500), 3);
        window.add(Millis(6_000), 4);
        // Both are in one part, and what comes back for a moment before the window is of another.
        assert!(!window.take_back(Millis(5_000), 3));
        assert!(!window.take_back(Millis(7_000), 3));
        assert_eq!(window.used(Millis(7_000)), 7);
        assert!(window.take_back(Millis(5_500), 3));
        assert_eq!(window.used(Millis(7_000)), 4);
        assert!(window.take_back(Millis(6_000), 4));
        assert_eq!(window.used(Millis(7_000)), 0);
        assert!(!window.take_back(Millis(6_000), 4));
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        let mut window = Window::new(u64::MAX, Millis(0));
        window.add(Millis(u64::MAX), u64::MAX);
        window.add(Millis(1), u64::MAX);
        assert_eq!(window.used(Millis(1)), u64::MAX);
        assert_eq!(window.free_at(Millis(1), 0), None);
    }

    #[test]
    fn a_busy_window_stays_small() {
        for window_s in [1, 10, 60, 3_600, 2_678_400] {
            let mut window = Window::new(window_s, Millis(0));
            let step = window_s; // A thousandth of it.
            for at in (0..3_000).map(|turn| turn * step) {
                window.add(Millis(at), 1);
                window.used(Millis(at));
            }
            assert!(window.sums.len() <= 145, "{}", window.sums.len());
        }
    }

    proptest! {
        #[test]
        fn nothing_is_undercounted_and_rounding_costs_one_percent(
            window_s in 1_u64..100,
            turns in vec((0_u64..40_000, -40_000_i64..40_000, 1_u64..5), 1..300),
        ) {
            let mut window = Window::new(window_s, Millis(0));
            let window_ms = window_s * 1_000;
            let (mut now, mut log) = (100_000_u64, Vec::new());
            for (pause, ago, units) in turns {
                now += pause * window_s / 100;
                let at = now.saturating_add_signed(ago * window_s as i64 / 40);
                window.add(Millis(at), units);
                log.push((at, units));
                let used = window.used(Millis(now));
                prop_assert!(used >= exact(&log, window_ms, now));
                prop_assert!(used <= exact(&log, window_ms + window_ms / 100, now));
            }
        }

        #[test]
        fn what_is_free_at_a_time_is_not_free_before(
            entries in vec((0_u64..20_000, 1_u64..5), 0..50),
            now in 0_u64..20_000,
            most in 0_u64..60,
        ) {
            let mut window = Window::new(10, Millis(0));
            for (at, units) in entries {
                window.add(Millis(at), units);
            }
            let at = window.free_at(Millis(now), most).unwrap();
            prop_assert!(window.clone().used(at) <= most);
            if at > Millis(now) {
                prop_assert!(window.used(Millis(at.0 - 1)) > most);
            }
        }

        #[test]
        fn a_log_survives_being_written(entries in vec((0_u64..20_000, 1_u64..5), 0..50)) {
            let mut window = Window::new(10, Millis(0));
            for (at, units) in entries {
                window.add(Millis(at), units);
            }
            let text = serde_json::to_string(&window).unwrap();
            prop_assert_eq!(serde_json::from_str::<Window>(&text).unwrap(), window);
        }
    }
}
