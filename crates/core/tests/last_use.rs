//! Which calls are noted as the last use of a key, and when again.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod desk;

use desk::{Desk, NOW, native, record};
use keyward_core::kind::Kind;
use keyward_core::last_use::{AGAIN_MS, EVERY_MS, Message};
use keyward_core::record::Record;

const ROUTES: &str = r#"{"route":[
    {"path":"/x","origin":"https://origin.example"},
    {"path":"/scoped","origin":"https://origin.example","scopes":["a:b"]},
    {"path":"/gone","origin":"https://origin.example","credential":{"secret":"NOT_SET","header":"x-token"}}
]}"#;

/// One call, some time after the first: whether it begins a collection; none when it is refused.
fn call(desk: &mut Desk, path: &str, after: u64, held: &Record) -> Option<bool> {
    desk.now = NOW.plus(after);
    let answer = desk.call(path, &native(Kind::Private, 7), Some(held));
    (answer.code == "ok").then_some(answer.collect)
}

fn message() -> Vec<Message> {
    let keys = vec!["key_1".to_owned()];
    let project = "acme".to_owned();
    vec![Message { project, keys }]
}

#[test]
fn a_call_that_is_refused_is_no_use() {
    let (mut desk, held) = (Desk::new(ROUTES), record(Kind::Private, false));
    for path in ["/scoped", "/gone"] {
        assert_eq!(call(&mut desk, path, 0, &held), None, "{path}");
    }
    assert_eq!(desk.gateway.used(), []);
    assert_eq!(call(&mut desk, "/x", 0, &held), Some(true));
    assert_eq!(desk.gateway.used(), message());
}

#[test]
fn a_key_that_was_told_of_is_noted_after_an_hour_again() {
    let (mut desk, held) = (Desk::new(ROUTES), record(Kind::Private, false));
    for (after, collects) in [(0, true), (1, false), (5_000, false)] {
        assert_eq!(call(&mut desk, "/x", after, &held), Some(collects));
    }
    assert_eq!(desk.gateway.used(), message());
    desk.gateway.told(["key_1"].into_iter(), NOW.plus(5_000));
    // A change of the key is none of its use.
    let changed = Record {
        version: 2,
        ..held.clone()
    };
    for (after, held) in [
        (AGAIN_MS, &held),
        (AGAIN_MS + 1, &held),
        (EVERY_MS, &changed),
        (EVERY_MS + 4_999, &changed),
    ] {
        assert_eq!(call(&mut desk, "/x", after, held), Some(false), "{after}");
    }
    assert_eq!(desk.gateway.used(), []);
    assert_eq!(call(&mut desk, "/x", EVERY_MS + 5_000, &held), Some(true));
    assert_eq!(desk.gateway.used(), message());
}

#[test]
fn a_key_whose_message_was_lost_is_noted_a_minute_later() {
    let (mut desk, held) = (Desk::new(ROUTES), record(Kind::Private, false));
    assert_eq!(call(&mut desk, "/x", 0, &held), Some(true));
    assert_eq!(desk.gateway.used(), message());
    assert_eq!(call(&mut desk, "/x", AGAIN_MS - 1, &held), Some(false));
    assert_eq!(desk.gateway.used(), []);
    assert_eq!(call(&mut desk, "/x", AGAIN_MS, &held), Some(true));
    assert_eq!(desk.gateway.used(), message());
}
