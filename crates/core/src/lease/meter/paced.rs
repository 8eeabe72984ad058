//! Paced leases: so many units in each window, and so many in all.
//!
//! A lease that outlasts the window of a rate limit takes more of it than is spent, and one that does
//! not makes its isolate ask in each window. Where so many isolates do that the meter would be asked
//! too often, it grants them a pace instead: within a window the lease counts with what the pace
//! allows in it, for as long as it lives, and with what may have been spent in its last window after
//! that. All that an isolate spends of paced leases keeps to the greatest of their paces, so of these
//! only the greatest counts: to renew one takes nothing more.
//!
//! Any span of a window has at most so much of each isolate as is counted for it, and the sum of that
//! never passes the limit: so no span does.

use super::Meter;
use super::counter::{Counter, Held};
use super::isolate::Isolate;
use super::outcome::NOTHING;
use crate::lease::message::{Ask, Each, Outcome};
use crate::lease::{LARGEST_SHARE, LEASE_MS, SHORTEST_MS};
use crate::time::Millis;

/// What a pace allows at least beyond the mean, so that few calls have to ask for more: with its
/// root twice, one call in a thousand of those that come as they like.
const BURST: u64 = 3;
/// Of a limit of which no more than one part in so many is free, there is no more for who has a pace.
const SHORT: u64 = 8;
/// Of what is left, one isolate may have one part in [`LARGEST_SHARE`] times so many where there is
/// enough for all.
const UNEVEN: u64 = 4;

/// What there is for a pace.
struct Room {
    /// The most that the limits allow.
    most: u64,
    /// What the isolate may have of that.
    fair: u64,
    /// The limit that has least.
    limit: usize,
    /// Whether little of it is free.
    short: bool,
}

/// The window of a rate limit, in milliseconds, if leases would have to be cut to it. A longer one
/// counts all units of a lease: they are told of before it is over.
fn short_ms(counter: &Counter) -> Option<u64> {
    counter.window_ms().filter(|window| *window <= LEASE_MS)
}

impl Meter {
    /// Answers with a paced lease, or that there is none to have; nothing where other leases do.
    pub(super) fn paced(&mut self, ask: &Ask, held: &Held, now: Millis) -> Option<Outcome> {
        let window_ms = self.counters.iter().filter_map(short_ms).min()?;
        let asking = self.index.asking();
        if ask.lasts_ms == 0
            || ask.need == 0 && ask.want == 0
            || !self.pace.is_strained(asking, window_ms)
        {
            return None;
        }
        let own = self.isolates.get(&ask.isolate).and_then(Isolate::each);
        // What an isolate spends of paces of two windows would be no sum.
        if own.is_some_and(|own| own.window_ms != window_ms) {
            return None;
        }
        // A limit that bears no pace of as much goes to one isolate after the other.
        let largest = self.counters.iter().filter(|one| short_ms(one).is_some());
        let largest = largest.map(|counter| counter.largest(window_ms)).min()?;
        if ask.need.max(1) > largest {
            return None;
        }
        let room = self.room(ask, window_ms, held, now)?;
        let mean = u128::from(ask.want) * u128::from(window_ms) / u128::from(ask.lasts_ms);
        let mean = u64::try_from(mean).unwrap_or(u64::MAX);
        let burst = mean.isqrt().saturating_mul(2).saturating_add(BURST);
        let wanted = ask.need.saturating_add(mean).saturating_add(burst);
        let wanted = wanted.max(self.lift(&room));
        // Where there is not enough for all, each call asks for itself as long as that is borne.
        if room.fair < wanted && own.is_none() && !self.pace.is_pressed() {
            return None;
        }
        let mut units = wanted.min(room.fair).min(room.most);
        let own = own.map_or(0, |own| own.units);
        let plenty = !room.short && !self.pace.is_pressed();
        // A unit more for each call would be asked for on and on: it waits until there is more.
        let more = wanted.min(room.fair).saturating_sub(own);
        if ask.need > 0 && room.short && units.saturating_sub(own) < more.div_ceil(2) {
            return Some(self.exhausted(ask, held, now));
        }
        // All of its pace may be spent: what is needed comes on top of it.
        let least = own.saturating_add(ask.need);
        if ask.need > 0 && units < least {
            let one = if own < ask.need { least } else { 0 };
            if least > room.fair.max(one).min(room.most) {
                return (!plenty).then(|| self.exhausted(ask, held, now));
            }
            units = least;
        }
        if units == 0 && own == 0 && room.short {
            // Its calls would ask, one by one.
            if room.most == 0 {
                return Some(self.exhausted(ask, held, now));
            }
            units = 1;
        }
        if units == 0 {
            return Some(NOTHING);
        }
        let each = Each {
            units,
            window_ms,
            short: (units < wanted && room.short).then_some(room.limit),
        };
        self.grant_paced(ask, each, held, now)
    }

    /// The least pace that is given while far more is asked than is borne, so that an isolate of which little
    /// is known need not ask for more at once: half of what each could have of what is left.
    fn lift(&self, room: &Room) -> u64 {
        if !self.is_hurried() {
            return 0;
        }
        let most = room.most / self.index.asking().max(1);
        most.min(room.fair) / 2
    }

    /// What there is for a pace with this window.
    fn room(&mut self, ask: &Ask, each_ms: u64, held: &Held, now: Millis) -> Option<Room> {
        let isolate = self.isolates.get(&ask.isolate)?;
        let asking = self.index.asking();
        let sharers = self.pace.sharers(asking);
        let mut room: Option<Room> = None;
        for (limit, counter) in self.counters.iter_mut().enumerate() {
            if short_ms(counter).is_none() {
                continue;
            }
            let free = counter.free(held, now);
            let most = counter.most_paced(isolate, held, now) / counter.windows(each_ms);
            let fair = counter.fair(asking, each_ms);
            let short = free <= counter.limit() / SHORT;
            // Not all use as much: who uses more may have it while there is enough for each.
            let parts = if fair > 0 && !short { UNEVEN } else { sharers };
            let one = Room {
                most,
                fair: fair.max(most / LARGEST_SHARE / parts),
                limit,
                short,
            };
            let less = |room: &Room| one.most.min(one.fair) < room.most.min(room.fair);
            if room.as_ref().is_none_or(less) {
                room = Some(one);
            }
        }
        room
    }

    /// Grants a pace, with as many units in all as it may come to, or the other limits allow.
    fn grant_paced(&mut self, ask: &Ask, each: Each, held: &Held, now: Millis) -> Option<Outcome> {
        let isolate = self.isolates.get(&ask.isolate)?;
        let longest = self.pace.lease_ms();
        let (mut hold_ms, mut rest) = (longest, u64::MAX);
        for counter in &mut self.counters {
            if short_ms(counter).is_none() {
                rest = rest.min(counter.free(held, now).saturating_sub(ask.need));
                hold_ms = hold_ms.min(counter.longest_hold(longest, held, now));
            }
        }
        let hold_ms = hold_ms.clamp(SHORTEST_MS, longest);
        let whole = each.most(hold_ms).saturating_add(each.units);
        let amount = if rest == u64::MAX {
            whole.max(ask.need)
        } else {
            let share = self.share(rest, isolate.open());
            let beyond = self.want(ask).min(share).min(whole);
            ask.need.saturating_add(beyond)
        };
        let mut counters = self.counters.iter_mut();
        if amount == 0
            || counters.any(|counter| counter.is_passed((amount, each), isolate, held, now))
        {
            return None;
        }
        Some(self.grant(ask, amount, hold_ms, Some(each), now))
    }
}
