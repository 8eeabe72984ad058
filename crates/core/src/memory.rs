//! Isolate memory: the records that this isolate has read, in front of KV.
//!
//! Bounded in number and in size, least recently used out first. Records are cached, never decisions. A record is
//! fresh for 10 s; then it is served while a refresh runs in the background; after 30 s it is
//! read again before it decides. What the key's meter confirms stays fresh, but for one look at KV
//! each minute. When KV fails, a record at most `stale_if_error` old still serves. That a key is unknown is remembered for 10 s, apart from the records (`absent`): who
//! tries strings pushes no record out. A deleted key's record is a record like others but for its
//! age, which is that of an unknown key: nothing tells the two apart.

mod absent;
pub(crate) mod seeded;

use std::num::NonZeroUsize;

use lru::LruCache;

use self::absent::Absent;
use self::seeded::Seeded;
use crate::record::{Record, Status};
use crate::secret::Digest;
use crate::time::Millis;

/// How long a record, or its absence, is served without a look at KV.
pub const FRESH_MS: u64 = 10_000;
/// How long a record is served while its refresh is under way.
pub const HARD_MS: u64 = 30_000;
/// How long a record that its meter confirms is served without a look at KV: a meter may not have been
/// told of what KV has.
pub const CONFIRMED_MS: u64 = 60_000;
/// How long a deletion that was seen holds against a replica that lags behind it.
pub const DELETED_MS: u64 = 120_000;
/// How many bytes all records together may take, as [`Weighed`] estimates it: an isolate has 128 MB for
/// everything, and one record may have hundreds of rules.
pub const MOST_BYTES: usize = 24 * 1024 * 1024;
/// What a rule takes beside its text.
const RULE_BYTES: usize = 128;
/// When the mark "a refresh is under way" expires: its request may have been cancelled.
pub const REFRESH_MARK_MS: u64 = 2_000;

/// A record that was read, with an estimate of what it takes in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    record: Record,
    bytes: usize,
}

impl Weighed {
    /// A record that was read from a text of so many bytes.
    #[must_use]
    pub fn new(record: Record, text: usize) -> Self {
        let rules = record.restrictions.rules();
        let bytes = text.saturating_add(rules.saturating_mul(RULE_BYTES));
        Self { record, bytes }
    }
}

/// A record with what the gateway has planned for it.
#[derive(Debug)]
pub struct Entry<P> {
    /// The record; `None` when KV has none of this name.
    pub record: Option<Record>,
    /// Whether the secret's tag verifies. One that does not can only be an imported one. Not known as
    /// long as only keys that are derived from the secret were sent.
    pub native: Option<bool>,
    /// What the owner of the memory keeps beside the record; lost when the record changes.
    pub plans: P,
    /// What the record takes.
    bytes: usize,
    fetched: Millis,
    /// When KV was read, or was to be read, last.
    read: Millis,
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
    absent: Absent,
    /// What all records together take.
    bytes: usize,
    stale_if_error_ms: u64,
}

impl<P: Default> Memory<P> {
    /// A memory of at most `bound` entries. `seed` is secret, so that nobody can choose keys
    /// that collide.
    #[must_use]
    pub fn new(bound: NonZeroUsize, stale_if_error_ms: u64, seed: u64) -> Self {
        Self {
            entries: LruCache::with_hasher(bound, Seeded(seed)),
            absent: Absent::new(seed),
            bytes: 0,
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
            // One that is not confirmed grows older than that before this is over.
            if entry.read <= now && now.since(entry.read) < CONFIRMED_MS {
                return Some(Age::Fresh);
            }
            entry.read = now;
            return Some(Age::Refresh);
        }
        let gone = |record: &Record| record.status == Status::Deleted;
        if entry.record.as_ref().is_none_or(gone) {
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
        entry.read = now;
        Some(Age::Refresh)
    }

    /// Whether KV had nothing for a secret a moment ago.
    pub fn is_absent(&mut self, digest: &Digest, now: Millis) -> bool {
        self.absent.contains(digest, now)
    }

    /// The entry of a secret, without marking it as used.
    pub fn entry(&mut self, digest: &Digest) -> Option<&mut Entry<P>> {
        self.entries.peek_mut(digest)
    }

    /// Takes in what KV answered for a secret, and whether that secret's tag verifies, if it is known. A record
    /// never goes back to an older version of itself: KV's replicas may lag behind what this
    /// isolate has seen.
    pub fn store(
        &mut self,
        digest: Digest,
        native: Option<bool>,
        read: Option<Weighed>,
        now: Millis,
    ) {
        match (self.entries.get_mut(&digest), read) {
            (Some(entry), read) => {
                entry.native = native.or(entry.native);
                self.replace(&digest, read, now);
            }
            (None, None) => self.absent.note(digest, now),
            (None, Some(Weighed { record, bytes })) => {
                self.absent.forget(&digest);
                let entry = Entry {
                    record: Some(record),
                    native,
                    plans: P::default(),
                    bytes,
                    fetched: now,
                    read: now,
                    refreshing: None,
                    deleted: None,
                };
                self.bytes = self.bytes.saturating_add(bytes);
                if let Some((_, gone)) = self.entries.push(digest, entry) {
                    self.bytes = self.bytes.saturating_sub(gone.bytes);
                }
            }
        }
        self.make_room();
    }

    fn replace(&mut self, digest: &Digest, read: Option<Weighed>, now: Millis) {
        let Some(entry) = self.entries.peek_mut(digest) else {
            return;
        };
        entry.fetched = now;
        entry.read = now;
        entry.refreshing = None;
        let new = read.as_ref().map(|read| &read.record);
        let keep = match (&entry.record, new) {
            (Some(old), Some(new)) => old.key_id == new.key_id && is_as_new(old, new),
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
            let bytes = read.as_ref().map_or(0, |read| read.bytes);
            self.bytes = self.bytes.saturating_add(bytes).saturating_sub(entry.bytes);
            entry.bytes = bytes;
            entry.record = read.map(|read| read.record);
            entry.plans = P::default();
        }
    }

    /// Lets go of what was used longest ago until all together take no more than they may. The one
    /// that is used now stays.
    fn make_room(&mut self) {
        while self.bytes > MOST_BYTES && self.entries.len() > 1 {
            if let Some((_, gone)) = self.entries.pop_lru() {
                self.bytes = self.bytes.saturating_sub(gone.bytes);
            }
        }
    }

    /// Takes in what the key's meter says of a secret that is held: that is no read of KV.
    pub fn told(&mut self, digest: Digest, said: Option<Weighed>, now: Millis) {
        let Some(entry) = self.entries.peek(&digest) else {
            return;
        };
        let read = entry.read;
        self.store(digest, entry.native, said, now);
        if let Some(entry) = self.entries.peek_mut(&digest) {
            entry.read = read;
        }
    }

    /// The meter has said that the record of a secret is the newest in this version, when it was
    /// asked: that is as good as a read of KV, for [`CONFIRMED_MS`].
    pub fn confirm(&mut self, digest: &Digest, version: u64, asked: Millis) {
        let Some(entry) = self.entries.peek_mut(digest) else {
            return;
        };
        let same = |record: &Record| record.version == version;
        if entry.record.as_ref().is_some_and(same) && entry.fetched < asked {
            entry.fetched = asked;
            entry.refreshing = None;
        }
    }

    /// Forgets a secret.
    pub fn forget(&mut self, digest: &Digest) {
        if let Some(gone) = self.entries.pop(digest) {
            self.bytes = self.bytes.saturating_sub(gone.bytes);
        }
    }

    /// How many entries are held; what is known to be absent is none.
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

/// Whether a record that is held says all that one of the same key says. The derivation key may be
/// sealed anew without a new version.
fn is_as_new(held: &Record, read: &Record) -> bool {
    let sealed_anew = read.derivation.is_some() && read.derivation != held.derivation;
    held.version > read.version || (held.version == read.version && !sealed_anew)
}

#[cfg(test)]
mod tests;
