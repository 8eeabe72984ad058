//! What a meter does by its alarm, as far as it concerns what is written.

use keyward_core::metering::{Of, Passed};
use keyward_core::time::Millis;
use keyward_core::usage::{Minute, UsageReport};
use keyward_edge::storage::{Storage, StorageError};

use super::rounds::Sent;
use super::{MARKS, PAGES, REPORT, SEEN, State};
use crate::{sums, usage};

/// So long after it has something to tend, a meter tends it first.
const FIRST_TEND_MS: u64 = 24 * 3_600_000;
/// So many minutes are in one report to the project's meter: more than pass between two.
const MOST_MINUTES: u64 = 120;

/// What has become of a meter after its rows were tended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tended {
    /// It has something to keep.
    Kept,
    /// It has nothing that could not be asked for again.
    Over,
}

impl State {
    /// When the alarm is to ring; none when nothing is ever due.
    pub(crate) fn wake_at(&self) -> Option<Millis> {
        let due = [self.rounds.wake_at(), self.pages.due(), self.marks.due()];
        due.into_iter().flatten().min()
    }

    /// Sets when rows are tended next, by what is written.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn plan(&mut self, storage: &Storage, now: Millis) -> Result<(), StorageError> {
        let isolates = self.isolates.values();
        let forgotten = isolates.map(|isolate| isolate.forgotten_at()).min();
        let due = [forgotten, usage::first_old(storage)?];
        let due = due.into_iter().flatten().min();
        self.rounds.tend_from(due, &self.subject, now);
        Ok(())
    }

    /// Something was added that is to be tended some day.
    pub(crate) fn tend_some_day(&mut self, now: Millis) {
        if self.rounds.tend_at.is_none() {
            let first = now.plus(FIRST_TEND_MS);
            self.rounds.tend_from(Some(first), &self.subject, now);
        }
    }

    /// Tends the rows, if that is due.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) fn tend(&mut self, storage: &Storage, now: Millis) -> Result<Tended, StorageError> {
        if self.rounds.tend_at.is_none_or(|due| now < due) {
            return Ok(Tended::Kept);
        }
        usage::roll_up(storage, now)?;
        let has_sources = sums::forget(storage, now)?;
        let silent = self
            .isolates
            .extract_if(.., |_, isolate| isolate.forgotten_at() <= now);
        self.changed.isolates.extend(silent.map(|(id, _)| id));
        let is_limited = self.standing(now).is_some_and(|limits| !limits.is_empty());
        self.plan(storage, now)?;
        let is_over = self.wake_at().is_none() && !has_sources && !is_limited;
        Ok(if is_over { Tended::Over } else { Tended::Kept })
    }

    /// The report that is to be sent to the project's meter now: with the id of the key.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) fn next_report(
        &mut self,
        storage: &Storage,
        now: Millis,
    ) -> Result<Option<(String, UsageReport)>, StorageError> {
        let Of::Key(key) = &self.subject.of else {
            return Ok(None);
        };
        if self.rounds.send_at().is_none_or(|due| now < due) {
            return Ok(None);
        }
        if let (true, Some(from)) = (
            self.rounds.last.report.minutes.is_empty(),
            self.rounds.unsent,
        ) {
            let minutes = usage::take_unsent(storage, from, MOST_MINUTES)?;
            self.rounds.unsent = usage::first_unsent(storage, from)?;
            if minutes.is_empty() {
                return Ok(None);
            }
            let number = self.rounds.next_number(now);
            self.rounds.last = Sent::of(UsageReport {
                number,
                minutes,
                pages: Vec::new(),
            });
            self.changed.parts.insert(REPORT);
        }
        self.rounds.sending(now);
        Ok(Some((key.clone(), self.rounds.last.report.clone())))
    }

    /// The project's meter has taken the report with this number.
    pub(crate) fn sent(&mut self, number: u64, wait_ms: u64) {
        self.rounds.sent(number, wait_ms);
        self.changed.parts.insert(REPORT);
    }

    /// The id of the key and the last minute in which it was used, if the registry is to be told of
    /// that now.
    pub(crate) fn next_seen(&mut self, now: Millis) -> Option<(String, Minute)> {
        let Of::Key(key) = &self.subject.of else {
            return None;
        };
        if self.rounds.seen_at().is_none_or(|due| now < due) {
            return None;
        }
        let minute = self.rounds.used?;
        self.rounds.telling(now);
        Some((key.clone(), minute))
    }

    /// The id of the key and the pages that have sent it, if the registry is to be told of them now.
    pub(crate) fn next_pages(&mut self, now: Millis) -> Option<(String, Vec<String>)> {
        let Of::Key(key) = &self.subject.of else {
            return None;
        };
        let pages = self.pages.next(now)?;
        Some((key.clone(), pages))
    }

    /// The registry knows of these pages.
    pub(crate) fn told_pages(&mut self, pages: &[String]) {
        self.pages.told(pages);
        self.changed.parts.insert(PAGES);
    }

    /// Looks whether thresholds of limits were passed.
    pub(crate) fn watch(&mut self, now: Millis) {
        if let Some(informed) = &mut self.informed {
            let much = informed.meter.much_taken(now);
            if self.marks.note(&much, informed.known.credited, now) {
                self.changed.parts.insert(MARKS);
            }
        }
    }

    /// The thresholds of which the registry is to be told now.
    pub(crate) fn next_passed(&mut self, now: Millis) -> Option<Vec<Passed>> {
        self.marks.next(now)
    }

    /// The registry knows of these thresholds.
    pub(crate) fn told_passed(&mut self, passed: &[Passed], now: Millis) {
        self.marks.told(passed, now);
        self.changed.parts.insert(MARKS);
    }

    /// The registry knows that the key was used in this minute.
    pub(crate) fn seen(&mut self, minute: Minute) {
        self.rounds.seen(minute);
        self.changed.parts.insert(SEEN);
    }
}
