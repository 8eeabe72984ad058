//! What tests of secrets share: a keyring, keys that are the same in every run, and HMAC by RFC 2104.

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::secret::Minted;
use sha2::Sha256;

pub(crate) const FIRST: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
pub(crate) const SECOND: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

pub(crate) fn keyring(text: &str) -> Keyring {
    Keyring::parse(text).unwrap()
}

/// A repeatable stand-in for the platform's CSPRNG.
pub(crate) fn source(mut state: u64) -> impl FnMut(&mut [u8]) {
    move |buffer| {
        for byte in buffer {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
    }
}

pub(crate) fn mint(keyring: &Keyring, seed: u64) -> Minted {
    keyring.mint("kw", Kind::Private, "live", &mut source(seed))
}

pub(crate) fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().into()
}
