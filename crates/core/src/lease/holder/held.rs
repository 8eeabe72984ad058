//! One lease, as the isolate that holds it sees it.

use super::recent::Recent;
use crate::lease::MARGIN_MS;
use crate::lease::message::{Each, Report};
use crate::time::Millis;

/// An ask whose answer has not come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiting {
    pub(super) number: u64,
    pub(super) asked: Millis,
    pub(super) need: u64,
    pub(super) want: u64,
}

/// What was granted to an ask, or may have been.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Held {
    number: u64,
    left: u64,
    each: Option<Each>,
    spent: u64,
    spent_at: Millis,
    asked: Millis,
    ends: Millis,
    closed: bool,
    untold: Option<Untold>,
}

/// Something that the meter does not know of, as far as the isolate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Untold {
    /// The last ask before the change: an answer to any later one confirms it, for every ask
    /// carries all that is untold.
    after: u64,
    since: Millis,
}

impl Held {
    pub(super) const fn granted(
        ask: &Waiting,
        amount: u64,
        hold_ms: u64,
        each: Option<Each>,
    ) -> Self {
        Self {
            number: ask.number,
            left: amount,
            each,
            spent: 0,
            spent_at: ask.asked,
            asked: ask.asked,
            ends: ask.asked.plus(hold_ms.saturating_sub(MARGIN_MS)),
            closed: false,
            untold: None,
        }
    }

    /// The lease of an ask whose answer is not waited for any more. The meter may have granted
    /// something: it is told that nothing of it was spent.
    pub(super) fn given_up(ask: &Waiting, asks: u64, now: Millis) -> Self {
        let mut held = Self::granted(ask, 0, 0, None);
        held.close(asks, now);
        held
    }

    pub(super) const fn ends(&self) -> Millis {
        self.ends
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// What is left of it in all.
    pub(super) const fn left(&self) -> u64 {
        if self.closed { 0 } else { self.left }
    }

    /// Of a paced lease that is not closed.
    pub(super) const fn each(&self) -> Option<Each> {
        if self.closed { None } else { self.each }
    }

    /// What can be spent of it now, where `recent` units were spent of paced leases within their
    /// window.
    pub(super) fn room(&self, recent: u64) -> u64 {
        let left = self.left();
        self.each
            .map_or(left, |each| left.min(each.units.saturating_sub(recent)))
    }

    /// Spends as much of `units` as there is room for, and says how much. `asks`: how many were made
    /// so far.
    pub(super) fn take(&mut self, units: u64, recent: &mut Recent, asks: u64, now: Millis) -> u64 {
        let taken = units.min(self.room(recent.units()));
        if taken == 0 {
            return 0;
        }
        self.left -= taken;
        if self.each.is_some() {
            recent.add(taken, now);
        }
        self.spent = self.spent.saturating_add(taken);
        self.spent_at = now;
        self.change(asks, now);
        if self.left == 0 {
            self.close(asks, now);
        }
        taken
    }

    /// Nothing more will be spent of it.
    pub(super) fn close(&mut self, asks: u64, now: Millis) {
        if !self.closed {
            self.closed = true;
            self.change(asks, now);
        }
    }

    /// Closes it if its time is over.
    pub(super) fn close_if_over(&mut self, asks: u64, now: Millis) {
        if self.ends <= now {
            self.close(asks, now);
        }
    }

    /// Closes it if another paced lease allows no less, for no shorter.
    pub(super) fn close_if_replaced(&mut self, by: &Self, asks: u64, now: Millis) {
        if let (Some(own), Some(new)) = (self.each(), by.each())
            && own.units <= new.units
            && self.ends <= by.ends
        {
            self.close(asks, now);
        }
    }

    /// The clock moved back, to `now`: no time that was noted means anything. To say that
    /// something was spent later than it was is safe; earlier is not.
    pub(super) fn lose_time(&mut self, asks: u64, now: Millis) {
        self.close(asks, now);
        self.spent_at = Millis(u64::MAX);
        if let Some(untold) = &mut self.untold {
            untold.since = now;
        }
    }

    fn change(&mut self, asks: u64, now: Millis) {
        let since = self.untold.map_or(now, |untold| untold.since);
        self.untold = Some(Untold { after: asks, since });
    }

    /// An answer to the ask of this number has come.
    pub(super) fn confirm(&mut self, number: u64, now: Millis) {
        if let Some(untold) = &mut self.untold {
            if untold.after < number {
                self.untold = None;
            } else {
                // The meter knows the older part of it: what is left is not that old.
                untold.since = now;
            }
        }
    }

    /// Nothing to spend, nothing to tell.
    pub(super) const fn is_done(&self) -> bool {
        self.closed && self.untold.is_none()
    }

    /// Since when the meter has not been told of something.
    pub(super) fn untold_since(&self) -> Option<Millis> {
        self.untold.map(|untold| untold.since)
    }

    /// What an ask says of it: nothing when the meter knows it all.
    pub(super) fn report(&self, now: Millis) -> Option<Report> {
        self.untold.map(|_| Report {
            number: self.number,
            spent: self.spent,
            age_ms: now.since(self.spent_at),
            held_ms: now.since(self.asked),
            closed: self.closed,
        })
    }
}
