//! When an account's exchanges in the background come.
//!
//! 1. What a call brings about goes on for [`LONGEST_MS`] at most. Within that time an exchange is
//!    followed by another one as long as the meter has yet to hear of something.
//! 2. The last one gives back what is held, and asks for nothing: no other would tell of it. A call
//!    that comes before it begins another such row in its place.

use super::Account;
use crate::lease::LEASE_MS;
use crate::time::Millis;

/// How much later than it was due a scheduled exchange is given up: its request may have been
/// cancelled.
pub const SCHEDULE_MARK_MS: u64 = 2_000;
/// How long a call's exchanges go on: the platform ends what goes on after an answer within 30 s, and
/// they take their time too.
pub const LONGEST_MS: u64 = 25_000;
/// How much of that is left for one more exchange after one that is not the last. Who spends nothing
/// for so long holds nothing for calls to come.
const LEFT_MS: u64 = 5_000;
/// How long before the holder asks by itself a scheduled exchange comes.
const AHEAD_MS: u64 = 500;
/// How long after one that failed the next exchange comes, if there are counts to tell of.
const AGAIN_MS: u64 = 5_000;

/// The next exchange that is scheduled, and from when until when that is to be believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    from: Millis,
    until: Millis,
    last: bool,
}

/// An exchange to make in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The account.
    pub account: u64,
    /// How many milliseconds later; 0 is now.
    pub delay_ms: u64,
}

impl Account {
    /// The exchanges that a call brings about: at once when the lease is low or over, or the
    /// call's record is `outdated`; and one before the lease ends, if none is scheduled.
    pub(crate) fn schedule(&mut self, outdated: bool, now: Millis) -> [Option<Errand>; 2] {
        let recent = |at: Millis| at <= now && now.since(at) < SCHEDULE_MARK_MS;
        let hurries = outdated && !self.hurried.is_some_and(recent);
        if hurries {
            self.hurried = Some(now);
        }
        let account = self.number;
        let soon = self.holder.due(now) || hurries;
        let soon = soon.then_some(Errand {
            account,
            delay_ms: 0,
        });
        [soon, self.remind(now)]
    }

    /// The exchange that is to tell of what has just been counted, if none is scheduled.
    pub(crate) fn remind(&mut self, now: Millis) -> Option<Errand> {
        let account = self.number;
        let delay_ms = self.plan(self.delay_ms(now), 0, now)?;
        Some(Errand { account, delay_ms })
    }

    /// Milliseconds until the holder would ask by itself, less what makes the scheduled exchange
    /// come before that.
    fn delay_ms(&self, now: Millis) -> u64 {
        let (asked, lease_ms) = match self.told {
            Some(told) if self.holder.covered(now) => (told.asked, told.lease_ms),
            _ => (now, LEASE_MS),
        };
        let due = asked.plus(lease_ms / 4 * 3).since(now);
        due.saturating_sub(AHEAD_MS).clamp(1, LONGEST_MS - LEFT_MS)
    }

    fn scheduled(&self, now: Millis) -> Option<Mark> {
        let scheduled = self.scheduled;
        scheduled.filter(|mark| mark.from <= now && now < mark.until)
    }

    /// Schedules an exchange after one that came `total_ms` after the call that has brought it about,
    /// unless one is scheduled that will do.
    fn plan(&mut self, delay_ms: u64, total_ms: u64, now: Millis) -> Option<u64> {
        let mark = Mark {
            from: now,
            until: now.plus(delay_ms).plus(SCHEDULE_MARK_MS),
            last: is_last(total_ms.saturating_add(delay_ms)),
        };
        if (self.scheduled(now)).is_some_and(|scheduled| mark.last || !scheduled.last) {
            return None;
        }
        self.scheduled = Some(mark);
        Some(delay_ms)
    }

    /// Whether an exchange in the background is to begin, `total_ms` after the call that has brought
    /// it about: at once, unless calls that wait ask anyway; later, if there is anything to say.
    pub(crate) fn begin(&mut self, total_ms: u64, now: Millis) -> bool {
        if total_ms == 0 {
            return !self.is_busy(now);
        }
        if is_last(total_ms) {
            if (self.scheduled(now)).is_some_and(|scheduled| !scheduled.last) {
                return false;
            }
            self.called = false;
            self.holder.forgo();
        }
        self.scheduled = None;
        !self.is_quiet(now)
    }

    /// A background exchange has ended: in how many milliseconds another one is to follow, because
    /// the meter has yet to hear of something. None when a call will see to that.
    pub(crate) fn follow(&mut self, answered: bool, total_ms: u64, now: Millis) -> Option<u64> {
        let left = LONGEST_MS.checked_sub(total_ms)?;
        if self.is_quiet(now) {
            return None;
        }
        // If no call came any more, what was counted would never be told.
        if !answered {
            return (AGAIN_MS <= left)
                .then(|| self.plan(AGAIN_MS, total_ms, now))
                .flatten();
        }
        if is_last(total_ms) {
            return None;
        }
        let told = self.told?;
        let ends = told.asked.plus(told.lease_ms).since(now);
        self.plan(ends.saturating_add(AHEAD_MS).min(left), total_ms, now)
    }
}

/// Whether no other exchange can follow the one that comes so long after its call.
const fn is_last(total_ms: u64) -> bool {
    total_ms > LONGEST_MS - LEFT_MS
}
