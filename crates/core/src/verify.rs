//! Asking whether a call would be let through: what others than the gateway's own clients ask.
//!
//! A back end asks `POST /_keyward/v1/verify` about a key; a proxy asks
//! `/_keyward/v1/forward-auth` about a call that it has received. Both prove themselves first, by
//! `Keyward-Verify-Key` ([`VerifyKeys`]); nothing else of what they send is read before. What they ask
//! is then written as the head of the call that it is about ([`forwarded`], [`Inquiry`]), and goes the
//! way that any call goes: there is no second decision.

pub mod forwarded;
mod inquiry;
mod keys;

pub use self::inquiry::Inquiry;
pub use self::keys::{VerifyKeys, VerifyKeysError};

use crate::restrict::scope::Scope;

/// The header that proves who asks.
pub const VERIFY_KEY: &str = "keyward-verify-key";
/// Where a call's question stands in its head, once its body was read. No client can send a header of
/// this name.
pub const BODY: &str = ":body";
/// What usage counts calls under that were asked about without an address: they are of no route.
pub const NO_ROUTE: &str = "verify";

/// How it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With the key in a body: answered with a document.
    Verify,
    /// With the headers of the call that it is about: answered as the call would be.
    ForwardAuth,
}

/// On what terms a call is asked about. Holds a key, so it is not to be printed.
#[derive(Clone)]
pub struct Terms {
    /// The one project whose keys who asks may know of; none for every project.
    pub project: Option<String>,
    /// The key, where it does not stand in the head.
    pub key: Option<String>,
    /// Scopes that the key needs beside those of the route.
    pub scopes: Vec<Scope>,
    /// What the call spends of the key's limits, instead of what the route says. What spends nothing is
    /// not counted either.
    pub cost: Option<u32>,
    /// Whether the head says where the call goes. If not, no route is looked for.
    pub is_placed: bool,
    /// Whether it is a public key that is to be exchanged: it goes nowhere yet, so that its path rules do
    /// not count.
    pub is_exchange: bool,
}

impl Terms {
    /// The terms of a proxy: the call is its client's.
    #[must_use]
    pub const fn of_proxy(project: Option<String>) -> Self {
        Self {
            project,
            key: None,
            scopes: Vec::new(),
            cost: None,
            is_placed: true,
            is_exchange: false,
        }
    }
}
