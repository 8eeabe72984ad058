//! What is read of KV, how often, and what of it serves.

use keyward_core::gateway::{Outcome, Work};
use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::records::{Load, Loaded, Stored};

use crate::{BEARER, Desk, NOW, desk};

/// Calls with a key until its record has to be read again in the background, 10 seconds later.
fn refresh(desk: &mut Desk, text: &str) -> Load {
    desk.call(text);
    let Outcome::Forward {
        work: Work {
            refresh: Some(load),
            ..
        },
        ..
    } = desk.gateway.handle(text, NOW.plus(10_000), None)
    else {
        panic!("no refresh")
    };
    load
}

#[test]
fn a_valid_key_is_read_once_and_then_awaits_nothing() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    assert!(matches!(
        desk.gateway.handle(&text, NOW, None),
        Outcome::Load(_)
    ));
    assert!(matches!(
        desk.call(&text),
        Outcome::Forward {
            work: Work { refresh: None, .. },
            ..
        }
    ));
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(9_999), None),
        Outcome::Forward {
            work: Work { refresh: None, .. },
            ..
        }
    ));
}

#[test]
fn an_aging_record_is_refreshed_in_the_background_once() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let load = refresh(&mut desk, &text);
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(10_001), None),
        Outcome::Forward {
            work: Work { refresh: None, .. },
            ..
        }
    ));
    desk.record.version = 2;
    desk.record.status = Status::Revoked;
    let value = desk.value();
    assert_eq!(
        desk.gateway.refreshed(
            load.digest,
            Loaded {
                attempt: 0,
                stored: Stored::Found(&value)
            },
            NOW.plus(10_100)
        ),
        None
    );
    assert_eq!(
        desk.refused("GET", "/plain/x", &[BEARER]),
        "401 key_revoked"
    );
}

#[test]
fn a_record_of_thirty_seconds_is_read_again_and_serves_only_if_kv_fails() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    desk.call(&text);
    for (seconds, allowed) in [(30, true), (299, true), (301, false)] {
        let now = NOW.plus(seconds * 1000);
        assert!(
            matches!(desk.gateway.handle(&text, now, None), Outcome::Load(_)),
            "{seconds}"
        );
        let outcome = desk.gateway.handle(
            &text,
            now,
            Some(Loaded {
                attempt: 0,
                stored: Stored::Failed,
            }),
        );
        assert_eq!(
            matches!(outcome, Outcome::Forward { .. }),
            allowed,
            "{seconds} s: {outcome:?}"
        );
        if !allowed {
            assert!(matches!(outcome, Outcome::Respond(response) if response.status == 503));
        }
    }
}

#[test]
fn a_refused_call_refreshes_its_record_too() {
    let mut desk = desk(Kind::Private, r#"{"ips":["192.0.2.0/24"]}"#);
    assert_eq!(desk.refused("GET", "/plain/x", &[BEARER]), "403 ip_denied");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let refreshes = |desk: &mut Desk, seconds: u64| match desk.gateway.handle(
        &text,
        NOW.plus(seconds * 1000),
        None,
    ) {
        Outcome::Respond(response) => response.work.refresh.is_some(),
        outcome => panic!("{outcome:?}"),
    };
    let found = [9, 10, 11, 12].map(|seconds| refreshes(&mut desk, seconds));
    assert_eq!(found, [false, true, false, true]);
}

#[test]
fn an_unknown_key_is_remembered_for_ten_seconds() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let missing = Some(Loaded {
        attempt: 0,
        stored: Stored::Missing,
    });
    assert!(
        matches!(desk.gateway.handle(&text, NOW, missing), Outcome::Respond(response) if response.status == 401)
    );
    assert!(
        matches!(desk.gateway.handle(&text, NOW.plus(9_999), None), Outcome::Respond(response) if response.status == 401)
    );
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(10_000), None),
        Outcome::Load(_)
    ));
}

#[test]
fn a_forged_key_costs_no_read() {
    let mut desk = desk(Kind::Private, "{}");
    let genuine = desk.key.clone();
    for position in 0..genuine.len() {
        let mut bytes = genuine.clone().into_bytes();
        bytes[position] = if bytes[position] == b'x' { b'y' } else { b'x' };
        desk.key = String::from_utf8(bytes).unwrap();
        let text = desk.head("GET", "/plain/x", &[BEARER]);
        assert!(
            matches!(desk.gateway.handle(&text, NOW, None), Outcome::Respond(response) if response.status == 401),
            "{position}"
        );
    }
}

#[test]
fn a_record_that_is_altered_moved_or_of_another_kind_is_never_served() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let genuine = desk.value();
    let forged = genuine.replace("\"live\"", "\"test\"");
    let moved = desk.record.seal(desk.keyring.current(), "r/a/elsewhere");
    let unknown = genuine.replace("\"version\":1", "\"version\":1,\"moon_phase\":[]");
    for value in [forged.as_str(), &moved, &unknown, "", "1.a.\n{}"] {
        let outcome = desk.gateway.handle(
            &text,
            NOW,
            Some(Loaded {
                attempt: 0,
                stored: Stored::Found(value),
            }),
        );
        assert!(
            matches!(&outcome, Outcome::Respond(response) if response.status == 503),
            "{value}: {outcome:?}"
        );
    }
    desk.record.kind = Kind::Public;
    assert_eq!(
        desk.refused("GET", "/plain/x", &[BEARER]),
        "401 key_invalid"
    );
}

#[test]
fn an_unreadable_record_ends_what_was_served_before() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let load = refresh(&mut desk, &text);
    let unknown = desk.value().replace("\"version\":1", "\"version\":2");
    desk.gateway.refreshed(
        load.digest,
        Loaded {
            attempt: 0,
            stored: Stored::Found(&unknown),
        },
        NOW.plus(10_100),
    );
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(10_200), None),
        Outcome::Load(_)
    ));
}
