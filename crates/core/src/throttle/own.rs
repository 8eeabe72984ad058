//! The limits that derived keys bring along.
//!
//! A key that is for a user counts with all the others that were derived from the same key for that
//! user, in the same window: who is given a second one is given no second helping. Any other counts
//! for itself.

use std::hash::BuildHasher as _;

use super::counter::{self, Counter};
use super::{Counters, Over, Quantity};
use crate::memory::seeded::Seeded;
use crate::record::Record;
use crate::secret::Digest;
use crate::time::Millis;

/// The limit of one derived key, and with which others it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnLimit {
    quantity: Quantity,
    /// A digest, because users choose their ids.
    who: Digest,
}

impl OwnLimit {
    /// The limit of the key that has this digest and is for this user.
    #[must_use]
    pub fn new(quantity: Quantity, user: Option<&str>, key: Digest) -> Self {
        // No key has a blank in it.
        let who = user.map_or(key, |user| Digest::of(&format!("user {user}")));
        Self { quantity, who }
    }
}

/// How such a limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnStanding {
    /// The limit.
    pub quantity: Quantity,
    /// How many calls are left.
    pub left: u32,
    /// Whole seconds, at least 1, until there is more.
    pub more_s: u64,
}

/// The calls of derived keys that have a limit of their own.
pub struct Owns {
    seed: Seeded,
    pub(super) counters: Counters<Bearer>,
}

/// The parent's key and the window as a hash under the secret seed, and who calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bearer {
    limit: u64,
    who: Digest,
}

/// Room for one call, which is spent only when the call is let through.
#[must_use]
pub struct OwnRoom<'a> {
    counter: &'a mut Counter,
    quantity: Quantity,
    slice_ms: u64,
}

impl Owns {
    /// Nothing is counted. `seed` is secret.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed: Seeded(seed),
            counters: Counters::new(seed),
        }
    }

    /// Whether a key that is derived from that of a record has room for a call.
    ///
    /// # Errors
    /// [`Over`] when it has not.
    pub fn room(
        &mut self,
        record: &Record,
        limit: OwnLimit,
        now: Millis,
    ) -> Result<OwnRoom<'_>, Over> {
        let OwnLimit { quantity, who } = limit;
        let Record {
            project, key_id, ..
        } = record;
        let limit = self.seed.hash_one((project, key_id, quantity.window_s));
        let slice_ms = counter::slice_ms(quantity.window_s);
        let counter = self.counters.of(Bearer { limit, who }, slice_ms, now);
        if counter.total() < quantity.calls.get() {
            return Ok(OwnRoom {
                counter,
                quantity,
                slice_ms,
            });
        }
        let wait_s = counter.frees_in(now, slice_ms).div_ceil(1000).max(1);
        Err(Over { quantity, wait_s })
    }
}

impl OwnRoom<'_> {
    /// Counts the call, and says how the limit stands then.
    pub fn spend(self, now: Millis) -> OwnStanding {
        let Self {
            counter,
            quantity,
            slice_ms,
        } = self;
        counter.count();
        OwnStanding {
            quantity,
            left: quantity.calls.get().saturating_sub(counter.total()),
            more_s: counter.frees_in(now, slice_ms).div_ceil(1000).max(1),
        }
    }
}
