//! Thresholds of limits that were passed: the registry hears of each once in a period.
//!
//! A limit that is another, because its number or its period was changed or its credits were, has
//! thresholds of its own.

use keyward_core::lease::meter::{Spent, THRESHOLDS, reaches};
use keyward_core::metering::Passed;
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};

/// How long after a failure the registry is told again.
const AGAIN_MS: u64 = 60_000;
/// So long after what is taken has passed a threshold it is looked whether it is spent, when nobody
/// asks meanwhile.
const LOOK_MS: u64 = 10_000;
/// So many that were told are known at most: whoever changes limits on and on is told again.
const MOST_TOLD: usize = 64;

/// What was passed, and when the registry is told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marks {
    /// Those of which the registry has not heard. They are few: where it is away for an hour, nobody
    /// is answered and nothing is spent.
    waiting: Vec<Passed>,
    /// Those of which it has, until their period is over.
    told: Vec<Passed>,
    #[serde(skip)]
    again_at: Option<Millis>,
    #[serde(skip)]
    look_at: Option<Millis>,
}

impl Marks {
    /// Notes what has been passed; whether that is anything new. `credited` is the number of the
    /// newest change of credits.
    pub(crate) fn note(&mut self, much: &[Spent], credited: u64, now: Millis) -> bool {
        if self.look_at.is_some_and(|at| at <= now) {
            self.look_at = None;
        }
        let mut is_new = false;
        for (limit, percent) in much.iter().flat_map(|one| THRESHOLDS.map(|all| (one, all))) {
            if !reaches(limit.taken, limit.limit, percent) {
                continue;
            }
            let passed = Passed::new(limit, percent, credited, now);
            let mut known = self.waiting.iter().chain(&self.told);
            if known.any(|known| known.is_same(&passed)) {
                continue;
            }
            if reaches(limit.spent, limit.limit, percent) {
                self.waiting.push(passed);
                is_new = true;
            } else if self.look_at.is_none() {
                self.look_at = Some(now.plus(LOOK_MS));
            }
        }
        is_new
    }

    /// When there is something to do.
    pub(crate) fn due(&self) -> Option<Millis> {
        let first = self.waiting.first();
        let tell = first.map(|first| self.again_at.unwrap_or(first.at));
        tell.into_iter().chain(self.look_at).min()
    }

    /// What the registry is told now. That it has not heard of it is tried again after a pause.
    pub(crate) fn next(&mut self, now: Millis) -> Option<Vec<Passed>> {
        if self.waiting.is_empty() || self.again_at.is_some_and(|at| now < at) {
            return None;
        }
        self.again_at = Some(now.plus(AGAIN_MS));
        Some(self.waiting.clone())
    }

    /// It has heard of these.
    pub(crate) fn told(&mut self, passed: &[Passed], now: Millis) {
        self.again_at = None;
        self.waiting.retain(|waiting| !passed.contains(waiting));
        self.told.extend_from_slice(passed);
        self.told
            .retain(|told| told.until.is_none_or(|until| now < until));
        let over = self.told.len().saturating_sub(MOST_TOLD);
        self.told.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use keyward_core::lease::message::Sort;

    use super::*;

    const NOW: Millis = Millis(1_000_000);

    fn much(spent: u64, taken: u64) -> Spent {
        Spent {
            name: "day".to_owned(),
            sort: Sort::Quota,
            limit: 10,
            spent,
            taken,
            until: Some(Millis(5_000_000)),
        }
    }

    fn percents(passed: Option<Vec<Passed>>) -> Vec<u64> {
        let passed = passed.unwrap_or_default().into_iter();
        passed.map(|one| one.percent).collect()
    }

    #[test]
    fn each_threshold_is_told_once_in_a_period() {
        let mut marks = Marks::default();
        assert!(!marks.note(&[much(7, 8)], 0, NOW));
        assert_eq!(marks.due(), Some(NOW.plus(LOOK_MS)), "it is not spent yet");
        assert!(marks.note(&[much(8, 8)], 0, NOW));
        assert!(!marks.note(&[much(9, 9)], 0, NOW));
        let told = marks.next(NOW).unwrap();
        assert_eq!(percents(Some(told.clone())), [80]);
        marks.told(&told, NOW);
        assert!(!marks.note(&[much(9, 9)], 0, NOW.plus(LOOK_MS)));
        assert_eq!(marks.due(), None);
        assert!(marks.note(&[much(10, 10)], 0, NOW));
        assert_eq!(percents(marks.next(NOW)), [100]);
        let mut next = much(10, 10);
        next.until = Some(Millis(9_000_000));
        assert!(marks.note(&[next], 0, Millis(5_000_000)));
        assert_eq!(percents(marks.next(Millis(5_000_000))), [100, 80, 100]);
    }

    #[test]
    fn another_number_is_another_limit_and_so_are_credits_that_were_added() {
        let mut marks = Marks::default();
        let tell = |marks: &mut Marks, much: Spent, credited| {
            marks.note(&[much], credited, NOW);
            let told = marks.next(NOW).unwrap_or_default();
            marks.told(&told, NOW);
            told.len()
        };
        assert_eq!(tell(&mut marks, much(8, 8), 0), 1);
        let mut raised = much(16, 16);
        raised.limit = 20;
        assert_eq!(tell(&mut marks, raised.clone(), 0), 1);
        assert_eq!(tell(&mut marks, raised, 0), 0);
        assert_eq!(tell(&mut marks, much(8, 8), 0), 0, "told already");
        let mut credits = much(8, 8);
        credits.sort = Sort::Credits;
        credits.until = None;
        assert_eq!(tell(&mut marks, credits.clone(), 1), 1);
        assert_eq!(tell(&mut marks, credits.clone(), 1), 0);
        assert_eq!(tell(&mut marks, credits, 2), 1);
    }

    #[test]
    fn what_was_not_heard_of_is_told_again_also_after_a_restart() {
        let mut marks = Marks::default();
        marks.note(&[much(10, 10)], 0, NOW);
        assert_eq!(percents(marks.next(NOW)), [80, 100]);
        assert_eq!(marks.next(NOW), None);
        assert_eq!(marks.due(), Some(NOW.plus(AGAIN_MS)));
        let text = serde_json::to_string(&marks).unwrap();
        let mut again: Marks = serde_json::from_str(&text).unwrap();
        assert!(again.due().is_some_and(|due| due <= NOW));
        assert_eq!(percents(again.next(NOW)), [80, 100]);
    }

    #[test]
    fn no_more_is_known_than_there_is_a_place_for() {
        let mut marks = Marks::default();
        for limit in 1..200 {
            let one = Spent {
                limit,
                ..much(limit, limit)
            };
            marks.note(&[one], 0, NOW);
            let told = marks.next(NOW).unwrap();
            marks.told(&told, NOW);
        }
        assert_eq!(marks.told.len(), MOST_TOLD);
    }
}
