//! The parts that a meter is written in, each as JSON under a name of its own.
//!
//! `limits` is what was set; `limit/<name>` and `credits` are counts, and `isolate/<id>` is an
//! isolate with its leases. The latest time is that of the newest part: `clock` is written where no
//! other shows it. The pace is not written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::counter::Counter;
use super::index::Index;
use super::isolate::Isolate;
use super::pace::Pace;
use super::{Meter, windows};
use crate::limits::Limits;
use crate::time::Millis;

pub(super) const CLOCK: &str = "clock";
pub(super) const LIMITS: &str = "limits";
const ISOLATE: &str = "isolate/";

/// The name of an isolate's part.
pub(super) fn isolate(id: u64) -> String {
    format!("{ISOLATE}{id}")
}

impl Meter {
    /// The parts that have changed since this was asked last, by name; one without JSON is to be
    /// deleted.
    pub fn changed(&mut self) -> Vec<(String, Option<String>)> {
        let names = std::mem::take(&mut self.changed);
        names
            .into_iter()
            .map(|name| {
                let json = self.part(&name);
                (name, json)
            })
            .collect()
    }

    /// Takes what has changed for written, and says how many parts that are.
    pub fn skip_changed(&mut self) -> usize {
        std::mem::take(&mut self.changed).len()
    }

    /// The meter that was written; `None` when its parts are not all there, or cannot be read.
    /// `bears`: as in [`Meter::new`].
    pub fn restore(parts: impl Iterator<Item = (String, String)>, bears: u64) -> Option<Self> {
        let mut limits: Option<Limits> = None;
        let mut clock: Option<Millis> = None;
        let mut counts: BTreeMap<String, Counter> = BTreeMap::new();
        let mut isolates: BTreeMap<u64, Isolate> = BTreeMap::new();
        for (name, json) in parts {
            if name == LIMITS {
                limits = Some(serde_json::from_str(&json).ok()?);
            } else if name == CLOCK {
                clock = Some(serde_json::from_str(&json).ok()?);
            } else if let Some(id) = name.strip_prefix(ISOLATE) {
                isolates.insert(id.parse().ok()?, serde_json::from_str(&json).ok()?);
            } else {
                counts.insert(name, serde_json::from_str(&json).ok()?);
            }
        }
        let seen = isolates.values().map(|isolate| isolate.seen);
        let (limits, clock) = (limits?, seen.fold(clock?, Millis::max));
        // The limits say which counts there must be, and in which order.
        let counters = Counter::all(&limits, 0, clock)
            .into_iter()
            .map(|counter| {
                let count = counts.remove(&counter.part())?;
                count.is_same(&counter).then_some(count)
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            limits,
            index: Index::of(&isolates, windows(&counters), clock),
            counters,
            written: isolates.keys().copied().collect(),
            isolates,
            clock,
            pace: Pace::new(bears, clock),
            changed: BTreeSet::new(),
        })
    }

    fn part(&self, name: &str) -> Option<String> {
        if name == LIMITS {
            return json(&self.limits);
        }
        if name == CLOCK {
            return json(&self.clock);
        }
        if let Some(id) = name.strip_prefix(ISOLATE) {
            return json(self.isolates.get(&id.parse().ok()?)?);
        }
        let mut counters = self.counters.iter();
        json(counters.find(|counter| counter.part() == name)?)
    }
}

/// Nothing here fails to serialise: no maps but with integer keys, no foreign types.
fn json(part: &impl Serialize) -> Option<String> {
    serde_json::to_string(part).ok()
}
