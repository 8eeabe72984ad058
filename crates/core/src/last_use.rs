//! Which keys were used, for the registries to know: collected per isolate, told in the background.
//!
//! 1. A key that was let through is noted, at most once an hour. Between that, a call costs one
//!    comparison with a number beside its record ([`crate::memory::Entry::tell_at`]).
//! 2. The first note begins a collection: the entry waits 2 s, so that a burst is one message, and
//!    takes what has come together, by project.
//! 3. Only a message that arrived begins the hour of its keys. After one that did not, or was
//!    cancelled with its request, a use a minute later is noted again.
//!
//! Everything is bounded, and what does not fit is left to a later use. A key is told of by its
//! id: two secrets of one key are one key.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::memory::seeded::Seeded;
use crate::time::Millis;

/// How often a key is told of at most.
pub const EVERY_MS: u64 = 3_600_000;
/// How long after a note that came to nothing the key is noted again.
pub const AGAIN_MS: u64 = 60_000;
/// When the mark "a collection is under way" expires: its request may have been cancelled.
pub const COLLECTING_MARK_MS: u64 = 10_000;
/// How many keys wait to be told of.
pub const MOST_WAITING: usize = 1000;
/// How many messages one collection makes: a platform's request may ask others only so often.
pub const MOST_MESSAGES: usize = 20;

/// What is to be told, and what has been.
pub struct LastUse {
    bound: NonZeroUsize,
    told: LruCache<String, Millis, Seeded>,
    waiting: Vec<Used>,
    collecting: Option<Millis>,
}

struct Used {
    project: String,
    key_id: String,
}

/// What came of noting a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Uses before this are not to be noted.
    pub next: Millis,
    /// A collection begins with this use: [`LastUse::take`] is to be called in some seconds.
    pub collect: bool,
}

/// The keys of one project that were used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The project's id.
    pub project: String,
    /// Ids of its keys; not empty.
    pub keys: Vec<String>,
}

impl LastUse {
    /// Remembers of at most `bound` keys when they were told of. `seed` is secret.
    #[must_use]
    pub fn new(bound: NonZeroUsize, seed: u64) -> Self {
        Self {
            bound,
            // A bounded one takes all its memory at once.
            told: LruCache::unbounded_with_hasher(Seeded(seed)),
            waiting: Vec::new(),
            collecting: None,
        }
    }

    /// Notes that a key was let through.
    pub fn note(&mut self, project: &str, key_id: &str, now: Millis) -> Noted {
        if let Some(told) = self.told.get(key_id)
            && now < told.plus(EVERY_MS)
        {
            return Noted {
                next: told.plus(EVERY_MS),
                collect: false,
            };
        }
        let known = self.waiting.iter().any(|used| used.key_id == key_id);
        if !known && self.waiting.len() < MOST_WAITING {
            self.waiting.push(Used {
                project: project.to_owned(),
                key_id: key_id.to_owned(),
            });
        }
        let under_way = |since: Millis| since <= now && now.since(since) < COLLECTING_MARK_MS;
        let collect = !self.collecting.is_some_and(under_way);
        if collect {
            self.collecting = Some(now);
        }
        Noted {
            next: now.plus(AGAIN_MS),
            collect,
        }
    }

    /// Ends the collection: what is to be sent now. Projects beyond [`MOST_MESSAGES`] wait for the
    /// next one.
    pub fn take(&mut self) -> Vec<Message> {
        self.collecting = None;
        let mut messages: Vec<Message> = Vec::new();
        let mut left = Vec::new();
        for used in self.waiting.drain(..) {
            let room = messages.len() < MOST_MESSAGES;
            match messages.iter_mut().find(|one| one.project == used.project) {
                Some(message) => message.keys.push(used.key_id),
                None if room => messages.push(Message {
                    project: used.project,
                    keys: vec![used.key_id],
                }),
                None => left.push(used),
            }
        }
        self.waiting = left;
        messages
    }

    /// A message with these keys has arrived.
    pub fn told<'a>(&mut self, keys: impl Iterator<Item = &'a str>, now: Millis) {
        for key in keys {
            self.told.put(key.to_owned(), now);
            if self.told.len() > self.bound.get() {
                self.told.pop_lru();
            }
        }
    }
}

#[cfg(test)]
mod tests;
