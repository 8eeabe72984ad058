//! Session keys for pages: what a public key is exchanged for, for some minutes and one website.
//!
//! The text is `kws1_<payload>_<MAC>`, both base64url with `-` and `.`, where base64url has `_`. The
//! payload holds when it ends, the SHA-256 of the public key that it stands for, and the page's
//! origin. The MAC is HMAC-SHA-256 under the deployment's session subkey: a public key is no secret, so
//! nothing can be signed with it.
//!
//! It is valid while `now < expires_at`. The record of the public key is looked at on every use, so
//! whatever ends that key ends this one; its limits are spent, and no others.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use subtle::ConstantTimeEq as _;

use crate::head::Head;
use crate::keyring::{Entry, Keyring};
use crate::refusal::Refusal;
use crate::secret::Digest;
use crate::time::Millis;

/// How long one is valid, in milliseconds.
pub const LIFE_MS: u64 = 300_000;
/// What it begins with: no secret of this deployment does.
const PREFIX: &str = "kws1_";
/// No origin of a page that is longer gets one.
pub const LONGEST_ORIGIN: usize = 200;

/// What a session key says, once its MAC was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The public key that it stands for.
    pub digest: Digest,
    /// Until just before.
    pub expires_at: Millis,
    origin: String,
}

/// Whether a text is meant to be a session key.
#[must_use]
pub fn is_one(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Signs a session key for a public key and the origin of a page.
#[must_use]
pub fn mint(entry: &Entry, digest: &Digest, origin: &str, expires_at: Millis) -> String {
    let mut payload = expires_at.0.to_be_bytes().to_vec();
    payload.extend_from_slice(digest.as_bytes());
    payload.extend_from_slice(origin.as_bytes());
    let mac = entry.session_mac(&payload);
    let text = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes).replace('_', ".");
    format!("{PREFIX}{}_{}", text(&payload), text(&mac))
}

impl Session {
    /// Reads a session key that an entry in force has signed.
    ///
    /// # Errors
    /// [`Refusal::KeyInvalid`] for what is none, [`Refusal::KeyExpired`] for one whose time is over.
    pub fn open(keyring: &Keyring, key: &str, now: Millis) -> Result<Self, Refusal> {
        let session = Self::read(keyring, key).ok_or(Refusal::KeyInvalid)?;
        if now >= session.expires_at {
            return Err(Refusal::KeyExpired);
        }
        Ok(session)
    }

    fn read(keyring: &Keyring, key: &str) -> Option<Self> {
        let (payload, mac) = key.strip_prefix(PREFIX)?.split_once('_')?;
        let bytes = |text: &str| Base64UrlUnpadded::decode_vec(&text.replace('.', "_")).ok();
        let (payload, mac) = (bytes(payload)?, bytes(mac)?);
        let signed = |entry: &Entry| bool::from(entry.session_mac(&payload).ct_eq(&mac));
        if !keyring.in_force().any(signed) {
            return None;
        }
        let (expires_at, rest) = payload.split_first_chunk::<8>()?;
        let (digest, origin) = rest.split_first_chunk::<32>()?;
        Some(Self {
            digest: Digest(*digest),
            expires_at: Millis(u64::from_be_bytes(*expires_at)),
            origin: String::from_utf8(origin.to_vec()).ok()?,
        })
    }

    /// Whether a request comes from the website that it is bound to: by `Origin`, and where a browser
    /// sends none, by `Referer`.
    #[must_use]
    pub fn is_bound_to(&self, head: &Head<'_>) -> bool {
        match (head.header("origin"), head.header("referer")) {
            (Some(origin), _) => origin == self.origin,
            (None, Some(referer)) => referer
                .strip_prefix(self.origin.as_str())
                .is_some_and(|path| path.starts_with('/')),
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_262_400_000);
    const ORIGIN: &str = "https://app.example:8443";

    fn keyring(text: &str) -> Keyring {
        Keyring::parse(text).unwrap()
    }

    fn ours() -> Keyring {
        keyring("a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
    }

    fn minted() -> String {
        let digest = Digest::of("kw_pk_live_1");
        mint(ours().current(), &digest, ORIGIN, NOW.plus(LIFE_MS))
    }

    #[test]
    fn it_is_read_back_until_its_end() {
        let key = minted();
        assert!(is_one(&key) && key.len() < 200);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        assert!(key.bytes().all(plain));
        let session = Session::open(&ours(), &key, NOW).unwrap();
        assert_eq!(session.digest, Digest::of("kw_pk_live_1"));
        let last = NOW.plus(LIFE_MS - 1);
        assert!(Session::open(&ours(), &key, last).is_ok());
        let over = Session::open(&ours(), &key, NOW.plus(LIFE_MS));
        assert_eq!(over, Err(Refusal::KeyExpired));
    }

    #[test]
    fn altered_at_any_place_it_is_none() {
        let key = minted();
        for place in 0..key.len() {
            for other in *b"A0_." {
                let mut bytes = key.clone().into_bytes();
                if bytes[place] == other {
                    continue;
                }
                bytes[place] = other;
                let altered = String::from_utf8(bytes).unwrap();
                // The last character of a group holds bits that stand for nothing, and must be zero.
                let opened = Session::open(&ours(), &altered, NOW);
                assert_eq!(opened, Err(Refusal::KeyInvalid), "{altered}");
            }
            let cut = Session::open(&ours(), key.get(..place).unwrap(), NOW);
            assert_eq!(cut, Err(Refusal::KeyInvalid));
        }
        let of_others = keyring("a:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        assert_eq!(
            Session::open(&of_others, &key, NOW),
            Err(Refusal::KeyInvalid)
        );
    }

    #[test]
    fn an_entry_that_is_retired_signs_none() {
        let both = "b:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8,a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        assert!(Session::open(&keyring(both), &minted(), NOW).is_ok());
        let retired = both.replace(",a:", ",-a:");
        let opened = Session::open(&keyring(&retired), &minted(), NOW);
        assert_eq!(opened, Err(Refusal::KeyInvalid));
    }

    #[test]
    fn it_is_of_one_website() {
        let session = Session::open(&ours(), &minted(), NOW).unwrap();
        for (lines, bound) in [
            ("origin\nhttps://app.example:8443\n", true),
            ("referer\nhttps://app.example:8443/\n", true),
            ("referer\nhttps://app.example:8443/x?y\n", true),
            ("origin\nhttps://app.example\n", false),
            ("origin\nnull\nreferer\nhttps://app.example:8443/\n", false),
            (
                "origin\nhttps://evil.example\nreferer\nhttps://app.example:8443/\n",
                false,
            ),
            ("referer\nhttps://app.example:84430/\n", false),
            ("referer\nhttps://app.example:8443\n", false),
            ("", false),
        ] {
            let text = format!("GET\nhttps://gate.example/x\n{lines}");
            let head = Head::parse(&text).unwrap();
            assert_eq!(session.is_bound_to(&head), bound, "{lines}");
        }
    }
}
