//! What a meter keeps of one isolate: its leases, and which of its asks have been answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::lease::message::Report;
use crate::time::Millis;

/// How long a lease that is over waits for its report.
pub(super) const LATE_MS: u64 = 600_000;
/// How long an isolate without leases is remembered, so that its old asks grant nothing.
pub(super) const SILENT_MS: u64 = 3_600_000;
/// How many asks that others have overtaken are waited for.
const OVERTAKEN: u64 = 16;
/// What an isolate's clock may lag behind between two of its readings.
const LAG_MS: u64 = 5;

/// An isolate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Isolate {
    /// When it asked last.
    pub(super) seen: Millis,
    /// The highest number that it asked with.
    highest: u64,
    /// Lower numbers that have not come yet, and may still be granted something.
    overtaken: BTreeSet<u64>,
    leases: BTreeMap<u64, Lease>,
}

/// A lease that is not closed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lease {
    granted: Millis,
    /// When it is over.
    pub(super) end: Millis,
    pub(super) amount: u64,
    spent: u64,
    /// It is over, and what was open then counts as spent.
    settled: bool,
}

/// What a report changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    /// The end of the lease.
    pub(super) end: Millis,
    /// Units spent that were not known to be, and do not count as spent in a rate window yet.
    pub(super) spent: u64,
    /// The last moment at which they can have been spent.
    pub(super) at: Millis,
    /// Units that come back.
    pub(super) unspent: u64,
    /// What was open at that end counts as spent.
    pub(super) settled: bool,
}

impl Isolate {
    pub(super) const fn new(now: Millis) -> Self {
        Self {
            seen: now,
            highest: 0,
            overtaken: BTreeSet::new(),
            leases: BTreeMap::new(),
        }
    }

    /// Notes an ask; whether it may be granted something: it has not been answered before, and
    /// is not older than a lease that is closed.
    pub(super) fn arrives(&mut self, number: u64, now: Millis) -> bool {
        self.seen = now;
        if number <= self.highest {
            return self.overtaken.remove(&number);
        }
        let first = number
            .saturating_sub(OVERTAKEN)
            .max(self.highest.saturating_add(1));
        self.overtaken.extend(first..number);
        while self.overtaken.len() as u64 > OVERTAKEN {
            self.overtaken.pop_first();
        }
        self.highest = number;
        true
    }

    /// Takes in that a lease, or an ask that may become one, is closed: older asks are granted
    /// nothing any more. Whether that is news.
    pub(super) fn close(&mut self, number: u64) -> bool {
        let before = self.overtaken.len();
        self.overtaken.retain(|overtaken| *overtaken > number);
        self.overtaken.len() < before
    }

    /// Takes in a report of a lease that is kept.
    pub(super) fn hear(&mut self, report: &Report, now: Millis) -> Option<News> {
        let lease = self.leases.get_mut(&report.number)?;
        let before = lease.spent;
        // No lease is spent twice, and none is unspent again by a report that was overtaken.
        lease.spent = report.spent.min(lease.amount).max(before);
        let forward_ms = report.held_ms.saturating_sub(now.since(lease.granted));
        let age_ms = report.age_ms.saturating_sub(forward_ms);
        let last = now.0.saturating_sub(age_ms.saturating_sub(LAG_MS));
        let news = News {
            end: lease.end,
            spent: if lease.settled {
                0
            } else {
                lease.spent.saturating_sub(before)
            },
            at: Millis(last).max(lease.granted).min(lease.end),
            unspent: if report.closed { lease.open() } else { 0 },
            settled: lease.settled,
        };
        if report.closed {
            self.leases.remove(&report.number);
        }
        Some(news)
    }

    /// The lease that was granted to an ask.
    pub(super) fn lease(&self, number: u64) -> Option<&Lease> {
        self.leases.get(&number)
    }

    /// All its leases, by number.
    pub(super) fn leases(&self) -> impl Iterator<Item = (u64, &Lease)> {
        self.leases.iter().map(|(number, lease)| (*number, lease))
    }

    /// Units that it may be spending.
    pub(super) fn open(&self) -> u64 {
        let live = self.leases.values().filter(|lease| !lease.settled);
        live.map(Lease::open).fold(0, u64::saturating_add)
    }

    /// Keeps a lease.
    pub(super) fn keep(
        &mut self,
        number: u64,
        amount: u64,
        granted: Millis,
        end: Millis,
    ) -> &Lease {
        self.leases.entry(number).or_insert(Lease {
            granted,
            end,
            amount,
            spent: 0,
            settled: false,
        })
    }

    /// Settles a lease that is over.
    pub(super) fn settle(&mut self, number: u64) -> Option<&Lease> {
        let lease = self.leases.get_mut(&number)?;
        lease.settled = true;
        Some(lease)
    }

    /// Forgets a lease.
    pub(super) fn forget(&mut self, number: u64) -> Option<Lease> {
        self.leases.remove(&number)
    }

    /// Whether there is nothing that a report could be about.
    pub(super) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }
}

impl Lease {
    /// Units that are not known to be spent.
    pub(super) const fn open(&self) -> u64 {
        self.amount.saturating_sub(self.spent)
    }

    /// Whether it is over, and what was open then counts as spent.
    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// How long it was granted for.
    pub(super) const fn hold_ms(&self) -> u64 {
        self.end.since(self.granted)
    }
}
