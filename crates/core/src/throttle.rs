//! Limits per client address, within one isolate: calls of public keys, a key's own limits of this
//! sort, and failed authentications.
//!
//! 1. A client address is what the policy takes for it; one IPv4 address, or an IPv6 /64, because
//!    that is what one subscriber is given. What has no known address is one address together.
//! 2. [`Throttle`] counts the calls of a key from an address; [`Rates`] does for the limits of a key
//!    that are its own. The decision is made here, now, from
//!    what this isolate has seen: nothing is asked, nothing is awaited.
//! 3. [`Owns`] counts the calls of derived keys that bring a limit along, from everywhere.
//! 4. [`Failures`] counts failed authentications from an address. It says how long the *answer* to a
//!    further one is held back. It refuses nothing, and no valid key ever meets it.
//!
//! All are approximate on purpose: another isolate counts for itself, and of more than [`MOST`]
//! addresses the one that was seen longest ago is forgotten. They stand outside the promise that a
//! key's own limits are never exceeded.

mod address;
mod counter;
mod own;
mod rates;

use std::hash::{BuildHasher as _, Hash};
use std::num::NonZeroU32;

use lru::LruCache;

pub use self::address::Network;
use self::counter::Counter;
pub use self::own::{OwnLimit, OwnRoom, OwnStanding, Owns};
pub use self::rates::Rates;
use crate::memory::seeded::Seeded;
use crate::time::Millis;

/// How many counters each of them keeps.
pub const MOST: usize = 10_000;
/// How many failed authentications an address has before answers are held back.
pub const FREE_FAILURES: u32 = 20;
/// For how long a failed authentication counts.
pub const FAILURES_WINDOW_S: u32 = 60;
/// How long the first answer is held back. It doubles from failure to failure.
pub const FIRST_HOLD_MS: u32 = 100;
/// How long an answer is held back at most.
pub const LONGEST_HOLD_MS: u32 = 2000;

/// So many calls in any span of so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The calls.
    pub calls: NonZeroU32,
    /// The length of the window in seconds; at least 1.
    pub window_s: u32,
}

/// A limit that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The limit.
    pub quantity: Quantity,
    /// Whole seconds, at least 1, after which there is room again if nobody takes it before.
    pub wait_s: u64,
}

/// The calls of keys by client address.
pub struct Throttle {
    quantity: Quantity,
    seed: Seeded,
    slice_ms: u64,
    counters: Counters<Pair>,
}

/// A key and an address. The key is a hash under the secret seed, so that a look-up takes no memory;
/// the address stands as it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Pair {
    key: u64,
    network: Network,
}

/// Room for one call, which is spent only when the call is let through.
#[must_use]
pub struct Room<'a>(&'a mut Counter);

impl Throttle {
    /// Counters for one limit. `seed` is secret, so that nobody can choose what collides.
    #[must_use]
    pub fn new(quantity: Quantity, seed: u64) -> Self {
        Self {
            quantity,
            seed: Seeded(seed),
            slice_ms: counter::slice_ms(quantity.window_s),
            counters: Counters::new(seed),
        }
    }

    /// Whether a key has room for a call from an address.
    ///
    /// # Errors
    /// [`Over`] when the address has spent what the key allows it.
    pub fn room(
        &mut self,
        project: &str,
        key_id: &str,
        network: Network,
        now: Millis,
    ) -> Result<Room<'_>, Over> {
        let key = self.seed.hash_one((project, key_id));
        let quantity = self.quantity;
        let slice_ms = self.slice_ms;
        let counter = self.counters.of(Pair { key, network }, slice_ms, now);
        if counter.total() < quantity.calls.get() {
            return Ok(Room(counter));
        }
        let wait_s = counter.frees_in(now, slice_ms).div_ceil(1000).max(1);
        Err(Over { quantity, wait_s })
    }
}

impl Room<'_> {
    /// Counts the call.
    pub fn spend(self) {
        self.0.count();
    }
}

/// Failed authentications by client address.
pub struct Failures {
    counters: Counters<Network>,
}

impl Failures {
    /// No failures. `seed` is secret.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            counters: Counters::new(seed),
        }
    }

    /// Counts a failed authentication. Returns how many milliseconds its answer is held back; 0 for
    /// one of an unknown address, behind which anybody may stand.
    pub fn note(&mut self, network: Network, now: Millis) -> u32 {
        if network == Network::Unknown {
            return 0;
        }
        let slice_ms = counter::slice_ms(FAILURES_WINDOW_S);
        let counter = self.counters.of(network, slice_ms, now);
        counter.count();
        match counter.total().saturating_sub(FREE_FAILURES) {
            0 => 0,
            beyond => FIRST_HOLD_MS
                .saturating_mul(2_u32.saturating_pow(beyond - 1))
                .min(LONGEST_HOLD_MS),
        }
    }
}

/// The bounded table.
struct Counters<K: Hash + Eq>(LruCache<K, Counter, Seeded>);

impl<K: Hash + Eq> Counters<K> {
    fn new(seed: u64) -> Self {
        // A bounded one takes all its memory at once.
        Self(LruCache::unbounded_with_hasher(Seeded(seed)))
    }

    /// The counter of `key`, with slices of this length, as it stands now.
    fn of(&mut self, key: K, slice_ms: u64, now: Millis) -> &mut Counter {
        if self.0.len() >= MOST && !self.0.contains(&key) {
            self.0.pop_lru();
        }
        let counter = self.0.get_or_insert_mut(key, Counter::default);
        counter.advance(now, slice_ms);
        counter
    }
}

#[cfg(test)]
mod tests;
