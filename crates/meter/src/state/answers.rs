//! What a meter answers, from what it has in memory.

use std::collections::BTreeMap;

use keyward_core::lease::LONGEST_MS;
use keyward_core::lease::message::Standing;
use keyward_core::metering::{Exchange, Exchanged, Knowledge, Of, Told};
use keyward_core::time::Millis;
use keyward_core::usage::{Counts, Minute, UsageReport};
use keyward_edge::storage::{Storage, StorageError};

use super::answered::Answered;
use super::known::Informed;
use super::{KNOWN, PAGES, State};
use crate::usage;

/// How old what is known is, from where somebody is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// It is new enough.
    Nothing,
    /// The registry is to be asked, and is waited for but shortly: there is something to go on with.
    News,
    /// The registry is to be asked: without its answer there is none.
    All,
}

impl State {
    /// What has to be asked of the registry before somebody is answered who holds this version.
    pub(crate) fn needs(&self, version: u64, now: Millis) -> Needs {
        match self.informed.as_ref().map(|informed| &informed.known) {
            None => Needs::All,
            Some(known) if known.is_too_old(now) => Needs::All,
            Some(known) if known.is_old(now) || known.version < version => Needs::News,
            Some(_) => Needs::Nothing,
        }
    }

    /// The version that is known.
    pub(crate) fn version(&self) -> Option<u64> {
        self.informed
            .as_ref()
            .map(|informed| informed.known.version)
    }

    /// Takes in what the registry knows.
    pub(crate) fn learn(&mut self, told: Knowledge, now: Millis) {
        let leases = self.isolates.values().map(Answered::leased_until);
        let leased_until = leases.max().unwrap_or(now);
        let before = self.informed.take();
        self.informed = Some(Informed::learn(before, told, leased_until, now));
        self.changed.parts.insert(KNOWN);
        self.tend_some_day(now);
        self.watch(now);
    }

    /// Takes in what the registry answers, which is asked again in a while, also where that is
    /// older than what is known: then it has been set back and will go above it, or it has told of
    /// something newer meanwhile.
    pub(crate) fn pulled(&mut self, answer: Knowledge, now: Millis) {
        self.learn(answer, now);
        if let Some(informed) = &mut self.informed {
            informed.known.confirm(now);
        }
    }

    /// The registry knew of no such thing when it was asked; unless it has told of it since: then
    /// what is known is not this `version` any more. `held` is the version that somebody has.
    pub(crate) fn gone(&mut self, version: Option<u64>, held: u64, now: Millis) {
        if self.version() == version {
            self.informed = Some(Informed::gone(self.informed.take(), held, now));
            self.changed.parts.insert(KNOWN);
            self.tend_some_day(now);
        }
    }

    /// Answers an isolate, and says whether its usage report is new; none when nothing is known.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) fn exchange(
        &mut self,
        storage: &Storage,
        exchange: &Exchange,
        now: Millis,
    ) -> Result<Option<(Exchanged, bool)>, StorageError> {
        let Some(Informed { known, meter }) = self.informed.as_mut() else {
            return Ok(None);
        };
        let answer = meter.take(&exchange.ask, now);
        let id = exchange.ask.isolate;
        let isolate = self
            .isolates
            .entry(id)
            .or_insert_with(|| Answered::new(now));
        let of_key = matches!(self.subject.of, Of::Key(_));
        // Who says nothing of the record that it holds is told nothing of it, and may hold an old
        // one. The limits of an owner come with every answer.
        let version = (!of_key || exchange.holds.is_some()).then_some(known.version);
        let lives = isolate.answer(version, now, now.plus(answer.lease_ms));
        let report = exchange.usage.as_ref().filter(|_| of_key);
        let new = report.filter(|report| isolate.takes(report.number));
        if lives || new.is_some() {
            self.changed.isolates.insert(id);
        }
        let exchanged = Exchanged {
            answer,
            news: exchange.holds.as_ref().and_then(|holds| known.news(holds)),
            usage: Some(isolate.reported).filter(|number| *number > 0),
        };
        if let Some(report) = new {
            self.count(storage, report, now)?;
        }
        self.watch(now);
        Ok(Some((exchanged, new.is_some())))
    }

    fn count(
        &mut self,
        storage: &Storage,
        report: &UsageReport,
        now: Millis,
    ) -> Result<(), StorageError> {
        if self.pages.add(&report.pages, now) {
            self.changed.parts.insert(PAGES);
        }
        // Several of its minutes may be counted as one: a row is written once.
        let mut minutes = BTreeMap::<Minute, Counts>::new();
        for (minute, counts) in &report.minutes {
            let sum = minutes.entry(minute.reported(now)).or_default();
            sum.take_in(counts);
        }
        for (minute, counts) in minutes.into_iter().filter(|(_, counts)| !counts.is_empty()) {
            usage::add(storage, minute, &counts, true)?;
            self.rounds.counted(minute, counts.calls);
        }
        Ok(())
    }

    /// Answers the registry, which has told of this version.
    pub(crate) fn told(&self, version: u64, now: Millis) -> Told {
        let until = self
            .isolates
            .values()
            .map(|isolate| isolate.older_than(version));
        let known = self.informed.as_ref().map(|informed| &informed.known);
        let until = until.chain(known.map(|known| known.credited_until));
        let leased_ms = until.map(|until| until.since(now)).max().unwrap_or(0);
        Told {
            version: self.version().unwrap_or(0),
            // No lease is longer, whatever the clock has done.
            leased_ms: leased_ms.min(LONGEST_MS),
            credits: known.map_or(0, |known| known.credited),
        }
    }

    /// How the limits stand; none when nothing is known.
    pub(crate) fn standing(&mut self, now: Millis) -> Option<Vec<Standing>> {
        let meter = self.informed.as_mut().map(|informed| &mut informed.meter);
        meter.map(|meter| meter.standing(now))
    }
}
