//! What is known of all isolates together, so that an ask costs no walk through them.
//!
//! All of it follows from the isolates ([`Index::of`]): it is kept beside them, and never written.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use super::counter::Held;
use super::isolate::{Isolate, LATE_MS, Lease, SILENT_MS};
use super::reserve::Within;
use crate::lease::LEASE_MS;
use crate::time::Millis;

/// Sums over the leases of all isolates, and orders in which time ends them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// The leases that are not settled, by their ends, with isolate and number.
    unsettled: BTreeSet<(Millis, u64, u64)>,
    /// Those that are, and wait for their reports.
    settled: BTreeSet<(Millis, u64, u64)>,
    /// Units that are not known to be spent, by the ends of their leases; no zeros.
    open: BTreeMap<Millis, u128>,
    /// Those of leases that are not settled.
    live: u128,
    /// The windows of the rate limits, in milliseconds.
    windows: Vec<u64>,
    /// What can be spent within each of them, of leases that are not settled.
    within: Vec<Sums>,
    /// What each isolate has of that; none that has nothing.
    weights: BTreeMap<u64, Vec<Weight>>,
    /// Every isolate, by when it asked last.
    seen: BTreeSet<(Millis, u64)>,
    /// Those that have asked within the time of a lease.
    recent: BTreeSet<(Millis, u64)>,
}

/// What an isolate can spend within a window, of leases that are not paced in it and of those that are.
type Weight = (u64, u64);

/// The same of all isolates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sums {
    plain: u128,
    paced: u128,
    /// How many isolates have how much of what is paced; no zeros.
    paces: BTreeMap<u64, u64>,
}

/// It follows from what is hashed beside it.
impl Hash for Index {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Index {
    /// Counts it all anew.
    pub(super) fn of(isolates: &BTreeMap<u64, Isolate>, windows: Vec<u64>, clock: Millis) -> Self {
        let mut index = Self::default();
        index.set_windows(windows, isolates);
        for (id, isolate) in isolates {
            index.see(*id, None, isolate.seen);
            for (number, lease) in isolate.leases() {
                index.add(*id, number, lease);
            }
        }
        index.pass(clock, LEASE_MS);
        index
    }

    /// The rate limits are others.
    pub(super) fn set_windows(&mut self, windows: Vec<u64>, isolates: &BTreeMap<u64, Isolate>) {
        self.within = vec![Sums::default(); windows.len()];
        self.windows = windows;
        self.weights.clear();
        for (id, isolate) in isolates {
            self.weigh(*id, isolate);
        }
    }

    /// The leases of an isolate are others, or stand otherwise.
    pub(super) fn weigh(&mut self, id: u64, isolate: &Isolate) {
        let windows = self.windows.iter();
        let new: Vec<Weight> = windows.map(|window| isolate.weight(*window)).collect();
        let old = self.weights.remove(&id).unwrap_or_default();
        for (place, sums) in self.within.iter_mut().enumerate() {
            let of = |weights: &[Weight]| weights.get(place).copied().unwrap_or_default();
            sums.replace(of(&old), of(&new));
        }
        if new.iter().any(|weight| *weight != (0, 0)) {
            self.weights.insert(id, new);
        }
    }

    /// An isolate has asked.
    pub(super) fn see(&mut self, id: u64, before: Option<Millis>, now: Millis) {
        if let Some(before) = before {
            self.seen.remove(&(before, id));
            self.recent.remove(&(before, id));
        }
        self.seen.insert((now, id));
        self.recent.insert((now, id));
    }

    /// There is one more lease, or it is another than before.
    pub(super) fn add(&mut self, id: u64, number: u64, lease: &Lease) {
        let units = u128::from(lease.open());
        if units > 0 {
            *self.open.entry(lease.end).or_default() += units;
        }
        if lease.is_settled() {
            self.settled.insert((lease.end, id, number));
        } else {
            self.unsettled.insert((lease.end, id, number));
            self.live += units;
        }
    }

    /// There is one lease less, or it is about to change.
    pub(super) fn remove(&mut self, id: u64, number: u64, lease: &Lease) {
        let units = u128::from(lease.open());
        if let Some(sum) = self.open.get_mut(&lease.end) {
            *sum = sum.saturating_sub(units);
            if *sum == 0 {
                self.open.remove(&lease.end);
            }
        }
        if lease.is_settled() {
            self.settled.remove(&(lease.end, id, number));
        } else {
            self.unsettled.remove(&(lease.end, id, number));
            self.live = self.live.saturating_sub(units);
        }
    }

    /// Time passes: who has not asked for so long is recent no more.
    pub(super) fn pass(&mut self, now: Millis, span_ms: u64) {
        while let Some(first) = self.recent.first()
            && now.since(first.0) >= span_ms
        {
            self.recent.pop_first();
        }
    }

    /// The leases that are over and not settled: isolate and number.
    pub(super) fn unsettled(&self, now: Millis) -> Vec<(u64, u64)> {
        until(&self.unsettled, Some(now.0))
    }

    /// The leases for which no report is waited for any more.
    pub(super) fn forgettable(&self, now: Millis) -> Vec<(u64, u64)> {
        until(&self.settled, now.0.checked_sub(LATE_MS))
    }

    /// The isolates that have not asked for so long that nobody will speak of them.
    pub(super) fn silent(&self, now: Millis) -> Vec<u64> {
        let Some(last) = now.0.checked_sub(SILENT_MS) else {
            return Vec::new();
        };
        let silent = self.seen.range(..=(Millis(last), u64::MAX));
        silent.map(|(_, id)| *id).collect()
    }

    /// An isolate is forgotten.
    pub(super) fn forget(&mut self, id: u64, seen: Millis) {
        self.seen.remove(&(seen, id));
        self.recent.remove(&(seen, id));
    }

    /// What leases hold.
    pub(super) fn held(&self, now: Millis) -> Held {
        let first = self.open.range(now.plus(1)..).next();
        Held {
            units: self.live(),
            within: (self.windows.iter().copied())
                .zip(self.within.iter().map(Sums::within))
                .collect(),
            first_end: first.map(|(end, _)| *end),
        }
    }

    /// Open units of leases that are not settled.
    pub(super) fn live(&self) -> u64 {
        narrow(self.live)
    }

    /// Open units of the leases that end after a moment.
    pub(super) fn open_after(&self, moment: Millis) -> u64 {
        let later = self.open.range(moment.plus(1)..);
        narrow(later.map(|(_, units)| *units).sum())
    }

    /// How many isolates have asked within the time of a lease.
    pub(super) fn asking(&self) -> u64 {
        self.recent.len() as u64
    }
}

impl Sums {
    /// An isolate has other leases than before.
    fn replace(&mut self, old: Weight, new: Weight) {
        let sum = |sum: u128, old: u64, new: u64| {
            sum.saturating_add(new.into()).saturating_sub(old.into())
        };
        self.plain = sum(self.plain, old.0, new.0);
        self.paced = sum(self.paced, old.1, new.1);
        if old.1 == new.1 {
            return;
        }
        if let Some(isolates) = self.paces.get_mut(&old.1) {
            *isolates = isolates.saturating_sub(1);
            if *isolates == 0 {
                self.paces.remove(&old.1);
            }
        }
        if new.1 > 0 {
            *self.paces.entry(new.1).or_default() += 1;
        }
    }

    fn within(&self) -> Within {
        Within {
            plain: narrow(self.plain),
            paced: narrow(self.paced),
            greatest: self.paces.last_key_value().map_or(0, |(most, _)| *most),
        }
    }
}

/// The leases that end not after a moment.
fn until(leases: &BTreeSet<(Millis, u64, u64)>, last: Option<u64>) -> Vec<(u64, u64)> {
    let Some(last) = last else {
        return Vec::new();
    };
    let leases = leases.range(..=(Millis(last), u64::MAX, u64::MAX));
    leases.map(|(_, id, number)| (*id, *number)).collect()
}

fn narrow(units: u128) -> u64 {
    u64::try_from(units).unwrap_or(u64::MAX)
}
