//! Which texts are derived keys, and of which parents.

use keyward_core::derived::Token;
use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;
use keyward_core::record::{Record, Status};
use keyward_core::secret::Digest;
use proptest::prelude::*;
use serde_json::json;

use crate::desk::{Desk, NOW, keyring, native, sealed};
use crate::{ROUTES, call, minted, parent, terms};

#[test]
fn the_parents_own_call_is_still_held_to_its_tag() {
    // A derived key brings the record into memory without saying whether the secret's tag verifies.
    let routes = r#"{"route":[{"path":"/any/**","accepts":["private","derived"],"origin":"https://o.example","imported_keys":true},
                              {"accepts":["private","derived"],"origin":"https://o.example"}]}"#;
    let mut desk = Desk::new(routes);
    let secret = "a-secret-that-was-made-elsewhere";
    let mut held = parent(secret);
    held.imported = true;
    let key = minted(secret, &terms(json!({})));
    let head = format!("GET\nhttps://gate.example/any/x\nx-api-key\n{key}\n");
    assert_eq!(desk.ask(&head, secret, Some(&held)).code, "ok");
    for (path, secret, code) in [
        ("/x", secret, "key_invalid"),
        ("/any/x", secret, "ok"),
        ("/x", secret, "key_invalid"),
    ] {
        assert_eq!(desk.call(path, secret, None).code, code, "{path}");
    }
    assert_eq!(call(&mut desk, &key, secret, None).code, "key_invalid");
}

#[test]
fn what_the_parent_has_not_derives_nothing() {
    let secret = native(Kind::Private, 1);
    let key = minted(&secret, &terms(json!({})));
    let other = parent(&native(Kind::Private, 9));
    for (why, change) in [
        ("of a secret that was given as a digest", {
            let change: fn(&mut Record) = |held| held.derivation = None;
            change
        }),
        ("of a public key", |held| held.kind = Kind::Public),
        ("of a management key", |held| held.kind = Kind::Management),
        ("of another environment", |held| {
            held.environment = "test".to_owned();
        }),
        ("of another project, moved here", |held| {
            held.project = "globex".to_owned();
        }),
        ("of another key, moved here", |held| {
            held.key_id = "key_2".to_owned();
        }),
        ("sealed by nobody", |held| {
            held.derivation = Some(format!("2.a.{}", "A".repeat(64)));
        }),
        ("sealed as nobody does", |held| {
            held.derivation = Some("3.a.AAAA".to_owned());
        }),
        ("deleted", |held| held.status = Status::Deleted),
        ("from elsewhere", |held| held.imported = true),
    ] {
        let mut held = parent(&secret);
        change(&mut held);
        let mut desk = Desk::new(ROUTES);
        let answer = call(&mut desk, &key, &secret, Some(&held));
        assert_eq!(answer.code, "key_invalid", "{why}");
    }
    let mut held = parent(&secret);
    held.derivation = other.derivation;
    let mut desk = Desk::new(ROUTES);
    assert_eq!(
        call(&mut desk, &key, &secret, Some(&held)).code,
        "key_invalid"
    );
    let mut desk = Desk::new(ROUTES);
    assert_eq!(call(&mut desk, &key, &secret, None).code, "key_invalid");
}

#[test]
fn every_altered_character_makes_it_no_key() {
    let secret = native(Kind::Private, 1);
    let held = parent(&secret);
    let key = minted(&secret, &terms(json!({"scopes": [], "paths": ["GET /x"]})));
    let mut desk = Desk::new(ROUTES);
    assert_eq!(call(&mut desk, &key, &secret, Some(&held)).code, "ok");
    for index in 0..key.len() {
        for other in ["", "_", "A", "b", "0", "_p", "é", "%41"] {
            let altered = format!("{}{other}{}", &key[..index], &key[index + 1..]);
            if altered == key {
                continue;
            }
            // The digest may be another one, which names no secret that there is.
            let parent = Token::parse(&altered).map(|token| token.parent());
            if parent.is_some_and(|parent| parent != Digest::of(&secret)) {
                continue;
            }
            let answer = call(&mut desk, &altered, &secret, Some(&held));
            assert_eq!(answer.code, "key_invalid", "{index} {other}");
        }
    }
}

#[test]
fn a_new_seal_of_the_same_version_is_taken() {
    let secret = native(Kind::Private, 1);
    let key = minted(&secret, &terms(json!({})));
    let mut desk = Desk::new(ROUTES);
    let mut held = parent(&secret);
    held.derivation = None;
    assert_eq!(
        call(&mut desk, &key, &secret, Some(&held)).code,
        "key_invalid"
    );
    desk.now = NOW.plus(30_000);
    assert_eq!(
        call(&mut desk, &key, &secret, Some(&parent(&secret))).code,
        "ok"
    );
}

#[test]
fn the_origin_is_told_of_the_user_and_never_of_the_key() {
    let secret = native(Kind::Private, 1);
    let mut desk = Desk::new(ROUTES);
    let mut terms = terms(json!({}));
    terms.user = Some("Zoë\u{1F511}%".to_owned());
    let key = minted(&secret, &terms);
    assert_eq!(
        call(&mut desk, &key, &secret, Some(&parent(&secret))).code,
        "ok"
    );
    let head = format!("GET\nhttps://gate.example/x\nx-api-key\n{key}\nkeyward-user\nadmin\n");
    let Outcome::Forward { forward, .. } = desk.gateway.handle(&head, NOW, None) else {
        panic!("refused");
    };
    assert_eq!(forward.remove, ["keyward-user"]);
    let fixed = desk.gateway.fixed(&head).unwrap();
    assert_eq!(fixed.remove, ["x-api-key"]);
    let user = fixed.set.iter().find(|(name, _)| name == "keyward-user");
    assert_eq!(user.unwrap().1, "Zo%C3%AB%F0%9F%94%91%25");
    assert_eq!(fixed.kind, Kind::Derived);
}

proptest! {
    #[test]
    fn no_text_makes_the_gateway_panic(text in "[a-z]{2}_dk_[a-z]{1,5}_1[A-Za-z0-9_]{0,200}") {
        let mut desk = Desk::new(ROUTES);
        let head = format!("GET\nhttps://gate.example/x\nx-api-key\n{text}\n");
        let forwarded = matches!(desk.gateway.handle(&head, NOW, None), Outcome::Forward { .. });
        prop_assert!(!forwarded);
    }
}

#[test]
fn what_kv_holds_for_a_name_is_sealed_to_it() {
    let secret = native(Kind::Private, 1);
    let ring = keyring();
    let text = sealed(ring.current(), &parent(&secret), &secret);
    let hex = Digest::of(&secret).to_hex();
    assert!(!text.contains(&secret) && !text.contains(&hex));
}
