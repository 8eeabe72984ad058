//! One limit of a meter: what was spent, and what is left of it.
//!
//! What is held by leases is not kept here: in a rate window it counts beside what was spent, and
//! a [`Pot`] has it among what was taken.

use serde::{Deserialize, Serialize};

use super::isolate::{Isolate, Lease, News};
use super::pot::Pot;
use super::reserve::Within;
use crate::lease::message::{Each, Sort, Standing};
use crate::lease::window::Window;
use crate::lease::{LEASE_MS, LITTLE};
use crate::limits::{Limits, Per};
use crate::spec::limits::LARGEST_LIMIT;
use crate::time::Millis;

/// All but one part in so many of a limit is plenty.
const PLENTY: u64 = 4;
/// Of a limit that is shared out equally, one part in so many is left to who comes later.
const LEFT: u64 = 16;

/// A limit with its count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counter {
    pub(super) name: String,
    sort: Sort,
    limit: u64,
    count: Count,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Count {
    Window(Window),
    Pot(Pot),
}

/// What leases hold at a moment.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Units.
    pub(super) units: u64,
    /// Those that can be spent within the window of each rate limit, by its milliseconds.
    pub(super) within: Vec<(u64, Within)>,
    /// When the first of the leases is over; then its units are spent, or come back.
    pub(super) first_end: Option<Millis>,
}

impl Held {
    /// With a lease more, of so many units.
    pub(super) fn with(mut self, amount: u64) -> Self {
        self.units = self.units.saturating_add(amount);
        for (_, within) in &mut self.within {
            within.plain = within.plain.saturating_add(amount);
        }
        self
    }

    /// What can be spent within the window of a rate limit.
    fn within(&self, window_ms: u64) -> Within {
        let mut within = self.within.iter();
        let found = within.find(|(window, _)| *window == window_ms);
        found.map_or_else(Within::default, |(_, within)| *within)
    }
}

impl Counter {
    /// The counters of limits, empty but for what leases hold. Rates by address are no concern
    /// of a meter.
    pub(super) fn all(limits: &Limits, held: u64, now: Millis) -> Vec<Self> {
        let exact = limits.rate.iter().filter(|rate| rate.per == Per::Key);
        let rates = exact.map(|rate| Self {
            name: rate.name.clone(),
            sort: Sort::Rate(rate.window_s),
            limit: rate.limit,
            count: Count::Window(Window::new(rate.window_s, now)),
        });
        let quotas = limits.quota.iter().map(|quota| Self {
            name: quota.name.clone(),
            sort: Sort::Quota,
            limit: quota.limit,
            count: Count::Pot(Pot::new(Some(quota.schedule()), None, held, now)),
        });
        let credits = limits.credits.iter().map(|credits| {
            let refill = credits.refill.as_ref();
            let schedule = refill.map(|refill| refill.schedule());
            let amount = refill.map(|refill| refill.amount);
            Self {
                name: "credits".to_owned(),
                sort: Sort::Credits,
                limit: credits.balance,
                count: Count::Pot(Pot::new(schedule, amount, held, now)),
            }
        });
        rates.chain(quotas).chain(credits).collect()
    }

    /// The name of the part that it is written to. Credits have one of their own, whatever the
    /// names of the other limits are.
    pub(super) fn part(&self) -> String {
        match self.sort {
            Sort::Credits => "credits".to_owned(),
            Sort::Rate(_) | Sort::Quota => format!("limit/{}", self.name),
        }
    }

    /// Whether it counts the same as another, up to the number.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.sort == other.sort
    }

    /// Goes on from where the counter of the same limit was.
    pub(super) fn go_on_from(&mut self, before: &Self) {
        match (&mut self.count, &before.count) {
            (Count::Window(window), Count::Window(old)) => *window = old.clone(),
            (Count::Pot(pot), Count::Pot(old)) => pot.go_on_from(old),
            (Count::Window(_), Count::Pot(_)) | (Count::Pot(_), Count::Window(_)) => {}
        }
        // A record says only what the balance was at first.
        if self.sort == Sort::Credits {
            self.limit = before.limit;
        }
    }

    /// Replaces a balance, by no more than one may be; whether this is one. `held` is part of it.
    pub(super) fn set_credits(&mut self, balance: u64, held: u64, now: Millis) -> bool {
        match &mut self.count {
            Count::Pot(pot) if self.sort == Sort::Credits => {
                self.limit = balance.min(LARGEST_LIMIT);
                pot.start_anew(held, now);
                true
            }
            _ => false,
        }
    }

    /// Adds to a balance, up to the most that one may be; whether this is one. `open` is what may
    /// come back yet.
    pub(super) fn add_credits(&mut self, units: u64, open: impl Fn(Millis) -> u64) -> bool {
        match &mut self.count {
            Count::Pot(pot) if self.sort == Sort::Credits => {
                let spent = pot.write_off(open);
                let left = self.limit.saturating_sub(spent);
                self.limit = left.saturating_add(units).min(LARGEST_LIMIT);
                true
            }
            _ => false,
        }
    }

    /// Starts anew at a boundary that has passed; whether one has. `open` says what leases that
    /// end after a moment may spend.
    pub(super) fn turn(&mut self, now: Millis, open: impl Fn(Millis) -> u64) -> bool {
        match &mut self.count {
            Count::Window(_) => false,
            Count::Pot(pot) => {
                let turned = pot.turn(now, open);
                if turned && let Some(amount) = pot.refill() {
                    self.limit = amount;
                }
                turned
            }
        }
    }

    /// Counts a lease; whether that changed anything here.
    pub(super) const fn grant(&mut self, amount: u64) -> bool {
        match &mut self.count {
            Count::Window(_) => false,
            Count::Pot(pot) => {
                pot.take(amount);
                true
            }
        }
    }

    /// Counts what may have been spent of a lease that is over, beside what its isolate has left;
    /// whether that changed anything here.
    pub(super) fn settle(&mut self, lease: &Lease, isolate: &Isolate) -> bool {
        let Some(window) = self.window_ms() else {
            return false;
        };
        let (at, units) = match lease.paced(window) {
            Some(most) => lease.rest(most, isolate.paced(window), lease.end),
            None => (lease.end, lease.open()),
        };
        self.spend(at, units)
    }

    /// Counts units that were spent at a moment; whether that changed anything here.
    fn spend(&mut self, at: Millis, units: u64) -> bool {
        match &mut self.count {
            Count::Window(window) if units > 0 => {
                window.add(at, units);
                true
            }
            _ => false,
        }
    }

    /// Takes in a report of an isolate, which has heard it; whether that changed anything here.
    pub(super) fn hear(&mut self, news: &News, isolate: &Isolate) -> bool {
        let lease = &news.lease;
        let window_ms = self.window_ms().unwrap_or(0);
        match (&mut self.count, lease.paced(window_ms)) {
            // It counts with all that it may spend in a window, until it is closed.
            (Count::Window(_), Some(_)) if !news.closed => false,
            (Count::Window(window), Some(most)) if lease.is_settled() => {
                window.take_back(lease.end, lease.unspent(most))
            }
            (Count::Window(_), Some(most)) => {
                let (at, units) = lease.rest(most, isolate.paced(window_ms), news.at);
                self.spend(at, units)
            }
            // What a lease was settled with is entered at its end.
            (Count::Window(window), None) if lease.is_settled() => {
                window.take_back(lease.end, news.unspent)
            }
            (Count::Window(_), None) => self.spend(news.at, news.spent),
            (Count::Pot(pot), _) => pot.give_back(news.unspent, lease.end),
        }
    }

    /// The window of a rate limit, in milliseconds.
    pub(super) const fn window_ms(&self) -> Option<u64> {
        match self.sort {
            Sort::Rate(window_s) => Some(window_s.saturating_mul(1_000)),
            Sort::Quota | Sort::Credits => None,
        }
    }

    /// Units that nobody holds or has spent.
    pub(super) fn free(&mut self, held: &Held, now: Millis) -> u64 {
        let within = self
            .window_ms()
            .map_or(0, |window| held.within(window).units());
        let taken = match &mut self.count {
            Count::Window(window) => window.used(now).saturating_add(within),
            Count::Pot(pot) => pot.taken(),
        };
        self.limit.saturating_sub(taken)
    }

    /// When so many units, which are not free, could be; never if `None`.
    pub(super) fn free_at(&mut self, units: u64, held: &Held, now: Millis) -> Option<Millis> {
        let spent = match &mut self.count {
            Count::Window(window) => window.used(now),
            Count::Pot(pot) => pot.taken().saturating_sub(held.units),
        };
        let most = self.limit.checked_sub(units);
        // Only leases stand in the way: their units may come back.
        if most.is_some_and(|most| spent <= most) && held.first_end.is_some() {
            return held.first_end;
        }
        match &self.count {
            Count::Window(window) => window.free_at(now, most?),
            Count::Pot(pot) => {
                let next = pot.refill().unwrap_or(self.limit);
                pot.boundary().filter(|_| units <= next)
            }
        }
    }

    /// How long a lease that begins now may last, of at most so long. In a rate window, units that
    /// were spent count on until their lease is told of or over: one that outlasts the window
    /// takes more of the limit than what is spent, so it is given only where most of that is free
    /// beside it: it is among what is `held`.
    pub(super) fn longest_hold(&mut self, longest: u64, held: &Held, now: Millis) -> u64 {
        let free = self.free(held, now);
        let plenty = free >= self.limit - self.limit / PLENTY;
        match (&self.count, self.window_ms()) {
            (Count::Window(_), Some(window_ms)) if !plenty => window_ms,
            (Count::Window(_), _) => longest,
            (Count::Pot(pot), _) => pot.boundary().map_or(longest, |end| end.since(now)),
        }
    }

    /// How soon it changes much: its window or a lease, whichever is shorter.
    pub(super) fn pause_ms(&self) -> u64 {
        self.window_ms()
            .map_or(LEASE_MS, |window| window.min(LEASE_MS))
    }

    /// Whether so many isolates, each with a lease of at most so long, could not have a unit each.
    pub(super) const fn is_scarce(&self, isolates: u64, longest: u64) -> bool {
        let Some(window_ms) = self.window_ms() else {
            return false;
        };
        let (part, whole) = if longest < window_ms {
            (longest, window_ms)
        } else {
            (1, 1)
        };
        (self.limit as u128 * part as u128) < (isolates as u128 * whole as u128)
    }

    /// How many units each of so many isolates may have, so that all have as much and some are left.
    pub(super) const fn equal(&self, isolates: u64) -> u64 {
        let isolates = if isolates == 0 { 1 } else { isolates };
        (self.limit - self.limit.div_ceil(LEFT)) / isolates
    }

    /// The same, in each window of so long.
    pub(super) fn fair(&self, isolates: u64, each_ms: u64) -> u64 {
        self.equal(isolates) / self.windows(each_ms)
    }

    /// The largest pace that this limit bears, if there is no other: as much again is kept free.
    pub(super) fn largest(&self, each_ms: u64) -> u64 {
        self.limit / 2 / self.windows(each_ms)
    }

    /// How many windows of so long are to count as one of this limit.
    pub(super) fn windows(&self, each_ms: u64) -> u64 {
        let window_ms = self.window_ms().unwrap_or(each_ms);
        window_ms.div_ceil(each_ms.max(1)).max(1)
    }

    /// The most that an isolate may have of paced leases in a window, where there are others.
    pub(super) fn most_paced(&mut self, isolate: &Isolate, held: &Held, now: Millis) -> u64 {
        let window_ms = self.window_ms().unwrap_or(0);
        let left = self.limit.saturating_sub(self.used(now));
        held.within(window_ms).most(isolate.paced(window_ms), left)
    }

    /// Whether a paced lease of so many units in all would be too much, beside the others of its
    /// isolate.
    pub(super) fn is_passed(
        &mut self,
        (amount, each): (u64, Each),
        isolate: &Isolate,
        held: &Held,
        now: Millis,
    ) -> bool {
        match self.window_ms() {
            Some(window) if each.most(window) < amount => {
                let (own, most) = (isolate.paced(window), each.most(window));
                let within = held.within(window).with_pace(own, most);
                most > own && self.used(now).saturating_add(within.units()) > self.limit
            }
            _ => amount > self.free(held, now),
        }
    }

    /// Units that were spent in a rate window.
    fn used(&mut self, now: Millis) -> u64 {
        match &mut self.count {
            Count::Window(window) => window.used(now),
            Count::Pot(_) => 0,
        }
    }

    /// Whether little is left.
    pub(super) fn is_low(&mut self, held: &Held, now: Millis) -> bool {
        self.free(held, now) < self.limit / LITTLE
    }

    /// What it lets through in a window or a period; of credits, the balance.
    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    /// Units that are spent or held, and when it starts anew; none of a rate limit.
    pub(super) const fn taken(&self) -> Option<(u64, Option<Millis>)> {
        match &self.count {
            Count::Window(_) => None,
            Count::Pot(pot) => Some((pot.taken(), pot.boundary())),
        }
    }

    /// What sort of limit it is.
    pub(super) const fn sort(&self) -> Sort {
        self.sort
    }

    /// How it stands.
    pub(super) fn standing(&mut self, held: &Held, now: Millis) -> Standing {
        let free = self.free(held, now);
        let reset = match &mut self.count {
            Count::Pot(pot) => pot.boundary(),
            Count::Window(window) => match window.used(now).checked_sub(1) {
                Some(most) => window.free_at(now, most),
                None => held.first_end,
            },
        };
        Standing {
            name: self.name.clone(),
            sort: self.sort,
            limit: self.limit,
            free,
            reset_ms: reset.map(|reset| reset.since(now)),
        }
    }
}
