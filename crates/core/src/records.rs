//! Records of keys: from isolate memory, or from what KV answered.
//!
//! This module reads nothing by itself: it says what to read, and takes in the answer.

use crate::head::Head;
use crate::keyring::Keyring;
use crate::kind::Kind;
use crate::memory::{Age, Entry, Memory, Weighed};
use crate::names::record_name;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::secret::{Digest, Shape, may_be_imported};
use crate::session::Session;
use crate::time::Millis;

/// What KV answered for a name.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    /// A value.
    Found(&'a str),
    /// There is none.
    Missing,
    /// It failed or did not answer in time: nothing is known.
    Failed,
}

/// A read of KV that the entry has made, because an [`Outcome::Load`](crate::gateway::Outcome::Load) asked for it.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'a> {
    /// Which of the secret's names was read, from [`Load::attempt`].
    pub attempt: usize,
    /// The answer.
    pub stored: Stored<'a>,
}

/// A read of KV to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The secret whose record it is.
    pub digest: Digest,
    /// Counts the names under which entries of the keyring would keep the record.
    pub attempt: usize,
    /// The name to read.
    pub name: String,
}

/// What is known of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Memory has it, or has that there is none.
    Ready,
    /// Memory has it, and it is to be read again in the background.
    Refresh(Load),
    /// It is to be read first.
    Load(Load),
}

/// Isolate memory and what is needed to fill it.
pub struct Records<P> {
    keyring: Keyring,
    memory: Memory<P>,
}

impl<P: Default> Records<P> {
    /// Records under a keyring, in a memory.
    #[must_use]
    pub const fn new(keyring: Keyring, memory: Memory<P>) -> Self {
        Self { keyring, memory }
    }

    /// The keyring under which they stand.
    #[must_use]
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The digest of the public key that a session key stands for, and why the session key does not hold:
    /// that it has ended, or is used on another website. Only who may know of the public key is told.
    ///
    /// # Errors
    /// Of one that this deployment has not signed, those of [`Session::open`].
    #[cold]
    pub fn exchanged(
        &self,
        key: &str,
        head: &Head<'_>,
        now: Millis,
    ) -> Result<(Digest, Option<Refusal>), Refusal> {
        let session = Session::open(&self.keyring, key, Millis(0))?;
        let refusal = match Session::open(&self.keyring, key, now) {
            Err(refusal) => Some(refusal),
            Ok(session) => (!session.is_bound_to(head)).then_some(Refusal::ReferrerDenied),
        };
        Ok((session.digest, refusal))
    }

    /// The digest under which the record of a key stands, which may be a session key.
    #[must_use]
    pub fn digest(&self, key: &str) -> Digest {
        let session = Session::open(&self.keyring, key, Millis(0));
        session.map_or_else(|_| Digest::of(key), |session| session.digest)
    }

    /// The entry of a secret in memory.
    pub fn entry(&mut self, digest: &Digest) -> Option<&mut Entry<P>> {
        self.memory.entry(digest)
    }

    /// The same, with the keyring that opens what is sealed in its record.
    pub fn opened(&mut self, digest: &Digest) -> Option<(&mut Entry<P>, &Keyring)> {
        Some((self.memory.entry(digest)?, &self.keyring))
    }

    /// Makes sure that memory holds what is known of a secret, or says what to read.
    /// `imported_keys`: whether the secret may be one that was made elsewhere.
    ///
    /// What is in memory may have come there through another route: see [`policy::belongs`].
    ///
    /// [`policy::belongs`]: crate::policy::belongs
    ///
    /// # Errors
    /// [`Refusal::KeyInvalid`] for what is no key of this deployment, which costs no read unless
    /// it could be an imported one; [`Refusal::StoreUnavailable`] when nothing can be known.
    pub fn find(
        &mut self,
        key: &str,
        digest: Digest,
        imported_keys: bool,
        now: Millis,
        loaded: Option<Loaded<'_>>,
    ) -> Result<Found, Refusal> {
        self.seek(digest, now, loaded, |keyring| {
            admit(keyring, key, imported_keys).map(Some)
        })
    }

    /// The same of the parent of a derived key, of which no more than the digest is known.
    ///
    /// # Errors
    /// As [`Self::find`]; what names no secret that there is costs a read.
    pub fn find_parent(
        &mut self,
        digest: Digest,
        now: Millis,
        loaded: Option<Loaded<'_>>,
    ) -> Result<Found, Refusal> {
        self.seek(digest, now, loaded, |_| Ok(None))
    }

    /// The same of the public key that a session key stands for, whose tag was verified when that was
    /// signed.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_exchanged(
        &mut self,
        digest: Digest,
        now: Millis,
        loaded: Option<Loaded<'_>>,
    ) -> Result<Found, Refusal> {
        self.seek(digest, now, loaded, |_| Ok(Some(true)))
    }

    fn seek(
        &mut self,
        digest: Digest,
        now: Millis,
        loaded: Option<Loaded<'_>>,
        admit: impl Fn(&Keyring) -> Result<Option<bool>, Refusal>,
    ) -> Result<Found, Refusal> {
        let age = self.memory.look_up(&digest, now);
        match (age, loaded) {
            (Some(Age::Fresh), _) | (Some(Age::Refresh), Some(_)) => return Ok(Found::Ready),
            (Some(Age::Refresh), None) => {
                return Ok(self.load(digest, 0).map_or(Found::Ready, Found::Refresh));
            }
            (Some(Age::Stale | Age::Dead) | None, _) => {}
        }
        let native = admit(&self.keyring)?;
        match (age, loaded) {
            (None, None) if self.memory.is_absent(&digest, now) => Err(Refusal::KeyInvalid),
            (age, None) => match self.load(digest, 0) {
                Some(load) => Ok(Found::Load(load)),
                None => age.map(|_| Found::Ready).ok_or(Refusal::StoreUnavailable),
            },
            (age, Some(loaded)) => match self.take_in(digest, native, loaded, now) {
                TakenIn::Known if self.memory.entry(&digest).is_none() => Err(Refusal::KeyInvalid),
                TakenIn::Known => Ok(Found::Ready),
                TakenIn::Next(load) => Ok(Found::Load(load)),
                TakenIn::Failed if age == Some(Age::Stale) => Ok(Found::Ready),
                TakenIn::Failed | TakenIn::Unreadable => Err(Refusal::StoreUnavailable),
            },
        }
    }

    fn load(&self, digest: Digest, attempt: usize) -> Option<Load> {
        let entry = self.keyring.in_force().nth(attempt)?;
        Some(Load {
            digest,
            attempt,
            name: record_name(entry, &digest),
        })
    }

    fn take_in(
        &mut self,
        digest: Digest,
        native: Option<bool>,
        loaded: Loaded<'_>,
        now: Millis,
    ) -> TakenIn {
        match loaded.stored {
            Stored::Found(value) => {
                let Some(load) = self.load(digest, loaded.attempt) else {
                    return TakenIn::Failed;
                };
                match Record::open(value, &load.name, &self.keyring) {
                    Ok(record) => {
                        let read = Weighed::new(record, value.len());
                        self.memory.store(digest, native, Some(read), now);
                    }
                    Err(_) => {
                        // What stood here before may lack a restriction that this one has.
                        self.memory.forget(&digest);
                        return TakenIn::Unreadable;
                    }
                }
                TakenIn::Known
            }
            Stored::Missing => match self.load(digest, loaded.attempt + 1) {
                Some(load) => TakenIn::Next(load),
                None => {
                    self.memory.store(digest, native, None, now);
                    TakenIn::Known
                }
            },
            Stored::Failed => TakenIn::Failed,
        }
    }

    /// Takes in what the meter of a key says of one of its secrets: its newest record, or that
    /// there is none. What memory has let go of meanwhile is of no use any more.
    pub fn told(&mut self, digest: Digest, said: Option<Weighed>, now: Millis) {
        self.memory.told(digest, said, now);
    }

    /// The meter of a key has confirmed the record of one of its secrets, when it was asked.
    pub fn confirm(&mut self, digest: &Digest, version: u64, asked: Millis) {
        self.memory.confirm(digest, version, asked);
    }

    /// Takes in the answer to a background read. Returns the next name to read, if any. What memory
    /// has let go of meanwhile is of no use any more.
    pub fn refreshed(&mut self, digest: Digest, loaded: Loaded<'_>, now: Millis) -> Option<Load> {
        let native = self.memory.entry(&digest)?.native;
        match self.take_in(digest, native, loaded, now) {
            TakenIn::Next(load) => Some(load),
            TakenIn::Known | TakenIn::Failed | TakenIn::Unreadable => None,
        }
    }
}

/// Whether the secret's tag verifies; it may not where it can be an imported one. No secret of
/// a shape that says "management" or "derived" is imported.
pub(crate) fn admit(keyring: &Keyring, key: &str, imported_keys: bool) -> Result<bool, Refusal> {
    let shape = Shape::parse(key);
    let native = shape.is_some_and(|shape| keyring.verifies_tag(&shape));
    let admitted = match shape.map(|shape| shape.kind()) {
        Some(Kind::Derived) => false,
        _ if native => true,
        Some(Kind::Management) => false,
        Some(Kind::Public | Kind::Private) | None => imported_keys && may_be_imported(key),
    };
    if admitted {
        Ok(native)
    } else {
        Err(Refusal::KeyInvalid)
    }
}

enum TakenIn {
    Known,
    Next(Load),
    /// KV says nothing: what is known already may serve for a while.
    Failed,
    /// KV has a record that this worker cannot vouch for: nothing may serve.
    Unreadable,
}
