//! Derived keys: they only narrow, and none that was forged is one.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod desk;

use keyward_core::decide::{Access, decide, decide_derived};
use keyward_core::derived::{DeriveError, Limit, Terms, Token, mint, seal};
use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;
use keyward_core::record::{Record, Status};
use keyward_core::request::Facts;
use keyward_core::restrict::Restrictions;
use keyward_core::restrict::path::CheckedPath;
use keyward_core::secret::{Digest, derivation_key};
use keyward_core::time::Millis;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::desk::{Desk, NOW, keyring, native, record, sealed};

const ROUTES: &str = r#"{"route":[{"accepts":["public","private","derived"],"origin":"https://o.example"}]}"#;
const DAY: u64 = 24 * 60 * 60 * 1000;

/// What KV holds of a private key that derives.
fn parent(secret: &str) -> Record {
    let mut parent = record(Kind::Private, false);
    let digest = Digest::of(secret);
    let key = derivation_key(secret);
    let text = seal(keyring().current(), "acme", "key_1", &digest, &key);
    parent.derivation = Some(text);
    parent
}

fn rules(value: Value) -> Restrictions {
    serde_json::from_value(value).unwrap()
}

fn terms(value: Value) -> Terms {
    Terms {
        restrictions: rules(value),
        ..Terms::until(NOW.plus(60_000))
    }
}

fn minted(secret: &str, terms: &Terms) -> String {
    mint(secret, None, terms, None, NOW).unwrap().to_string()
}

/// One call with a derived key; `held` is what KV holds for its parent's secret.
fn call(desk: &mut Desk, key: &str, secret: &str, held: Option<&Record>) -> desk::Answer {
    let head = format!("GET\nhttps://gate.example/x\nx-api-key\n{key}\n");
    desk.ask(&head, secret, held)
}

#[test]
fn one_read_serves_the_parent_and_all_that_is_derived_from_it() {
    let mut desk = Desk::new(ROUTES);
    let secret = native(Kind::Private, 1);
    let held = parent(&secret);
    let key = minted(&secret, &terms(json!({})));
    let first = call(&mut desk, &key, &secret, Some(&held));
    assert_eq!((first.code.as_str(), first.read), ("ok", true));
    for user in ["a", "b"] {
        let mut terms = terms(json!({}));
        terms.user = Some(user.to_owned());
        for _ in 0..2 {
            let answer = call(&mut desk, &minted(&secret, &terms), &secret, None);
            assert_eq!((answer.code.as_str(), answer.read), ("ok", false));
        }
    }
    let own = desk.call("/x", &secret, None);
    assert_eq!((own.code.as_str(), own.read), ("ok", false));
}

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
fn a_key_that_was_verified_is_refused_as_soon_as_its_parent_is() {
    let secret = native(Kind::Private, 1);
    let key = minted(&secret, &terms(json!({})));
    for (code, change) in [
        ("key_revoked", {
            let change: fn(&mut Record) = |held| held.status = Status::Revoked;
            change
        }),
        ("key_disabled", |held| held.status = Status::Suspended),
        ("key_expired", |held| held.not_after = Some(NOW)),
        ("key_expired", |held| held.expires_at = Some(NOW)),
        ("key_invalid", |held| held.derivation = None),
    ] {
        let mut desk = Desk::new(ROUTES);
        let mut held = parent(&secret);
        assert_eq!(call(&mut desk, &key, &secret, Some(&held)).code, "ok");
        change(&mut held);
        held.version += 1;
        desk.now = NOW.plus(30_000);
        let answer = call(&mut desk, &key, &secret, Some(&held));
        assert_eq!((answer.code.as_str(), answer.read), (code, true));
    }
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
    assert!(forward.remove.contains(&"keyward-user") && forward.remove.contains(&"x-api-key"));
    let fixed = desk.gateway.fixed(&head).unwrap();
    let user = fixed.set.iter().find(|(name, _)| name == "keyward-user");
    assert_eq!(user.unwrap().1, "Zo%C3%AB%F0%9F%94%91%25");
    assert_eq!(fixed.kind, Kind::Derived);
}

#[test]
fn an_own_limit_counts_calls_that_are_let_through() {
    let secret = native(Kind::Private, 1);
    let mut desk = Desk::new(ROUTES);
    let mut terms = terms(json!({}));
    terms.limit = Some(Limit {
        calls: 2.try_into().unwrap(),
        window_s: 16,
    });
    let key = minted(&secret, &terms);
    let held = parent(&secret);
    for expected in ["ok", "ok", "rate_limited", "rate_limited"] {
        assert_eq!(call(&mut desk, &key, &secret, Some(&held)).code, expected);
    }
    desk.now = NOW.plus(18_000);
    assert_eq!(call(&mut desk, &key, &secret, Some(&held)).code, "ok");
}

#[test]
fn so_many_keys_take_bounded_memory_and_push_no_parent_out() {
    let secret = native(Kind::Private, 1);
    let mut desk = Desk::new(ROUTES);
    let held = parent(&secret);
    for number in 0..6_000 {
        let mut terms = terms(json!({}));
        terms.user = Some(format!("user-{number}"));
        let key = minted(&secret, &terms);
        let answer = call(&mut desk, &key, &secret, Some(&held));
        assert_eq!((answer.code.as_str(), answer.read), ("ok", number == 0));
    }
}

#[test]
fn nothing_is_minted_that_would_be_refused() {
    let secret = native(Kind::Private, 1);
    let good = terms(json!({"scopes": ["a:read"]}));
    let parent = rules(json!({"scopes": ["a:*"]}));
    let refused = |terms: &Terms, parent: Option<&Restrictions>| {
        mint(&secret, None, terms, parent, NOW).err()
    };
    assert_eq!(refused(&good, Some(&parent)), None);
    assert_eq!(
        refused(&good, Some(&rules(json!({"scopes": ["b:*"]})))),
        Some(DeriveError::Wider)
    );
    let until = |millis| Terms::until(Millis(millis));
    for (terms, expected) in [
        (until(NOW.0), DeriveError::Over),
        (until(0), DeriveError::Over),
        (until(NOW.0 + DAY + 1), DeriveError::TooLong),
        (until(u64::MAX), DeriveError::TooLong),
        (
            Terms {
                not_before: Some(NOW.plus(1)),
                ..until(NOW.0 + 1)
            },
            DeriveError::Over,
        ),
        (
            Terms {
                user: Some(String::new()),
                ..good.clone()
            },
            DeriveError::User,
        ),
        (
            Terms {
                user: Some("a\nsb:read".to_owned()),
                ..good.clone()
            },
            DeriveError::User,
        ),
        (
            Terms {
                limit: Some(Limit {
                    calls: 1.try_into().unwrap(),
                    window_s: 0,
                }),
                ..good.clone()
            },
            DeriveError::Limit,
        ),
        (
            terms(json!({"any_referrer": true})),
            DeriveError::Restriction,
        ),
        (
            terms(json!({"apps": {"ios": ["a.b"]}})),
            DeriveError::Restriction,
        ),
        (
            terms(json!({"scopes": vec![format!("{}:read", "a".repeat(60)); 9]})),
            DeriveError::TooLarge,
        ),
    ] {
        assert_eq!(refused(&terms, None), Some(expected), "{terms:?}");
    }
    assert_eq!(refused(&until(NOW.0 + DAY), None), None);
    let derived = minted(&secret, &good);
    for secret in [
        derived.as_str(),
        &native(Kind::Public, 1),
        &native(Kind::Management, 1),
        "short",
        "",
    ] {
        let error = mint(secret, None, &good, None, NOW).err();
        assert_eq!(error, Some(DeriveError::Parent), "{secret}");
    }
    for environment in ["test", "Live", ""] {
        let error = mint(&secret, Some(environment), &good, None, NOW).err();
        assert_eq!(error, Some(DeriveError::Environment));
    }
}

/// Texts of which some are rules that overlap.
fn some_rules() -> impl Strategy<Value = Restrictions> {
    let pick = |all: &'static [&'static str]| prop::sample::subsequence(all, 0..=2);
    (
        pick(&["orders:read", "orders:*", "cart:write", "*:*"]),
        pick(&[
            "GET /v1/**",
            "GET /v1/a",
            "* /v1/*",
            "POST /v1/a",
            "GET /**",
        ]),
        pick(&["192.0.2.0/24", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32"]),
        pick(&["https://a.example", "*.a.example", "https://a.example/x/*"]),
    )
        .prop_map(|(scopes, paths, ips, referrers)| {
            rules(json!({"scopes": scopes, "paths": paths, "ips": ips, "referrers": referrers}))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_derived_key_may_do_nothing_that_its_parent_may_not(
        of_parent in some_rules(),
        of_key in some_rules(),
        required in prop::sample::subsequence(vec!["orders:read", "orders:write", "cart:write"], 0..=2),
        path in prop::sample::select(vec!["/v1/a", "/v1/b", "/v1/a/b", "/x"]),
        method in prop::sample::select(vec!["GET", "HEAD", "POST", "DELETE"]),
        ip in prop::option::of(prop::sample::select(vec!["192.0.2.7", "192.0.2.8", "198.51.100.1"])),
        origin in prop::option::of(prop::sample::select(vec!["https://a.example", "https://b.a.example", "https://evil.example"])),
    ) {
        let mut parent = record(Kind::Private, false);
        parent.restrictions = Restrictions { referrers: Vec::new(), ..of_parent };
        let terms = Terms { restrictions: of_key, ..Terms::until(NOW.plus(1)) };
        let access = Access {
            scopes: required.iter().map(|scope| scope.parse().unwrap()).collect(),
            ..Access::everything()
        };
        let path = CheckedPath::parse(path).unwrap();
        let facts = |origin| Facts {
            method,
            path: &path,
            origin,
            referer: None,
            sec_fetch_site: None,
            websocket: false,
            ip: ip.map(|ip| ip.parse().unwrap()),
            android_package: None,
            android_cert: None,
            ios_bundle: None,
        };
        let derived = decide_derived(&parent, &terms, &access, &facts(origin), NOW);
        // A page may not send the parent itself; a server may.
        let own = decide(&parent, &access, &facts(None), NOW);
        if derived.is_ok() {
            prop_assert_eq!(own, Ok(()));
        }
        // What is said beside it can only refuse more.
        let bare = Terms::until(NOW.plus(1));
        if derived.is_ok() {
            prop_assert_eq!(decide_derived(&parent, &bare, &access, &facts(origin), NOW), Ok(()));
        }
    }

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
