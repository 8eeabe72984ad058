//! The keyring: its text, its subkeys, and what an entry may still do.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod minting;

use keyward_core::base62::ALPHABET;
use keyward_core::keyring::Keyring;
use keyward_core::names::record_name;
use keyward_core::secret::{Digest, Shape};
use minting::{FIRST, SECOND, hmac, keyring, mint};
use sha2::Sha256;

/// HKDF written out by RFC 5869, against the key derivation of the crate.
fn subkey(ikm: &[u8], label: &str) -> [u8; 32] {
    let root = hmac(b"keyward/1", ikm);
    hmac(&root, &[label.as_bytes(), &[1]].concat())
}

#[test]
fn subkeys_follow_rfc_5869_with_a_label_each() {
    let ikm: Vec<u8> = (0..32).collect();
    let keyring = keyring(FIRST);
    let entry = keyring.current();
    assert_eq!(*entry.sealing_key(), subkey(&ikm, "keyward/sealing/1"));
    assert_eq!(
        entry.hash_seed().to_be_bytes(),
        subkey(&ikm, "keyward/hash-seed/1")[..8]
    );
    let deployment = subkey(&ikm, "keyward/deployment/1");
    let expected: String = deployment[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(entry.deployment_id(), expected);

    let minted = mint(&keyring, 7);
    let (tagged, tag) = minted.expose().split_at(minted.expose().len() - 8);
    let mac = hmac(&subkey(&ikm, "keyward/tag/1"), tagged.as_bytes());
    let mut value = u64::from_be_bytes(mac[..8].try_into().unwrap());
    for character in tag.bytes().rev() {
        assert_eq!(character, ALPHABET[usize::try_from(value % 62).unwrap()]);
        value /= 62;
    }
}

#[test]
fn hkdf_agrees_with_rfc_5869() {
    // Appendix A.1.
    let salt: Vec<u8> = (0..=12).collect();
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let mut okm = [0; 42];
    hkdf::Hkdf::<Sha256>::new(Some(&salt), &[0x0b; 22])
        .expand(&info, &mut okm)
        .unwrap();
    let hex: String = okm.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
}

#[test]
fn a_keyring_says_what_is_wrong_with_it() {
    for (text, reason) in [
        (
            "",
            "an entry is `id:key`; several have a comma between them",
        ),
        (
            "k1",
            "an entry is `id:key`; several have a comma between them",
        ),
        (
            &format!("{FIRST},"),
            "an entry is `id:key`; several have a comma between them",
        ),
        (
            &FIRST.replace("k1", "K1"),
            "an entry's id is 1 to 12 lower-case letters and digits",
        ),
        (
            &FIRST.replace("k1", "--k1"),
            "an entry's id is 1 to 12 lower-case letters and digits",
        ),
        (
            &FIRST.replace("k1", ""),
            "an entry's id is 1 to 12 lower-case letters and digits",
        ),
        (
            &FIRST.replace("k1", "k1@1"),
            "an entry's id is 1 to 12 lower-case letters and digits",
        ),
        (
            &format!("{SECOND},-{}", FIRST.replace("k1", "k1@")),
            "behind the @ of a retired entry stands a time in seconds",
        ),
        (
            &format!("{SECOND},-{}", FIRST.replace("k1", "k1@soon")),
            "behind the @ of a retired entry stands a time in seconds",
        ),
        (
            &format!("{SECOND},-{}", FIRST.replace("k1", "@1")),
            "an entry's id is 1 to 12 lower-case letters and digits",
        ),
        (&FIRST.replace("AAEC", "A+EC"), "a key is not base64url"),
        (&FIRST.replace("Hh8", "Hh9"), "a key is not base64url"),
        (
            "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg",
            "a key is shorter than 32 bytes",
        ),
        (&format!("{FIRST},-{FIRST}"), "two entries have the same id"),
        (
            &format!("-{FIRST},{SECOND}"),
            "the first entry is the current one and cannot be retired",
        ),
    ] {
        let error = Keyring::parse(text).err().map(|error| error.to_string());
        assert_eq!(
            error,
            Some(format!("KEYWARD_SECRET is not valid: {reason}")),
            "{text}"
        );
    }
    let five: Vec<_> = (1..=5)
        .map(|n| FIRST.replace("k1", &format!("k{n}")))
        .collect();
    assert!(Keyring::parse(&five[..4].join(",")).is_ok());
    assert!(Keyring::parse(&five.join(",")).is_err());
    assert!(
        Keyring::parse(&format!(" {FIRST}=\n")).is_ok(),
        "padding and a line end do no harm"
    );
}

#[test]
fn a_retired_entry_verifies_tags_and_nothing_else() {
    let old = keyring(FIRST);
    let minted = mint(&old, 11);
    let shape = Shape::parse(minted.expose()).unwrap();

    let rotating = keyring(&format!("{SECOND},{FIRST}"));
    assert!(rotating.verifies_tag(&shape));
    assert_eq!(rotating.current().id(), "k2");
    assert_eq!(
        rotating
            .in_force()
            .map(|entry| entry.id())
            .collect::<Vec<_>>(),
        ["k2", "k1"]
    );
    assert!(rotating.entry("k1").is_some());

    let retired = keyring(&format!("{SECOND},-{FIRST}"));
    assert!(retired.verifies_tag(&shape));
    assert_eq!(
        retired
            .in_force()
            .map(|entry| entry.id())
            .collect::<Vec<_>>(),
        ["k2"]
    );
    assert!(retired.entry("k1").is_none());

    assert!(
        !keyring(SECOND).verifies_tag(&shape),
        "without the entry the key is forged"
    );
}

#[test]
fn a_record_name_carries_the_whole_digest_under_the_entry() {
    let both = keyring(&format!("{FIRST},{SECOND}"));
    let digest = Digest::of("kw_sk_live_1abcdefghijklmnopqrstuvwx01234567");
    let names: Vec<_> = both
        .in_force()
        .map(|entry| record_name(entry, &digest))
        .collect();
    assert!(names[0].starts_with("r/k1/") && names[1].starts_with("r/k2/"));
    assert!(names.iter().all(|name| name.len() == "r/k1/".len() + 43));
    assert_ne!(names[0][5..], names[1][5..]);
    let other = Digest::of("kw_sk_live_1abcdefghijklmnopqrstuvwx01234568");
    assert_ne!(names[0], record_name(both.current(), &other));
}
