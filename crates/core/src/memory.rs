//! Isolate memory: the records that this isolate has read, in front of KV.
//!
//! Bounded, least recently used out first. Records are cached, never decisions. A record is
//! fresh for 10 s; then it is served while a refresh runs in the background; after 30 s it is
//! read again before it decides. When KV fails, a record at most `stale_if_error` old still
//! serves. That a key is unknown is remembered for 10 s.

use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::record::Record;
use crate::secret::Digest;
use crate::time::Millis;

/// How long a record, or its absence, is served without a look at KV.
pub const FRESH_MS: u64 = 10_000;
/// How long a record is served while its refresh is under way.
pub const HARD_MS: u64 = 30_000;
/// How long a deletion that was seen holds against a replica that lags behind it.
pub const DELETED_MS: u64 = 120_000;
/// When the mark "a refresh is under way" expires: its request may have been cancelled.
pub const REFRESH_MARK_MS: u64 = 2_000;

/// A record with what the gateway has planned for it.
#[derive(Debug)]
pub struct Entry<P> {
    /// The record; `None` when KV has none of this name.
    pub record: Option<Record>,
    /// What the owner of the memory keeps beside the record; lost when the record changes.
    pub plans: P,
    fetched: Millis,
    refreshing: Option<Millis>,
    /// The deletion that was seen last: key id, version, and when.
    deleted: Option<(String, u64, Millis)>,
}

/// How an entry may be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Serve it.
    Fresh,
    /// Serve it and refresh it in the background.
    Refresh,
    /// Read KV first; serve it only if KV fails.
    Stale,
    /// Too old for anything.
    Dead,
}

/// The bounded cache.
pub struct Memory<P> {
    entries: LruCache<Digest, Entry<P>, Seeded>,
    stale_if_error_ms: u64,
}

impl<P: Default> Memory<P> {
    /// A memory of at most `bound` entries. `seed` is secret, so that nobody can choose keys
    /// that collide.
    #[must_use]
    pub fn new(bound: NonZeroUsize, stale_if_error_ms: u64, seed: u64) -> Self {
        Self {
            entries: LruCache::with_hasher(bound, Seeded(seed)),
            stale_if_error_ms,
        }
    }

    /// The age of what is known of a secret; `None` when nothing is. Marks it as used, and as
    /// being refreshed when the answer is [`Age::Refresh`].
    pub fn look_up(&mut self, digest: &Digest, now: Millis) -> Option<Age> {
        let stale_if_error_ms = self.stale_if_error_ms;
        let entry = self.entries.get_mut(digest)?;
        let age = now.since(entry.fetched);
        // A clock that moved back says nothing about the age: read again.
        if now < entry.fetched {
            return Some(Age::Stale);
        }
        if age < FRESH_MS {
            return Some(Age::Fresh);
        }
        if entry.record.is_none() {
            return Some(Age::Dead);
        }
        if age >= HARD_MS {
            return Some(if age <= stale_if_error_ms {
                Age::Stale
            } else {
                Age::Dead
            });
        }
        let under_way = |mark: Millis| now.since(mark) < REFRESH_MARK_MS;
        if entry.refreshing.is_some_and(under_way) {
            return Some(Age::Fresh);
        }
        entry.refreshing = Some(now);
        Some(Age::Refresh)
    }

    /// The entry of a secret, without marking it as used.
    pub fn entry(&mut self, digest: &Digest) -> Option<&mut Entry<P>> {
        self.entries.peek_mut(digest)
    }

    /// Takes in what KV answered. A record never goes back to an older version of itself: KV's
    /// replicas may lag behind what this isolate has seen.
    pub fn store(&mut self, digest: Digest, record: Option<Record>, now: Millis) {
        let Some(entry) = self.entries.get_mut(&digest) else {
            let entry = Entry {
                record,
                plans: P::default(),
                fetched: now,
                refreshing: None,
                deleted: None,
            };
            self.entries.put(digest, entry);
            return;
        };
        entry.fetched = now;
        entry.refreshing = None;
        let keep = match (&entry.record, &record) {
            (Some(old), Some(new)) => old.key_id == new.key_id && old.version >= new.version,
            (None, None) => true,
            (None, Some(new)) => entry
                .deleted
                .as_ref()
                .is_some_and(|(key_id, version, seen)| {
                    *key_id == new.key_id
                        && *version >= new.version
                        && now.since(*seen) < DELETED_MS
                }),
            (Some(old), None) => {
                entry.deleted = Some((old.key_id.clone(), old.version, now));
                false
            }
        };
        if !keep {
            entry.record = record;
            entry.plans = P::default();
        }
    }

    /// Forgets a secret.
    pub fn forget(&mut self, digest: &Digest) {
        self.entries.pop(digest);
    }

    /// How many entries are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Hashes a digest by a secret seed. Digests are uniform already; the seed keeps their order in
/// the table out of an attacker's reach.
#[derive(Clone, Copy)]
struct Seeded(u64);

struct SeededHasher(u64);

impl BuildHasher for Seeded {
    type Hasher = SeededHasher;

    fn build_hasher(&self) -> SeededHasher {
        SeededHasher(self.0)
    }
}

impl Hasher for SeededHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk
                .iter()
                .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
            self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::record::{SCHEMA, Status};

    fn record(version: u64) -> Record {
        Record {
            schema: SCHEMA,
            project: "acme".into(),
            environment: "live".into(),
            key_id: "key_1".into(),
            secret_id: "sec_1".into(),
            kind: Kind::Private,
            version,
            status: Status::Active,
            owner: None,
            not_before: None,
            expires_at: None,
            not_after: None,
            restrictions: Default::default(),
        }
    }

    fn memory(bound: usize) -> Memory<()> {
        Memory::new(NonZeroUsize::new(bound).unwrap(), 300_000, 7)
    }

    fn at(seconds: u64) -> Millis {
        Millis(1_000_000 + seconds * 1000)
    }

    #[test]
    fn a_record_ages_from_fresh_to_dead() {
        let digest = Digest::of("k");
        for (seconds, age) in [
            (0, Age::Fresh),
            (9, Age::Fresh),
            (10, Age::Refresh),
            (29, Age::Refresh),
            (30, Age::Stale),
            (300, Age::Stale),
            (301, Age::Dead),
        ] {
            let mut memory = memory(4);
            memory.store(digest, Some(record(1)), at(0));
            assert_eq!(
                memory.look_up(&digest, at(seconds)),
                Some(age),
                "{seconds} s"
            );
        }
    }

    #[test]
    fn one_refresh_at_a_time_and_its_mark_expires() {
        let digest = Digest::of("k");
        let mut memory = memory(4);
        memory.store(digest, Some(record(1)), at(0));
        assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Refresh));
        assert_eq!(memory.look_up(&digest, at(11)), Some(Age::Fresh));
        assert_eq!(memory.look_up(&digest, at(12)), Some(Age::Refresh));
        memory.store(digest, Some(record(1)), at(13));
        assert_eq!(memory.look_up(&digest, at(22)), Some(Age::Fresh));
    }

    #[test]
    fn absence_is_remembered_for_ten_seconds() {
        let digest = Digest::of("k");
        let mut memory = memory(4);
        memory.store(digest, None, at(0));
        assert_eq!(memory.look_up(&digest, at(9)), Some(Age::Fresh));
        assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Dead));
    }

    #[test]
    fn a_version_never_goes_back_but_a_deletion_holds() {
        let digest = Digest::of("k");
        let mut memory = memory(4);
        memory.store(digest, Some(record(5)), at(0));
        memory.store(digest, Some(record(4)), at(1));
        assert_eq!(
            memory
                .entry(&digest)
                .unwrap()
                .record
                .as_ref()
                .unwrap()
                .version,
            5
        );
        memory.store(digest, Some(record(6)), at(2));
        assert_eq!(
            memory
                .entry(&digest)
                .unwrap()
                .record
                .as_ref()
                .unwrap()
                .version,
            6
        );
        memory.store(digest, None, at(3));
        assert_eq!(memory.entry(&digest).unwrap().record, None);
        let version = |memory: &mut Memory<()>| {
            let entry = memory.entry(&digest).unwrap();
            entry.record.as_ref().map(|record| record.version)
        };
        memory.store(digest, Some(record(6)), at(20));
        assert_eq!(version(&mut memory), None, "a lagging replica");
        memory.store(digest, Some(record(7)), at(21));
        assert_eq!(version(&mut memory), Some(7), "created again");
        memory.store(digest, None, at(22));
        memory.store(digest, Some(record(7)), at(143));
        assert_eq!(version(&mut memory), Some(7), "KV insists");
    }

    #[test]
    fn a_clock_that_moves_back_reads_again() {
        let digest = Digest::of("k");
        let mut memory = memory(4);
        memory.store(digest, Some(record(1)), at(100));
        assert_eq!(memory.look_up(&digest, at(50)), Some(Age::Stale));
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut memory = memory(2);
        let keys = ["a", "b", "c"].map(Digest::of);
        memory.store(keys[0], Some(record(1)), at(0));
        memory.store(keys[1], Some(record(1)), at(0));
        memory.look_up(&keys[0], at(1));
        memory.store(keys[2], Some(record(1)), at(1));
        assert_eq!(memory.len(), 2);
        assert_eq!(
            keys.map(|key| memory.look_up(&key, at(1)).is_some()),
            [true, false, true]
        );
    }
}
