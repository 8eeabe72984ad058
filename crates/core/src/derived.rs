//! Derived keys: minted offline by whoever holds a private key's secret, short-lived, and narrower.
//!
//! The text is `<vendor>_dk_<environment>_1` and a body. The body is, in base64 without padding
//! (`text`), three things one after the other:
//!
//! 1. SHA-256 of the parent's secret, 32 bytes: by it the parent's record is found, with one read;
//! 2. what the key says of itself, lines of text ([`Terms`]);
//! 3. 32 bytes of HMAC-SHA-256 (RFC 2104) over the text before the body, 1. and 2., under
//!    `HMAC(secret, "keyward/derive/1")`, the parent's derivation key.
//!
//! Rules:
//! - A derived key only narrows: what its parent may not do, it may not do, and what it says beside
//!   that holds as well. One that says more than its parent has is refused ([`Terms::within`]).
//! - No page may use it, as no page may use its parent, unless it says which, or any
//!   ([`Terms::is_for_pages`]).
//! - It ends at most 24 hours ahead of any call that it is used for.
//! - It derives nothing: its own digest is no key's.
//! - Whatever of it is not known (a version, a line) is refused: it might narrow.
//!
//! The digest shows nothing of a secret that this deployment has minted (142 random bits). One that
//! was made elsewhere can be guessed by whoever has a key that is derived from it, as far as it can
//! be guessed at all: the MAC alone would serve for that.

mod mint;
mod narrow;
mod seal;
mod terms;
mod text;

use subtle::ConstantTimeEq as _;

pub use self::mint::{DEFAULT_LIFE_MS, DeriveError, mint};
pub use self::seal::{open, seal};
pub use self::terms::{Limit, Terms};
use crate::kind::Kind;
use crate::mac;
use crate::names;
use crate::secret::{Digest, FORMAT};

/// How far ahead a derived key may end, in milliseconds: 24 hours.
pub const LONGEST_LIFE_MS: u64 = 24 * 60 * 60 * 1000;
/// By how much the clock of whoever mints may be ahead of the edge's, in milliseconds.
pub const CLOCKS_MS: u64 = 60 * 1000;

/// The length of a digest, and of a MAC.
const HASH: usize = 32;

/// A derived key as it was sent: of the right form, and not verified.
pub struct Token<'a> {
    /// All before the body.
    prefix: &'a str,
    environment: &'a str,
    body: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a text apart; `None` for what is no derived key of this version.
    #[must_use]
    pub fn parse(key: &'a str) -> Option<Self> {
        let (vendor, rest) = key.split_once('_')?;
        let (kind, rest) = rest.split_once('_')?;
        let (environment, body) = rest.split_once('_')?;
        let body = body.strip_prefix(FORMAT)?;
        let of_shape = kind == Kind::Derived.prefix()
            && names::is_vendor(vendor)
            && names::is_environment(environment);
        if !of_shape {
            return None;
        }
        let prefix = key.get(..key.len().checked_sub(body.len())?)?;
        let body = text::decode(body)?;
        (body.len() > 2 * HASH).then_some(Self {
            prefix,
            environment,
            body,
        })
    }

    /// The environment that the key names; its parent's must be the same.
    #[must_use]
    pub const fn environment(&self) -> &'a str {
        self.environment
    }

    /// The digest of the parent's secret, as the key says.
    #[must_use]
    pub fn parent(&self) -> Digest {
        let bytes = self.body.first_chunk::<HASH>();
        Digest(bytes.copied().unwrap_or_default())
    }

    /// What the key says, if it was minted by the holder of the parent's secret. `None` when it was
    /// not, and when it says what this version does not know.
    #[must_use]
    pub fn verify(&self, derivation_key: &[u8; HASH]) -> Option<Terms> {
        let (said, given) = self.body.split_last_chunk::<HASH>()?;
        let made = mac::mac(&mac::keyed(derivation_key), &[self.prefix.as_bytes(), said]);
        if !bool::from(made.ct_eq(given)) {
            return None;
        }
        Terms::parse(std::str::from_utf8(said.get(HASH..)?).ok()?)
    }
}

/// Whether a text begins as derived keys do.
#[must_use]
pub fn may_be_derived(key: &str) -> bool {
    key.split_once('_')
        .is_some_and(|(_, rest)| rest.starts_with("dk_"))
}
