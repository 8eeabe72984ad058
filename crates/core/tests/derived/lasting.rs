//! For how long a derived key holds, and what one leaves behind that does not.

use keyward_core::kind::Kind;
use keyward_core::record::{Record, RevocationMode, Status};
use keyward_core::time::Millis;
use serde_json::json;

use crate::desk::{Desk, NOW, native};
use crate::{ROUTES, call, minted, parent, terms};

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
fn one_that_is_not_in_its_time_leaves_nothing_behind() {
    let secret = native(Kind::Private, 1);
    let mut held = parent(&secret);
    held.revocation = Some(RevocationMode::Eventual);
    let ended = minted(&secret, &terms(json!({})));
    let mut early = terms(json!({}));
    early.not_before = Some(NOW.plus(59_000));
    let early = minted(&secret, &early);
    let mut far = terms(json!({}));
    far.expires_at = NOW.plus(20 * 60 * 60 * 1000);
    let far = minted(&secret, &far);
    for (at, key, code) in [
        (NOW.plus(60_000), &ended, "key_expired"),
        (NOW, &early, "key_not_yet_valid"),
        (
            Millis(NOW.0 - 5 * 60 * 60 * 1000),
            &far,
            "wider_than_parent",
        ),
    ] {
        let mut desk = Desk::new(ROUTES);
        desk.now = at;
        for _ in 0..3 {
            assert_eq!(call(&mut desk, key, &secret, Some(&held)).code, code);
            assert_eq!(desk.gateway.accounts(), (0, 0), "{code}");
        }
    }
    // In its time, what is refused of it is the parent's: its owner is to see it.
    let mut desk = Desk::new(ROUTES);
    let wider = minted(&secret, &terms(json!({"scopes": ["a:read"]})));
    assert_eq!(
        call(&mut desk, &wider, &secret, Some(&held)).code,
        "wider_than_parent"
    );
    assert_eq!(desk.gateway.accounts(), (1, 0));
}

#[test]
fn one_that_ends_while_it_is_in_use_is_refused_from_then_on() {
    let secret = native(Kind::Private, 1);
    let held = parent(&secret);
    let key = minted(&secret, &terms(json!({})));
    let mut desk = Desk::new(ROUTES);
    assert_eq!(call(&mut desk, &key, &secret, Some(&held)).code, "ok");
    desk.now = NOW.plus(60_000);
    for _ in 0..2 {
        assert_eq!(
            call(&mut desk, &key, &secret, Some(&held)).code,
            "key_expired"
        );
    }
}
