//! Derivation keys as they are stored: sealed under the deployment's secret.
//!
//! What is sealed is `HMAC(secret, "keyward/derive/1")`. Who holds it could mint derived keys, and
//! learns nothing of the secret; who holds a seal and not the deployment's secret has nothing.
//!
//! The seal is deterministic authenticated encryption in the manner of SIV (Rogaway and Shrimpton,
//! 2006), with HMAC-SHA-256 as the only primitive, because the hot path cannot wait for WebCrypto:
//! the tag is a MAC over context and key, and the one block that hides the key is a MAC over context
//! and tag. The context is project, key id and the secret's digest, each with its length.
//!
//! `2.<entry id>.<base64url of the tag's 16 bytes and the 32 hidden ones>`

use base64ct::{Base64UrlUnpadded, Encoding as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::HASH;
use crate::keyring::{Entry, Keyring};
use crate::secret::Digest;

const TAG: usize = 16;

/// Seals the derivation key of the secret with this digest, of this project's key.
#[must_use]
pub fn seal(
    entry: &Entry,
    project: &str,
    key_id: &str,
    digest: &Digest,
    derivation_key: &[u8; HASH],
) -> String {
    let context = context(project, key_id, digest);
    let tag = tag(entry, &context, derivation_key);
    let mut sealed = tag.to_vec();
    sealed.extend_from_slice(&*hidden(entry, &context, &tag, derivation_key));
    let text = Base64UrlUnpadded::encode_string(&sealed);
    format!("2.{}.{text}", entry.id())
}

/// Opens what [`seal`] made, under whichever entry in force it was; `None` for anything else.
#[must_use]
pub fn open(
    keyring: &Keyring,
    project: &str,
    key_id: &str,
    digest: &Digest,
    sealed: &str,
) -> Option<Zeroizing<[u8; HASH]>> {
    let (id, text) = sealed.strip_prefix("2.")?.split_once('.')?;
    let entry = keyring.entry(id)?;
    let mut bytes = [0; TAG + HASH];
    let bytes = Base64UrlUnpadded::decode(text, &mut bytes).ok()?;
    let (given, hidden_key) = bytes.split_first_chunk::<TAG>()?;
    let context = context(project, key_id, digest);
    let key = hidden(entry, &context, given, hidden_key.first_chunk()?);
    let genuine = hidden_key.len() == HASH && tag(entry, &context, &key).ct_eq(given).into();
    genuine.then_some(key)
}

fn tag(entry: &Entry, context: &[u8], key: &[u8; HASH]) -> [u8; TAG] {
    let mac = entry.derivation_mac(&[b"tag", context, key]);
    let mut tag = [0; TAG];
    tag.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
    tag
}

/// Hides a key, or shows a hidden one.
fn hidden(
    entry: &Entry,
    context: &[u8],
    tag: &[u8; TAG],
    key: &[u8; HASH],
) -> Zeroizing<[u8; HASH]> {
    let mut hidden = Zeroizing::new(entry.derivation_mac(&[b"pad", context, tag]));
    hidden
        .iter_mut()
        .zip(key)
        .for_each(|(to, from)| *to ^= from);
    hidden
}

fn context(project: &str, key_id: &str, digest: &Digest) -> Vec<u8> {
    let mut context = Vec::with_capacity(128);
    for part in [project.as_bytes(), key_id.as_bytes(), digest.as_bytes()] {
        context.extend_from_slice(&(part.len() as u64).to_be_bytes());
        context.extend_from_slice(part);
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::derivation_key;

    const SECRET: &str = "kw_sk_live_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn keyring(text: &str) -> Keyring {
        Keyring::parse(text).unwrap()
    }

    #[test]
    fn only_its_own_place_opens_a_seal() {
        let a = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let b = "b:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let (one, digest) = (keyring(a), Digest::of(SECRET));
        let key = derivation_key(SECRET);
        let sealed = seal(one.current(), "acme", "key_1", &digest, &key);
        assert!(sealed.starts_with("2.a.") && !sealed.contains(SECRET));
        let both = keyring(&format!("{b},{a}"));
        for keyring in [&one, &both] {
            assert_eq!(
                open(keyring, "acme", "key_1", &digest, &sealed),
                Some(key.clone())
            );
        }
        let other = Digest::of("other");
        for (project, id, digest) in [
            ("acme2", "key_1", &digest),
            ("acme", "key_2", &digest),
            ("acmek", "ey_1", &digest),
            ("acme", "key_1", &other),
        ] {
            assert_eq!(open(&one, project, id, digest, &sealed), None);
        }
        let retired = keyring(&format!("{b},-{a}"));
        let renamed = keyring(&a.replacen('a', "c", 1));
        let exchanged = keyring(&b.replacen('b', "a", 1));
        for keyring in [&retired, &renamed, &exchanged] {
            assert_eq!(open(keyring, "acme", "key_1", &digest, &sealed), None);
        }
    }

    #[test]
    fn a_seal_that_was_changed_anywhere_does_not_open() {
        let keyring = keyring("a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        let (digest, key) = (Digest::of(SECRET), derivation_key(SECRET));
        let sealed = seal(keyring.current(), "acme", "key_1", &digest, &key);
        for index in 0..sealed.len() {
            for other in ['A', 'B', '.', '-'] {
                let changed: String = sealed
                    .chars()
                    .enumerate()
                    .map(|(at, own)| if at == index { other } else { own })
                    .collect();
                if changed != sealed {
                    assert_eq!(open(&keyring, "acme", "key_1", &digest, &changed), None);
                }
            }
            assert_eq!(
                open(&keyring, "acme", "key_1", &digest, sealed.split_at(index).0),
                None
            );
        }
        assert_eq!(
            open(&keyring, "acme", "key_1", &digest, &format!("{sealed}A")),
            None
        );
    }
}
