//! What a meter keeps of one isolate: its leases, and which of its asks have been answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::lease::message::Report;
use crate::time::Millis;

/// How long a lease that is over waits for its report.
const LATE_MS: u64 = 600_000;
/// How long an isolate without leases is remembered, so that its old asks grant nothing.
const SILENT_MS: u64 = 3_600_000;
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

    /// Takes in a report.
    pub(super) fn hear(&mut self, report: &Report, now: Millis) -> Option<News> {
        if report.closed {
            self.overtaken.retain(|number| *number > report.number);
        }
        let lease = self.leases.get_mut(&report.number)?;
        let before = lease.spent;
        // No lease is spent twice, and none is unspent again by a report that was overtaken.
        lease.spent = report.spent.min(lease.amount).max(before);
        let last = now.0.saturating_sub(report.age_ms.saturating_sub(LAG_MS));
        let news = News {
            end: lease.end,
            spent: if lease.settled {
                0
            } else {
                lease.spent.saturating_sub(before)
            },
            at: Millis(last).max(lease.granted).min(lease.end),
            unspent: if report.closed { lease.open() } else { 0 },
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

    /// Keeps a lease.
    pub(super) fn keep(&mut self, number: u64, amount: u64, granted: Millis, end: Millis) {
        let lease = Lease {
            granted,
            end,
            amount,
            spent: 0,
            settled: false,
        };
        self.leases.insert(number, lease);
    }

    /// The leases that end after a moment.
    pub(super) fn ending_after(&self, moment: Millis) -> impl Iterator<Item = &Lease> {
        self.leases.values().filter(move |lease| lease.end > moment)
    }

    /// Settles the leases that are over: when, and how many units of each were open.
    pub(super) fn settle(&mut self, now: Millis) -> Vec<(Millis, u64)> {
        let over = |lease: &&mut Lease| !lease.settled && lease.end <= now;
        self.leases
            .values_mut()
            .filter(over)
            .map(|lease| {
                lease.settled = true;
                (lease.end, lease.open())
            })
            .collect()
    }

    /// Forgets the leases for which no report is waited for any more; whether there were any.
    pub(super) fn forget(&mut self, now: Millis) -> bool {
        let before = self.leases.len();
        self.leases
            .retain(|_, lease| now.since(lease.end) < LATE_MS);
        self.leases.len() < before
    }

    /// Whether nothing needs to be known of this isolate any more.
    pub(super) fn is_gone(&self, now: Millis) -> bool {
        self.leases.is_empty() && now.since(self.seen) >= SILENT_MS
    }
}

impl Lease {
    /// Units that are not known to be spent.
    pub(super) const fn open(&self) -> u64 {
        self.amount.saturating_sub(self.spent)
    }

    /// How long it was granted for.
    pub(super) const fn hold_ms(&self) -> u64 {
        self.end.since(self.granted)
    }
}
