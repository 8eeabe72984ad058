//! What a meter keeps of one isolate: its leases, and which of its asks have been answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::lease::message::{Each, Report};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lease {
    granted: Millis,
    /// When it is over.
    pub(super) end: Millis,
    pub(super) amount: u64,
    spent: u64,
    /// It is over, and what was open then counts as spent.
    settled: bool,
    /// Of a paced lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    each: Option<Each>,
    /// Of one that counts for what was spent of another as well, whose place it took: the last moment
    /// at which that can have been. Of one that is settled, that another took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<Millis>,
}

/// What a report changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    /// The lease, with what is known of it now.
    pub(super) lease: Lease,
    /// Nothing more will be spent of it.
    pub(super) closed: bool,
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
            lease: *lease,
            closed: report.closed,
            spent: if lease.settled {
                0
            } else {
                lease.spent.saturating_sub(before)
            },
            at: Millis(last).max(lease.granted).min(lease.end),
            unspent: if report.closed { lease.open() } else { 0 },
        };
        if report.closed
            && let Some(lease) = self.leases.remove(&report.number)
            && !lease.settled
        {
            self.leave_to_others(&lease, news.at);
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

    /// Units that it may spend in any span of so long, of the leases that it may be spending: of those
    /// that are not paced in it, and of those that are.
    pub(super) fn weight(&self, window_ms: u64) -> (u64, u64) {
        let live = self.leases.values().filter(|lease| !lease.settled);
        let plain = live.filter(|lease| lease.paced(window_ms).is_none());
        let plain = plain.map(Lease::open).fold(0, u64::saturating_add);
        (plain, self.paced(window_ms))
    }

    /// The second part of it: what it spends of all of them together is never more
    /// than one of them allows.
    pub(super) fn paced(&self, window_ms: u64) -> u64 {
        let live = self.leases.values().filter(|lease| !lease.settled);
        let paced = live.filter_map(|lease| lease.paced(window_ms));
        paced.max().unwrap_or(0)
    }

    /// The most that a paced lease allows that it may be spending.
    pub(super) fn each(&self) -> Option<Each> {
        let live = self.leases.values().filter(|lease| !lease.settled);
        let paced = live.filter_map(|lease| lease.each);
        paced.max_by_key(|each| each.units)
    }

    /// Keeps a lease.
    pub(super) fn keep(
        &mut self,
        number: u64,
        amount: u64,
        granted: Millis,
        end: Millis,
        each: Option<Each>,
    ) -> &Lease {
        self.leases.entry(number).or_insert(Lease {
            granted,
            end,
            amount,
            spent: 0,
            settled: false,
            each,
            follows: None,
        })
    }

    /// Settles a lease that is over, and says how it was.
    pub(super) fn settle(&mut self, number: u64) -> Option<Lease> {
        let lease = self.leases.get_mut(&number)?;
        lease.settled = true;
        let (before, end) = (*lease, lease.end);
        if self.leave_to_others(&before, end) {
            self.leases.get_mut(&number)?.follows = Some(end);
        }
        Some(before)
    }

    /// A paced lease is over, of which something was spent last at a moment: as long as others live,
    /// they count for that too. Whether there are any.
    fn leave_to_others(&mut self, lease: &Lease, at: Millis) -> bool {
        if lease.each.is_none() || lease.is_unspent() {
            return false;
        }
        let at = lease.follows.map_or(at, |follows| follows.max(at));
        let live = self.leases.values_mut();
        let mut left = false;
        for other in live.filter(|one| !one.settled && one.each.is_some()) {
            other.follows = Some(other.follows.map_or(at, |follows| follows.max(at)));
            left = true;
        }
        left
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

    /// The most that can be spent of it in any span of so long, where that is less than all of it.
    pub(super) fn paced(&self, window_ms: u64) -> Option<u64> {
        let most = self.each?.most(window_ms);
        (most < self.amount).then_some(most)
    }

    /// Units that come back to a rate limit in which a paced lease was settled with so many.
    pub(super) const fn unspent(&self, most: u64) -> u64 {
        match self.follows {
            Some(_) => 0,
            None => twice(most).saturating_sub(self.spent),
        }
    }

    /// What a paced lease that is over counts for, and until which moment it may have been spent:
    /// `most` is what its pace allows, `others` what that of the others does that live.
    pub(super) fn rest(&self, most: u64, others: u64, at: Millis) -> (Millis, u64) {
        let at = self.follows.map_or(at, |follows| follows.max(at));
        let units = match self.follows {
            _ if others > 0 && !self.is_unspent() => twice(most.saturating_sub(others)),
            Some(_) => twice(most),
            None if self.settled => twice(most),
            None => twice(most).min(self.spent),
        };
        (at, units)
    }

    /// Whether nothing can have been spent of it, nor of what it counts for.
    const fn is_unspent(&self) -> bool {
        !self.settled && self.spent == 0 && self.follows.is_none()
    }

    /// Of a paced lease.
    pub(super) const fn each(&self) -> Option<Each> {
        self.each
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

/// What may have been spent in a window of a lease that allows so much, if its isolate's clock was set
/// forward. As long as the lease lives that is kept free ([`super::reserve`]).
const fn twice(most: u64) -> u64 {
    most.saturating_mul(2)
}
