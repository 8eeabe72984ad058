//! The limits per client address that stand in a key's own fields.

use std::hash::BuildHasher as _;
use std::num::NonZeroU32;

use super::counter;
use super::{Counters, Network, Over, Pair, Quantity};
use crate::limits::{Per, Rate};
use crate::memory::seeded::Seeded;
use crate::record::Record;
use crate::time::Millis;

/// The calls of keys by limit and client address.
pub struct Rates {
    seed: Seeded,
    counters: Counters<Pair>,
}

impl Rates {
    /// Nothing is counted. `seed` is secret.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed: Seeded(seed),
            counters: Counters::new(seed),
        }
    }

    /// Whether each of the key's limits has room for a call from an address.
    ///
    /// # Errors
    /// The first limit that has not.
    pub fn check<'a>(
        &mut self,
        record: &'a Record,
        network: Network,
        now: Millis,
    ) -> Result<(), (&'a Rate, Over)> {
        for rate in by_address(record) {
            let quantity = quantity(rate);
            let slice_ms = counter::slice_ms(quantity.window_s);
            let pair = self.pair(record, rate, network);
            let counter = self.counters.of(pair, slice_ms, now);
            if counter.total() >= quantity.calls.get() {
                let wait_s = counter.frees_in(now, slice_ms).div_ceil(1000).max(1);
                return Err((rate, Over { quantity, wait_s }));
            }
        }
        Ok(())
    }

    /// Counts a call that is let through.
    pub fn spend(&mut self, record: &Record, network: Network, now: Millis) {
        for rate in by_address(record) {
            let slice_ms = counter::slice_ms(quantity(rate).window_s);
            let pair = self.pair(record, rate, network);
            self.counters.of(pair, slice_ms, now).count();
        }
    }

    /// A window of another length is another limit: its slices are others.
    fn pair(&self, record: &Record, rate: &Rate, network: Network) -> Pair {
        let Record {
            project, key_id, ..
        } = record;
        let limit = (project, key_id, &rate.name, rate.window_s);
        Pair {
            key: self.seed.hash_one(limit),
            network,
        }
    }
}

fn by_address(record: &Record) -> impl Iterator<Item = &Rate> {
    record.limits.rate.iter().filter(|rate| rate.per == Per::Ip)
}

/// Within one isolate no address gets near the greatest numbers.
fn quantity(rate: &Rate) -> Quantity {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Quantity {
        calls: NonZeroU32::new(narrow(rate.limit)).unwrap_or(NonZeroU32::MIN),
        window_s: narrow(rate.window_s).max(1),
    }
}
