//! Secrets that KV had nothing for, remembered for 10 s.
//!
//! Of their own bound, and never among the records: on a route that takes imported keys anybody
//! can ask for any string, and a flood of them must cost the keys that exist nothing.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::FRESH_MS;
use super::seeded::Seeded;
use crate::secret::Digest;
use crate::time::Millis;

/// How many absent secrets are remembered. The one that was asked for longest ago goes first, and
/// costs a read of KV when it is asked for again.
pub(super) const MOST: usize = 1000;

/// The bounded set.
pub(super) struct Absent {
    seen: LruCache<Digest, Millis, Seeded>,
}

impl Absent {
    pub(super) fn new(seed: u64) -> Self {
        let bound = NonZeroUsize::new(MOST).unwrap_or(NonZeroUsize::MIN);
        Self {
            seen: LruCache::with_hasher(bound, Seeded(seed)),
        }
    }

    /// Whether KV had nothing for the secret within the last 10 s. A clock that moved back says
    /// nothing about that.
    pub(super) fn contains(&mut self, digest: &Digest, now: Millis) -> bool {
        self.seen
            .get(digest)
            .is_some_and(|seen| *seen <= now && now.since(*seen) < FRESH_MS)
    }

    /// KV has nothing for the secret.
    pub(super) fn note(&mut self, digest: Digest, now: Millis) {
        self.seen.put(digest, now);
    }

    /// KV has something for the secret.
    pub(super) fn forget(&mut self, digest: &Digest) {
        self.seen.pop(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_holds_for_ten_seconds_and_not_before_it_was_seen() {
        let digest = Digest::of("k");
        let mut absent = Absent::new(7);
        assert!(!absent.contains(&digest, Millis(50_000)));
        absent.note(digest, Millis(50_000));
        for (now, known) in [
            (49_999, false),
            (50_000, true),
            (59_999, true),
            (60_000, false),
        ] {
            assert_eq!(absent.contains(&digest, Millis(now)), known, "{now}");
        }
        absent.forget(&digest);
        assert!(!absent.contains(&digest, Millis(50_000)));
    }

    #[test]
    fn it_is_bounded() {
        let mut absent = Absent::new(7);
        for number in 0..5 * MOST {
            absent.note(Digest::of(&number.to_string()), Millis(1));
        }
        assert_eq!(absent.seen.len(), MOST);
        assert!(absent.contains(&Digest::of(&(5 * MOST - 1).to_string()), Millis(1)));
        assert!(!absent.contains(&Digest::of("0"), Millis(1)));
    }
}
