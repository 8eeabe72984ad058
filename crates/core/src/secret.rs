//! The string that a client sends, `<vendor>_<pk|sk|mk|dk>_<environment>_<v><24 base62><8 base62>`.
//!
//! - vendor `[a-z0-9]{2,10}`, none of the four kinds (a bare `sk_live_` is Stripe's shape);
//!   environment `[a-z0-9]{1,12}`; `v` is the format version, `1`.
//! - The 24 characters are random (142 bits); the last 8 are a keyed tag over everything before
//!   them, by which forged keys are refused without any I/O. The tag filters and never proves:
//!   only a record under the name of the digest makes a secret valid.
//! - No type here shows a secret through `Debug`, `Display` or `Serialize`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base62;
use crate::kind::Kind;
use crate::mac;
use crate::names;

/// The version of the shape described above.
pub(crate) const FORMAT: char = '1';
/// How many random characters a secret has.
pub(crate) const RANDOM: usize = 24;
/// How many characters the tag has.
pub(crate) const TAG: usize = 8;
/// The longest secret of this shape, in bytes.
pub(crate) const LONGEST: usize = 10 + 1 + 2 + 1 + 12 + 1 + 1 + RANDOM + TAG;

/// How long a secret may be that was made elsewhere and brought here, in bytes.
pub const IMPORTED: RangeInclusive<usize> = 20..=512;

/// Whether a text can be a secret that was made elsewhere: visible ASCII of a length in
/// [`IMPORTED`].
#[must_use]
pub fn may_be_imported(text: &str) -> bool {
    IMPORTED.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// SHA-256 of a secret: what the registry stores and isolate memory is keyed by.
///
/// Equality takes the same time wherever two digests differ; `Debug` shows nothing.
#[derive(Clone, Copy, Eq)]
pub struct Digest(pub(crate) [u8; 32]);

impl Digest {
    /// The digest of a secret as sent.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Lower-case hexadecimal; for the registry's own table only.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        nibbles
            .filter_map(|nibble| char::from_digit(nibble.into(), 16))
            .collect()
    }

    /// Reads what [`Self::to_hex`] wrote; nothing else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Some(Self(bytes))
    }

    /// Reads a SHA-256 as people's tools write it: hexadecimal in any case, base64 or base64url,
    /// with or without padding.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() == 64 {
            return Self::from_hex(&text.to_ascii_lowercase());
        }
        let unpadded = match text.len() {
            44 => text.strip_suffix('=')?,
            _ => text,
        };
        let mut bytes = [0; 32];
        let decoded = if unpadded.contains(['-', '_']) {
            Base64UrlUnpadded::decode(unpadded, &mut bytes)
        } else {
            Base64Unpadded::decode(unpadded, &mut bytes)
        };
        decoded
            .is_ok_and(|decoded| decoded.len() == 32)
            .then_some(Self(bytes))
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        // In words: bytes one by one take several times as long.
        let (own, _) = self.0.as_chunks::<8>();
        let (others, _) = other.0.as_chunks::<8>();
        let differs = own.iter().zip(others).fold(0, |differs, (own, other)| {
            differs | (u64::from_ne_bytes(*own) ^ u64::from_ne_bytes(*other))
        });
        differs.ct_eq(&0).into()
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// A secret of Keyward's own shape, borrowed from the request: parsed, not yet verified.
#[derive(Clone, Copy)]
pub struct Shape<'a> {
    pub(crate) tagged: &'a str,
    pub(crate) tag: &'a str,
    pub(crate) kind: Kind,
    pub(crate) environment: &'a str,
    pub(crate) vendor: &'a str,
}

impl<'a> Shape<'a> {
    /// Takes a secret apart; `None` for anything of another shape or of an unknown format
    /// version. Never allocates.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (vendor, rest) = text.split_once('_')?;
        let (kind, rest) = rest.split_once('_')?;
        let (environment, body) = rest.split_once('_')?;
        let kind = Kind::from_prefix(kind)?;
        let characters = body.strip_prefix(FORMAT)?;
        let of_shape = names::is_vendor(vendor)
            && names::is_environment(environment)
            && characters.len() == RANDOM + TAG
            && base62::is_base62(characters);
        if !of_shape {
            return None;
        }
        let (tagged, tag) = text.split_at_checked(text.len().checked_sub(TAG)?)?;
        Some(Self {
            tagged,
            tag,
            kind,
            environment,
            vendor,
        })
    }

    /// The kind that the prefix names. The record decides, and must agree.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The environment that the prefix names. The record decides, and must agree.
    #[must_use]
    pub const fn environment(&self) -> &'a str {
        self.environment
    }

    /// The vendor that the prefix names.
    #[must_use]
    pub const fn vendor(&self) -> &'a str {
        self.vendor
    }

    /// Everything before the tag.
    #[must_use]
    pub const fn tagged(&self) -> &'a str {
        self.tagged
    }

    /// The 8 characters of the tag.
    #[must_use]
    pub const fn tag(&self) -> &'a str {
        self.tag
    }
}

/// A freshly minted secret, shown once. Wiped from memory when dropped.
pub struct Minted(pub(crate) Zeroizing<String>);

impl Minted {
    /// The secret itself, for the one answer that shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// Prefix and last four characters, `kw_sk_live_…wxyz`: as shown everywhere but at creation.
    #[must_use]
    pub fn redacted(&self) -> String {
        let (prefix, body) = self.0.rsplit_once('_').unwrap_or_default();
        let last = body
            .len()
            .checked_sub(4)
            .and_then(|at| body.get(at..))
            .unwrap_or_default();
        format!("{prefix}_…{last}")
    }

    /// `HMAC(secret, "keyward/derive/1")`, the key under which derived keys are minted. The
    /// registry stores it sealed.
    #[must_use]
    pub fn derivation_key(&self) -> Zeroizing<[u8; 32]> {
        derivation_key(&self.0)
    }
}

/// The key under which a secret's derived keys are minted, of any secret.
#[must_use]
pub fn derivation_key(secret: &str) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(mac::mac(
        &mac::keyed(secret.as_bytes()),
        &[b"keyward/derive/1"],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_every_common_form() {
        let digest = Digest([0xfb; 32]);
        for text in [
            "fb".repeat(32),
            "FB".repeat(32),
            "+/v7".repeat(10) + "+/s",
            "+/v7".repeat(10) + "+/s=",
            "-_v7".repeat(10) + "-_s",
            "-_v7".repeat(10) + "-_s=",
        ] {
            assert!(Digest::from_text(&text) == Some(digest), "{text}");
        }
        for text in [
            String::new(),
            "fb".repeat(31),
            "fb".repeat(33),
            "+_v7".repeat(10) + "+/s",
            "+/v7".repeat(10) + "+/t",
            "+/v7".repeat(10) + "+/s==",
            "é".repeat(32),
        ] {
            assert!(Digest::from_text(&text).is_none(), "{text}");
        }
    }
}
