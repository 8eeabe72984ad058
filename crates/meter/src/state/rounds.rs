//! What a meter does by its alarm: tells the project's meter what it has counted, tells the
//! registry that its key was used, and tends its rows.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use keyward_core::metering::Subject;
use keyward_core::time::Millis;
use keyward_core::usage::{Minute, UsageReport};
use serde::{Deserialize, Serialize};

use crate::sums::SHORTEST_WAIT_MS;

/// How long after a minute its counts are sent at the earliest.
const SEND_AFTER_MS: u64 = 60_000;
/// How long after a failure it is tried again, at first; each further one doubles it.
const AGAIN_MS: u64 = 60_000;
/// The longest pause after failures.
const LONGEST_AGAIN_MS: u64 = 900_000;
/// How long after a use that the registry was told of it is told of the next one.
const SEEN_EVERY_MS: u64 = 3_600_000;
/// How often rows are tended at most.
const TEND_EVERY_MS: u64 = 6 * 3_600_000;

/// What was sent to the project's meter last, as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    /// Without minutes, it has arrived.
    pub(crate) report: UsageReport,
    /// How long after it the next is sent.
    wait_ms: u64,
}

/// What is due, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Rounds {
    /// The last report to the project's meter.
    pub(crate) last: Sent,
    /// The first minute of which something is in no report yet.
    pub(crate) unsent: Option<Minute>,
    /// Not before this is anything sent again that was not taken.
    send_pause: Pause,
    /// The last use of the key that the registry knows of: when its minute began.
    pub(crate) seen_told: Millis,
    /// The last minute in which it was used.
    pub(crate) used: Option<Minute>,
    seen_pause: Pause,
    /// When rows are to be tended next; none when there are none.
    pub(crate) tend_at: Option<Millis>,
}

/// The pause after failures.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    failures: u32,
    until: Option<Millis>,
}

impl Rounds {
    /// What was written of it, where it was.
    pub(crate) fn new(last: Option<Sent>, seen_told: Option<Millis>) -> Self {
        let first = UsageReport {
            number: 0,
            minutes: Vec::new(),
            pages: Vec::new(),
        };
        Self {
            last: last.unwrap_or_else(|| Sent::of(first)),
            unsent: None,
            send_pause: Pause::default(),
            seen_told: seen_told.unwrap_or(Millis(0)),
            used: None,
            seen_pause: Pause::default(),
            tend_at: None,
        }
    }

    /// Notes that something was counted that is to be sent.
    pub(crate) fn counted(&mut self, minute: Minute, calls: u64) {
        self.unsent = Some(self.unsent.map_or(minute, |first| first.min(minute)));
        if calls > 0 {
            self.used = self.used.max(Some(minute));
        }
    }

    /// When something is to be sent to the project's meter.
    pub(crate) fn send_at(&self) -> Option<Millis> {
        let next = Millis(self.last.report.number).plus(self.last.wait_ms);
        let due = if self.last.report.minutes.is_empty() {
            let minute = Minute(self.unsent?.0.saturating_add(1));
            next.max(minute.start().plus(SEND_AFTER_MS))
        } else {
            next
        };
        Some(self.send_pause.until.unwrap_or(due))
    }

    /// The number of the next report: its time, so that numbers go on where all else was forgotten.
    pub(crate) fn next_number(&self, now: Millis) -> u64 {
        self.last.report.number.saturating_add(1).max(now.0)
    }

    /// Something is being sent. What becomes of it is tried again after a pause, unless it is
    /// heard of.
    pub(crate) fn sending(&mut self, now: Millis) {
        self.send_pause.fail(now);
    }

    /// The project's meter has the report with this number, and says how long to wait until the
    /// next.
    pub(crate) fn sent(&mut self, number: u64, wait_ms: u64) {
        self.send_pause = Pause::default();
        if self.last.report.number == number {
            self.last.report.minutes.clear();
            self.last.wait_ms = wait_ms.max(SHORTEST_WAIT_MS);
        }
    }

    /// When the registry is to be told that the key was used.
    pub(crate) fn seen_at(&self) -> Option<Millis> {
        let used = self.used?.start();
        if used <= self.seen_told {
            return None;
        }
        let due = used
            .plus(SEND_AFTER_MS)
            .max(self.seen_told.plus(SEEN_EVERY_MS));
        Some(self.seen_pause.until.unwrap_or(due))
    }

    /// The registry is being told.
    pub(crate) fn telling(&mut self, now: Millis) {
        self.seen_pause.fail(now);
    }

    /// The registry knows that it was used in this minute.
    pub(crate) fn seen(&mut self, minute: Minute) {
        self.seen_pause = Pause::default();
        self.seen_told = minute.start();
    }

    /// Sets when rows are tended next, the first of them being due then: at a few times of the day,
    /// which are not the same for all meters.
    pub(crate) fn tend_from(&mut self, due: Option<Millis>, subject: &Subject, now: Millis) {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let offset = hasher.finish() % TEND_EVERY_MS;
        self.tend_at = due.map(|due| {
            let due = due.max(now.plus(1)).0.saturating_add(offset);
            Millis(due.next_multiple_of(TEND_EVERY_MS).saturating_sub(offset))
        });
    }

    /// When the alarm is to ring.
    pub(crate) fn wake_at(&self) -> Option<Millis> {
        let due = [self.send_at(), self.seen_at(), self.tend_at];
        due.into_iter().flatten().min()
    }
}

impl Sent {
    /// A report that is being sent.
    pub(crate) const fn of(report: UsageReport) -> Self {
        Self {
            report,
            wait_ms: SHORTEST_WAIT_MS,
        }
    }
}

impl Pause {
    fn fail(&mut self, now: Millis) {
        let pause = AGAIN_MS.saturating_mul(1 << self.failures.min(10));
        self.until = Some(now.plus(pause.min(LONGEST_AGAIN_MS)));
        self.failures = self.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use keyward_core::metering::Of;

    use super::*;

    const MINUTE: u64 = 60_000;

    fn sent(number: u64, minutes: &[u64]) -> Sent {
        let minutes = minutes
            .iter()
            .map(|first| (Minute(*first), Default::default()));
        Sent::of(UsageReport {
            number,
            minutes: minutes.collect(),
            pages: Vec::new(),
        })
    }

    #[test]
    fn a_minute_is_sent_a_minute_after_its_end() {
        let mut rounds = Rounds::new(None, None);
        assert_eq!(rounds.wake_at(), None);
        rounds.counted(Minute(102), 0);
        rounds.counted(Minute(100), 0);
        assert_eq!(rounds.wake_at(), Some(Millis(102 * MINUTE)));
    }

    #[test]
    fn reports_are_a_minute_apart_and_their_numbers_only_grow() {
        let mut rounds = Rounds::new(Some(sent(110 * MINUTE, &[])), None);
        rounds.counted(Minute(100), 0);
        assert_eq!(rounds.send_at(), Some(Millis(111 * MINUTE)));
        assert_eq!(rounds.next_number(Millis(111 * MINUTE)), 111 * MINUTE);
        assert_eq!(rounds.next_number(Millis(5)), 110 * MINUTE + 1);
    }

    #[test]
    fn the_next_report_waits_as_long_as_it_was_told() {
        let mut rounds = Rounds::new(Some(sent(110 * MINUTE, &[7])), None);
        rounds.sent(110 * MINUTE, 30 * MINUTE);
        rounds.counted(Minute(111), 0);
        assert_eq!(rounds.send_at(), Some(Millis(140 * MINUTE)));
        let again = Rounds::new(Some(rounds.last.clone()), None);
        assert_eq!(again.last.wait_ms, 30 * MINUTE);
        rounds.sent(110 * MINUTE, 0);
        assert_eq!(rounds.send_at(), Some(Millis(113 * MINUTE)));
    }

    #[test]
    fn what_is_not_taken_is_sent_again_after_longer_and_longer() {
        let mut rounds = Rounds::new(Some(sent(0, &[7])), None);
        let mut now = Millis(MINUTE);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            assert!(rounds.send_at().is_some_and(|due| due <= now));
            rounds.sending(now);
            let next = rounds.send_at().unwrap();
            pauses.push(next.since(now) / MINUTE);
            now = next;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 15, 15]);
        rounds.sent(1, 0);
        assert!(!rounds.last.report.minutes.is_empty(), "another report");
        rounds.sent(0, 0);
        assert_eq!(rounds.send_at(), None);
    }

    #[test]
    fn the_registry_hears_of_a_use_once_an_hour() {
        let mut rounds = Rounds::new(None, Some(Millis(100 * MINUTE)));
        rounds.used = Some(Minute(100));
        assert_eq!(rounds.seen_at(), None);
        rounds.counted(Minute(101), 0);
        assert_eq!(rounds.seen_at(), None, "a refused call is no use");
        rounds.counted(Minute(101), 1);
        assert_eq!(rounds.seen_at(), Some(Millis(160 * MINUTE)));
        rounds.telling(Millis(160 * MINUTE));
        assert_eq!(rounds.seen_at(), Some(Millis(161 * MINUTE)));
        rounds.counted(Minute(160), 1);
        rounds.seen(Minute(101));
        assert_eq!(
            rounds.seen_at(),
            Some(Millis(161 * MINUTE)),
            "what was counted meanwhile"
        );
        rounds.seen(Minute(160));
        assert_eq!(rounds.seen_at(), None);
        rounds.counted(Minute(300), 1);
        assert_eq!(rounds.seen_at(), Some(Millis(301 * MINUTE)));
    }

    #[test]
    fn rows_are_tended_when_they_are_due_or_a_little_later() {
        let mut rounds = Rounds::new(None, None);
        for key in 0..100_u64 {
            let subject = Subject {
                project: "acme".to_owned(),
                of: Of::Key(format!("key_{key}")),
            };
            for (due, now) in [(key * 12_345_678, 0), (5, key * 12_345_678)] {
                rounds.tend_from(Some(Millis(due)), &subject, Millis(now));
                let tend_at = rounds.tend_at.unwrap();
                let earliest = due.max(now + 1);
                assert!((earliest..earliest + TEND_EVERY_MS).contains(&tend_at.0));
                rounds.tend_from(Some(Millis(due)), &subject, tend_at);
                assert!(rounds.tend_at.unwrap().since(tend_at) == TEND_EVERY_MS);
            }
            rounds.tend_from(None, &subject, Millis(0));
            assert_eq!(rounds.tend_at, None);
        }
    }
}
