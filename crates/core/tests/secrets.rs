//! Secrets: minting, taking apart, tags and the keyring.
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
use keyward_core::kind::Kind;
use keyward_core::secret::{Digest, Shape};
use minting::{FIRST, hmac, keyring, mint, source};
use proptest::prelude::*;

#[test]
fn a_minted_secret_has_the_documented_shape() {
    let keyring = keyring(FIRST);
    for (vendor, kind, environment, prefix) in [
        ("kw", Kind::Public, "live", "kw_pk_live_1"),
        ("acme", Kind::Private, "test", "acme_sk_test_1"),
        (
            "abcdefghij",
            Kind::Management,
            "abcdefghijkl",
            "abcdefghij_mk_abcdefghijkl_1",
        ),
        ("a1", Kind::Derived, "x", "a1_dk_x_1"),
    ] {
        let minted = keyring.mint(vendor, kind, environment, &mut source(1));
        let text = minted.expose();
        let rest = text.strip_prefix(prefix).unwrap();
        assert_eq!(rest.len(), 32);
        assert!(rest.bytes().all(|byte| ALPHABET.contains(&byte)));
        let shape = Shape::parse(text).unwrap();
        assert_eq!(
            (shape.vendor(), shape.kind(), shape.environment()),
            (vendor, kind, environment)
        );
        assert_eq!([shape.tagged(), shape.tag()].concat(), text);
        assert!(keyring.verifies_tag(&shape));
    }
}

#[test]
fn anything_of_another_shape_is_refused() {
    let good = "kw_sk_live_1abcdefghijklmnopqrstuvwx01234567";
    assert!(Shape::parse(good).is_some());
    for bad in [
        "",
        "_",
        "___",
        "sk_live_1abcdefghijklmnopqrstuvwx01234567",
        "sk_sk_live_1abcdefghijklmnopqrstuvwx01234567",
        "k_sk_live_1abcdefghijklmnopqrstuvwx01234567",
        "KW_sk_live_1abcdefghijklmnopqrstuvwx01234567",
        "kw_xx_live_1abcdefghijklmnopqrstuvwx01234567",
        "kw_SK_live_1abcdefghijklmnopqrstuvwx01234567",
        "kw_sk__1abcdefghijklmnopqrstuvwx01234567",
        "kw_sk_Live_1abcdefghijklmnopqrstuvwx01234567",
        "kw_sk_live_2abcdefghijklmnopqrstuvwx01234567",
        "kw_sk_live_1abcdefghijklmnopqrstuvwx0123456",
        "kw_sk_live_1abcdefghijklmnopqrstuvwx012345678",
        "kw_sk_live_1abcdefghijklmnopqrstuvwx0123456_",
        "kw_sk_live_1abcdefghijklmnopqrstuvwx0123456é",
        "kw_sk_live_1abcdefghijklmnopqrstuvw\0x0123456",
        " kw_sk_live_1abcdefghijklmnopqrstuvwx01234567",
        "kw_sk_live_1abcdefghijklmnopqrstuvwx01234567 ",
        "kw_sk_live_1abcdefghijklmnopqrstuvwx01234567, kw_sk_live_1abcdefghijklmnopqrstuvwx01234567",
        &good.repeat(250),
    ] {
        assert!(Shape::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn a_secret_is_shown_by_prefix_and_last_four_only() {
    let minted = mint(&keyring(FIRST), 3);
    let last = &minted.expose()[minted.expose().len() - 4..];
    assert_eq!(minted.redacted(), format!("kw_sk_live_…{last}"));
    assert_eq!(format!("{:?}", minted.digest()), "Digest(…)");
}

#[test]
fn the_derivation_key_depends_on_the_secret_alone() {
    let minted = mint(&keyring(FIRST), 3);
    assert_eq!(
        *minted.derivation_key(),
        hmac(minted.expose().as_bytes(), b"keyward/derive/1")
    );
}

#[test]
fn digests_are_sha_256_and_survive_hexadecimal() {
    let digest = Digest::of("abc");
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest.to_hex(), hex);
    assert!(Digest::from_hex(hex) == Some(digest));
    assert!(Digest::of("abd") != digest);
    for bad in [
        "",
        &hex[1..],
        &hex.to_uppercase(),
        &format!("{hex}00"),
        &hex.replace('b', "é"),
    ] {
        assert!(Digest::from_hex(bad).is_none(), "{bad}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".*", parts in proptest::collection::vec("[a-z0-9_A-Zé:,=-]{0,40}", 0..6)) {
        let joined = parts.join("_");
        for text in [&text, &joined] {
            let _ = Shape::parse(text);
            let _ = Keyring::parse(text);
            let _ = Digest::from_hex(text);
        }
    }

    #[test]
    fn a_tampered_character_anywhere_is_refused(seed: u64, place in 0_usize..44, to in 0_usize..62) {
        let keyring = keyring(FIRST);
        let minted = mint(&keyring, seed);
        let mut bytes = minted.expose().as_bytes().to_vec();
        prop_assert_eq!(bytes.len(), 44);
        prop_assume!(bytes[place] != ALPHABET[to]);
        bytes[place] = ALPHABET[to];
        let tampered = String::from_utf8(bytes).unwrap();
        prop_assert!(Shape::parse(&tampered).is_none_or(|shape| !keyring.verifies_tag(&shape)));
    }

    #[test]
    fn two_seeds_give_two_secrets(a: u64, b: u64) {
        prop_assume!(a != b);
        let keyring = keyring(FIRST);
        let (a, b) = (mint(&keyring, a), mint(&keyring, b));
        prop_assert_ne!(a.expose(), b.expose());
    }
}
