//! The derived keys that this isolate has verified: what each says, once its MAC was checked under the
//! derivation key of its parent. That never changes; whether the parent still holds, and whether the
//! key says more than its parent has, is looked at on every call.
//!
//! Bounded: of more than [`MOST`] the one that was used longest ago goes, and is verified again when
//! it comes back. A key that is not in its time, or says more than its parent has, stays outside:
//! whoever holds it has it for good, and must not push out those that are in use.

use lru::LruCache;

use super::fixed::Plans;
use crate::derived::{self, Terms, Token, may_be_derived};
use crate::keyring::Keyring;
use crate::memory::seeded::Seeded;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::secret::Digest;
use crate::throttle::OwnLimit;
use crate::time::Millis;

/// How many are kept. A key has at most 512 bytes, and what is read from it some 2 KB.
const MOST: usize = 5_000;

/// The bounded table, by the digest of the whole key.
pub(super) struct Derived {
    known: LruCache<Digest, Verified, Seeded>,
    /// The last one that was verified and has no place in the table.
    outside: Option<Verified>,
}

/// A key that was verified.
pub(super) struct Verified {
    /// The digest of its parent's secret.
    pub(super) parent: Digest,
    pub(super) environment: String,
    pub(super) terms: Terms,
    /// Its own limit.
    pub(super) limit: Option<OwnLimit>,
    /// As beside a record, for this key.
    pub(super) plans: Plans,
    /// The key and the version of the parent's record for which the plans were made.
    planned: (String, u64),
}

/// A derived key that was sent.
pub(super) enum Sent<'a> {
    /// It was verified before; the digest of its parent's secret.
    Verified(Digest),
    /// It is of the right form, and that is all that is known.
    New(Token<'a>),
}

impl Sent<'_> {
    pub(super) fn parent(&self) -> Digest {
        match self {
            Self::Verified(parent) => *parent,
            Self::New(token) => token.parent(),
        }
    }
}

impl Derived {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            // A bounded one takes all its memory at once.
            known: LruCache::unbounded_with_hasher(Seeded(seed)),
            outside: None,
        }
    }

    /// What is sent, if it is a derived key.
    pub(super) fn read<'a>(&self, key: &'a str, digest: &Digest) -> Option<Sent<'a>> {
        if !may_be_derived(key) {
            return None;
        }
        let known = self.peek(digest);
        known
            .map(|verified| Sent::Verified(verified.parent))
            .or_else(|| Token::parse(key).map(Sent::New))
    }

    /// A key that was verified, without marking it as used.
    pub(super) fn peek(&self, digest: &Digest) -> Option<&Verified> {
        self.known.peek(digest)
    }

    /// Verifies a key, unless it was, with the record of its parent.
    ///
    /// # Errors
    /// [`Refusal::KeyInvalid`] when the parent's holder has not minted it, or nothing derives from
    /// the parent any more.
    pub(super) fn verified(
        &mut self,
        digest: Digest,
        sent: Sent<'_>,
        record: &Record,
        keyring: &Keyring,
        now: Millis,
    ) -> Result<&mut Verified, Refusal> {
        let sealed = record.derivation.as_deref().ok_or(Refusal::KeyInvalid)?;
        let verified = match sent {
            Sent::New(token) => {
                let verified = verify(&token, digest, record, keyring, sealed)?;
                let terms = &verified.terms;
                if !verified.is_in_time(now) || !terms.within(&record.restrictions) {
                    return Ok(self.outside.insert(verified));
                }
                if self.known.len() >= MOST {
                    self.known.pop_lru();
                }
                self.known.get_or_insert_mut(digest, || verified)
            }
            Sent::Verified(_) => {
                let ended = self.peek(&digest).is_some_and(|one| !one.is_in_time(now));
                if let Some(verified) = ended.then(|| self.known.pop(&digest)).flatten() {
                    return Ok(self.outside.insert(verified));
                }
                let known = self.known.get_mut(&digest);
                known.ok_or(Refusal::InternalError)?
            }
        };
        let (key_id, version) = &verified.planned;
        if *key_id != record.key_id || *version != record.version {
            verified.plans = Plans::default();
            verified.planned = (record.key_id.clone(), record.version);
        }
        Ok(verified)
    }
}

impl Verified {
    /// Whether its time has come, and is not over.
    pub(super) fn is_in_time(&self, now: Millis) -> bool {
        self.terms.hold(now).is_ok()
    }
}

fn verify(
    token: &Token<'_>,
    digest: Digest,
    record: &Record,
    keyring: &Keyring,
    sealed: &str,
) -> Result<Verified, Refusal> {
    let Record {
        project, key_id, ..
    } = record;
    let parent = token.parent();
    let key = derived::open(keyring, project, key_id, &parent, sealed);
    let terms = key.and_then(|key| token.verify(&key));
    let terms = terms.ok_or(Refusal::KeyInvalid)?;
    let user = terms.user.as_deref();
    Ok(Verified {
        parent,
        environment: token.environment().to_owned(),
        limit: terms.limit.map(|limit| OwnLimit::new(limit, user, digest)),
        terms,
        plans: Plans::default(),
        planned: Default::default(),
    })
}
