//! What one isolate holds of one meter, by the rules of [`crate::lease`].
//!
//! 1. A call is paid from live leases, those that end first first: all of its cost or nothing.
//! 2. When they do not suffice, a refusal that is remembered answers; else the meter is asked. A
//!    refusal is remembered for costs not below what was refused.
//! 3. In the background, the meter is asked before the coverage ends, before the units run out,
//!    and when something has been untold for long.
//! 4. Where nothing is spent for some seconds, what is held goes back with the next background ask. Of a
//!    key that very many isolates use, that ask wants units if calls were refused meanwhile: else their
//!    isolate would ask twice, in the background and for a call.
//! 5. Paced leases are spent like others, but never more in their window than the one that is spent
//!    of allows, of all of them together. What the pace does not let through is asked for, or refused
//!    where the meter has said that there is no more.
//! 6. All is by the isolate's own clock. One that moved back closes every lease: how much of
//!    their time is left cannot be known.
//!
//! Dropping a lease or a report never lets too much through: until it is told otherwise, the meter
//! counts all of a lease as spent.

mod demand;
mod held;
mod inner;
mod recent;
mod refused;

use self::demand::Demand;
use self::held::{Held, Waiting};
use self::recent::Recent;
use self::refused::Refused;
use super::message::{Answer, Ask, Outcome, Sort, Standing};
use super::{LEASE_MS, LITTLE, LONGEST_MS, MARGIN_MS};
use crate::time::Millis;

/// When the mark "a background ask is under way" expires: its request may have been cancelled.
/// Any ask this old is given up by the next one.
pub const ASK_MARK_MS: u64 = 2_000;
/// After how long what the meter was not told of is a reason to ask, in milliseconds; by as much
/// later as its leases are longer than [`LEASE_MS`].
pub const REPORT_MS: u64 = 5_000;
/// What the first ask wants beyond what it needs, when nothing is known of the demand.
pub const FIRST_WANT: u64 = 4;
/// How many leases are held, and asks waited for, at most. Of more asks at one time, the oldest
/// are given up: whoever asks lets calls of one meter share asks before there are so many.
pub const MOST_LEASES: usize = 64;

/// What one isolate holds of one meter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    isolate: u64,
    /// How many asks were made: the number of the last one.
    asks: u64,
    /// The greatest number that an answer came to.
    heard: u64,
    /// The greatest time that was seen.
    seen: Millis,
    waiting: Vec<Waiting>,
    /// The live ones in the order in which they end.
    leases: Vec<Held>,
    /// What was spent of paced ones.
    recent: Recent,
    told: Option<Told>,
    refused: Option<Refused>,
    standing: Vec<Standing>,
    /// `free` of each, as it was told.
    free: Vec<u64>,
    background: Option<Millis>,
    demand: Demand,
    /// What was granted to the last ask that wanted more than it needed: all of it, and whether
    /// there was more.
    last_grant: Option<(u64, bool)>,
    /// For how long it is worth asking: the time of a lease, or of the last one if that was longer.
    hold_ms: u64,
}

/// The newest answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Told {
    asked: Millis,
    lease_ms: u64,
    unlimited: bool,
}

/// What came of a call's wish to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It is paid.
    Done,
    /// The meter is to be asked.
    Ask,
    /// There is not as much.
    Exhausted {
        /// Which of [`Holder::standing`] it is.
        limit: usize,
        /// Milliseconds after which it is worth trying again; none when only a change helps.
        retry_ms: Option<u64>,
    },
}

impl Holder {
    /// Nothing is held. `isolate` is random and new for every holder: one that was forgotten and
    /// made again counts its asks from 1, and the meter would take them for repetitions.
    #[must_use]
    pub const fn new(isolate: u64) -> Self {
        Self {
            isolate,
            asks: 0,
            heard: 0,
            seen: Millis(0),
            waiting: Vec::new(),
            leases: Vec::new(),
            recent: Recent::new(0),
            told: None,
            refused: None,
            standing: Vec::new(),
            free: Vec::new(),
            background: None,
            demand: Demand::new(Millis(0)),
            last_grant: None,
            hold_ms: LEASE_MS,
        }
    }

    /// Pays a call from what is held. Allocates nothing.
    pub fn spend(&mut self, cost: u64, now: Millis) -> Spent {
        let spent = self.check(cost, now);
        if spent == Spent::Done && !self.is_unlimited() {
            self.take(cost, self.seen);
        }
        spent
    }

    /// What [`Holder::spend`] would come to, without spending: of several meters, all are looked
    /// at before one is spent from. Allocates nothing.
    pub fn check(&mut self, cost: u64, now: Millis) -> Spent {
        let now = self.read_clock(now);
        if self.is_unlimited() {
            return if self.covered(now) {
                Spent::Done
            } else {
                Spent::Ask
            };
        }
        let held = self.held();
        // What costs nothing still needs a sign that the limits leave something.
        if held > 0 && held >= cost {
            return Spent::Done;
        }
        let refused = self.refused.as_ref();
        let refused = refused.and_then(|refused| refused.of(cost, now));
        let short = || self.short(cost, now);
        let spent = refused.or_else(short).unwrap_or(Spent::Ask);
        if spent != Spent::Ask && self.is_crowd() {
            self.demand.miss(cost, now);
        }
        spent
    }

    /// What to ask the meter, for a call that needs so much, or in the background (0).
    pub fn ask(&mut self, need: u64, now: Millis) -> Ask {
        self.ask_for(need, true, now)
    }

    /// What to tell the meter when no call was let through for long: nothing is asked for, but for calls
    /// that were refused.
    pub fn report(&mut self, now: Millis) -> Ask {
        self.ask_for(0, false, now)
    }

    /// The next exchange may be the last that the meter hears: it asks for nothing that nobody would tell of.
    pub(crate) fn forgo(&mut self) {
        self.demand.forgo();
    }

    fn ask_for(&mut self, need: u64, wants: bool, now: Millis) -> Ask {
        let now = self.read_clock(now);
        self.demand.mark(now);
        self.give_up(|ask| now.since(ask.asked) >= ASK_MARK_MS, now);
        // Nobody else could have it, and it may be the last that is heard of this isolate.
        if need == 0 && (!wants || self.demand.is_silent(now)) {
            self.give_back(now);
        }
        let wants = wants || self.demand.lacks(now);
        let want = if wants { self.want(need, now) } else { 0 };
        self.make_room(now);
        let leases = self.leases.iter().filter_map(|one| one.report(now));
        let leases = leases.collect();
        // What was closed to make room goes out with this ask only.
        while self.len() >= MOST_LEASES {
            let Some(closed) = self.leases.iter().position(Held::is_closed) else {
                break;
            };
            self.leases.remove(closed);
        }
        self.asks = self.asks.saturating_add(1);
        self.waiting.push(Waiting {
            number: self.asks,
            asked: now,
            need,
            want,
        });
        Ask {
            isolate: self.isolate,
            number: self.asks,
            need,
            want,
            lasts_ms: self.hold_ms,
            leases,
        }
    }

    /// Takes in an answer, and pays the call that waited for it, from its own lease first. An
    /// answer that nobody waits for any more is dropped.
    pub fn answered(&mut self, answer: &Answer, cost: u64, now: Millis) -> Spent {
        let now = self.read_clock(now);
        if answer.number > self.asks {
            return Spent::Ask;
        }
        // Even a late answer shows that the meter has read the ask, and its reports.
        for lease in &mut self.leases {
            lease.confirm(answer.number, now);
        }
        self.leases.retain(|lease| !lease.is_done());
        let Some(at) = (self.waiting.iter()).position(|ask| ask.number == answer.number) else {
            return Spent::Ask;
        };
        let ask = self.waiting.remove(at);
        if ask.need == 0 {
            self.background = None;
        }
        let newest = answer.number > self.heard;
        if newest {
            self.heard = answer.number;
            self.hear(&ask, answer);
        }
        let spent = match answer.outcome {
            Outcome::Unlimited if now.since(ask.asked) < bounded(answer.lease_ms) => Spent::Done,
            Outcome::Unlimited => Spent::Ask,
            Outcome::Granted {
                amount,
                hold_ms,
                each,
            } => {
                let lease = Held::granted(&ask, amount, bounded(hold_ms), each);
                self.receive(&ask, lease, bounded(hold_ms), cost, now)
            }
            Outcome::Exhausted { limit, retry_ms } => {
                if newest {
                    self.refused = Some(Refused::new(&ask, answer, limit, retry_ms));
                }
                Spent::Exhausted { limit, retry_ms }
            }
        };
        self.raise_standing();
        spent
    }

    /// The answer to an ask will not come, or would come too late.
    pub fn unanswered(&mut self, number: u64, now: Millis) {
        let now = self.read_clock(now);
        self.give_up(|ask| ask.number == number, now);
    }

    /// Whether a background ask is to begin now; then it is marked as under way.
    pub fn due(&mut self, now: Millis) -> bool {
        let now = self.read_clock(now);
        let under_way = |mark: Millis| now.since(mark) < ASK_MARK_MS;
        if self.background.is_some_and(under_way) || self.len() >= MOST_LEASES {
            return false;
        }
        let due = !self.covered(now)
            || (self.told.as_ref())
                .is_none_or(|told| now.since(told.asked) >= told.lease_ms / 4 * 3)
            || self.runs_low(now)
            || self.is_untold(now);
        if due {
            self.background = Some(now);
        }
        due
    }

    /// Whether the meter has said that it has no limits.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.unlimited)
    }

    /// Whether the meter was asked not longer ago than its answer allows.
    #[must_use]
    pub fn covered(&self, now: Millis) -> bool {
        let moved_back = now.plus(MARGIN_MS) < self.seen;
        self.told.as_ref().is_some_and(|told| {
            let age = now.max(self.seen).since(told.asked);
            !moved_back && age < told.lease_ms.saturating_sub(MARGIN_MS)
        })
    }

    /// Every limit as last told, with what this isolate itself holds counted as free.
    #[must_use]
    pub fn standing(&self) -> &[Standing] {
        &self.standing
    }

    /// Gives back the room for what would come, and says what it takes in memory beside itself.
    pub(crate) fn settle(&mut self) -> usize {
        self.leases.shrink_to_fit();
        self.waiting.shrink_to_fit();
        let standing = |one: &Standing| size_of::<Standing>() + one.name.capacity();
        self.leases.len() * size_of::<Held>()
            + self.waiting.len() * size_of::<Waiting>()
            + self.free.capacity() * size_of::<u64>()
            + self.standing.iter().map(standing).sum::<usize>()
    }

    /// Whether nothing is held, nothing is to be told and nothing was asked: it may be forgotten.
    #[must_use]
    pub fn is_idle(&self, now: Millis) -> bool {
        let under_way = |mark: Millis| mark <= now && now.since(mark) < ASK_MARK_MS;
        self.len() == 0 && !self.background.is_some_and(under_way)
    }
}

/// No meter is believed that a lease is longer than leases are.
fn bounded(lease_ms: u64) -> u64 {
    lease_ms.min(LONGEST_MS)
}

#[cfg(test)]
mod tests;
