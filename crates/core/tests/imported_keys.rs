//! Keys that were made elsewhere: where they are looked up, and where they hold.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod desk;

use desk::{Answer, Desk, NOW, keyring, native, record, sealed};
use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;
use keyward_core::record::{Record, Status};
use keyward_core::records::{Loaded, Stored};

const ROUTES: &str = r#"{"gateway":{"memory_records":50},"route":[
    {"path":"/native/**","origin":"https://origin.example"},
    {"path":"/any/**","origin":"https://origin.example","imported_keys":true,"key_in":["bearer","header:x-api-key","query:key"]},
    {"path":"/other/**","origin":"https://origin.example","imported_keys":true,"projects":["other"]},
    {"path":"/staging/**","origin":"https://origin.example","imported_keys":true,"environments":["staging"]}
]}"#;
const LEGACY: &str = "legacy-key-of-28-characters!";

/// Code and whether KV was read.
type Seen = (String, bool);

fn is(code: &str, read: bool) -> Seen {
    (code.to_owned(), read)
}

fn seen(Answer { code, read, .. }: Answer) -> Seen {
    (code, read)
}

/// As a native secret, with another tag.
fn forged(kind: Kind) -> String {
    let mut secret = native(kind, 7);
    let last = secret.pop().unwrap();
    secret.push(if last == '0' { '1' } else { '0' });
    secret
}

/// Each call on its own; KV holds the record for the secret, if one is given.
fn assert_all(expected: &Seen, calls: &[(&str, &str, &str, Option<&Record>)]) {
    for (what, path, secret, held) in calls {
        let answer = Desk::new(ROUTES).call(path, secret, *held);
        assert_eq!(seen(answer), *expected, "{what}: {path}");
    }
}

#[test]
fn an_imported_key_holds_where_a_route_takes_it() {
    let legacy = record(Kind::Private, true);
    let legacy = Some(&legacy);
    let test = Record {
        environment: "test".into(),
        ..record(Kind::Private, true)
    };
    let [longest, too_long] = [512, 513].map(|length| "k".repeat(length));
    let (blank, accent) = (
        "legacy key of 28 characters!",
        "legacy-kéy-of-28-characters!",
    );
    let ours = forged(Kind::Private);
    assert_all(
        &is("ok", true),
        &[
            ("imported", "/any/x", LEGACY, legacy),
            ("20 characters", "/any/x", "12345678901234567890", legacy),
            ("512 characters", "/any/x", &longest, legacy),
            ("of our shape, without our tag", "/any/x", &ours, legacy),
            ("of another environment", "/any/x", &ours, Some(&test)),
        ],
    );
    assert_all(
        &is("key_invalid", false),
        &[
            ("imported", "/native/x", LEGACY, legacy),
            ("of our shape, without our tag", "/native/x", &ours, legacy),
            ("19 characters", "/any/x", "1234567890123456789", legacy),
            ("513 characters", "/any/x", &too_long, legacy),
            ("a blank", "/any/x", blank, legacy),
            ("not ASCII", "/any/x", accent, legacy),
        ],
    );
}

#[test]
fn what_is_looked_up_must_be_recorded_as_imported() {
    let legacy = record(Kind::Private, true);
    let ours = record(Kind::Private, false);
    let [management, derived] = [Kind::Management, Kind::Derived].map(|kind| record(kind, true));
    assert_all(
        &is("key_invalid", true),
        &[
            ("unknown", "/any/x", LEGACY, None),
            ("not imported", "/any/x", LEGACY, Some(&ours)),
            ("management", "/any/x", LEGACY, Some(&management)),
            ("derived", "/any/x", LEGACY, Some(&derived)),
            ("of another project", "/other/x", LEGACY, Some(&legacy)),
        ],
    );
    let [management, derived] = [Kind::Management, Kind::Derived].map(forged);
    let ours = native(Kind::Derived, 7);
    assert_all(
        &is("key_invalid", false),
        &[
            (
                "shaped for management",
                "/any/x",
                &management,
                Some(&legacy),
            ),
            ("shaped as derived", "/any/x", &derived, Some(&legacy)),
            ("derived", "/any/x", &ours, Some(&legacy)),
        ],
    );
}

#[test]
fn a_tag_that_verifies_goes_before() {
    let ours = record(Kind::Private, false);
    let legacy = record(Kind::Private, true);
    let test = Record {
        environment: "test".into(),
        ..record(Kind::Private, true)
    };
    let [private, public] = [Kind::Private, Kind::Public].map(|kind| native(kind, 7));
    assert_all(
        &is("ok", true),
        &[
            ("native", "/any/x", &private, Some(&ours)),
            ("native and imported", "/any/x", &private, Some(&legacy)),
            ("native and imported", "/native/x", &private, Some(&legacy)),
        ],
    );
    assert_all(
        &is("key_invalid", true),
        &[
            ("of another environment", "/any/x", &private, Some(&test)),
            ("of another kind", "/any/x", &public, Some(&legacy)),
        ],
    );
}

#[test]
fn what_one_route_has_loaded_another_does_not_take() {
    let legacy = record(Kind::Private, true);
    let mut desk = Desk::new(ROUTES);
    for (seconds, path, expected, read) in [
        (0, "/any/x", "ok", true),
        (0, "/native/x", "key_invalid", false),
        (9, "/any/x", "ok", false),
        (9, "/native/x", "key_invalid", false),
        (15, "/native/x", "key_invalid", false),
        // Too old to serve without a look at KV: a route that cannot take it does not look.
        (60, "/native/x", "key_invalid", false),
        (60, "/any/x", "ok", true),
        (600, "/native/x", "key_invalid", false),
    ] {
        desk.now = NOW.plus(seconds * 1000);
        let answer = desk.call(path, LEGACY, Some(&legacy));
        assert_eq!(seen(answer), is(expected, read), "{seconds} s {path}");
    }
    let ours = native(Kind::Private, 7);
    for (path, read) in [("/any/x", true), ("/native/x", false)] {
        assert_eq!(
            seen(desk.call(path, &ours, Some(&legacy))),
            is("ok", read),
            "its tag verifies"
        );
    }
}

#[test]
fn the_records_kind_decides_in_a_query_and_in_a_browser() {
    let (query, page) = (
        "/any/x?key=KEY\n",
        "/any/x\nx-api-key\nKEY\norigin\nhttps://a.example\n",
    );
    for (kind, rest, expected) in [
        (Kind::Public, query, "ok"),
        (Kind::Private, query, "kind_not_accepted"),
        (Kind::Public, page, "ok"),
        (Kind::Private, page, "private_key_in_browser"),
    ] {
        let head = format!("GET\nhttps://gate.example{rest}").replace("KEY", LEGACY);
        let answer = Desk::new(ROUTES).ask(&head, LEGACY, Some(&record(kind, true)));
        assert_eq!(seen(answer), is(expected, true), "{kind:?} {rest}");
    }
}

#[test]
fn a_flood_of_strings_costs_native_keys_nothing() {
    let mut desk = Desk::new(ROUTES);
    let held = record(Kind::Private, false);
    let keys: Vec<_> = (0..40).map(|start| native(Kind::Private, start)).collect();
    for read in [true, false] {
        for key in &keys {
            assert_eq!(
                seen(desk.call("/native/x", key, Some(&held))),
                is("ok", read)
            );
        }
        for number in 0..5000 {
            let secret = format!("no-such-key-of-anybody-{read}-{number}");
            assert_eq!(
                seen(desk.call("/any/x", &secret, None)),
                is("key_invalid", true)
            );
        }
    }
    let last = "no-such-key-of-anybody-false-4999";
    for (seconds, read) in [(9, false), (10, true)] {
        desk.now = NOW.plus(seconds * 1000);
        assert_eq!(
            seen(desk.call("/any/x", last, None)),
            is("key_invalid", read)
        );
    }
}

#[test]
fn nothing_tells_a_deleted_key_from_an_unknown_one() {
    let deleted = Record {
        status: Status::Deleted,
        ..record(Kind::Private, true)
    };
    for path in ["/any/x", "/other/x", "/staging/x", "/native/x"] {
        let [mut one, mut other] = [Desk::new(ROUTES), Desk::new(ROUTES)];
        for seconds in [0, 9, 10, 29, 45, 400] {
            one.now = NOW.plus(seconds * 1000);
            other.now = one.now;
            assert_eq!(
                one.call(path, LEGACY, Some(&deleted)),
                other.call(path, "unknown-key-of-anybody", None),
                "{path} after {seconds} s"
            );
        }
    }
    let value = sealed(keyring().current(), &deleted, LEGACY);
    let answer = |path: &str, stored: Stored<'_>| {
        let head = format!(
            "GET\nhttps://gate.example{path}\nx-api-key\n{LEGACY}\norigin\nhttps://a.example\n"
        );
        let loaded = Loaded { attempt: 0, stored };
        match Desk::new(ROUTES).gateway.handle(&head, NOW, Some(loaded)) {
            Outcome::Respond(response) => response,
            outcome => panic!("{outcome:?}"),
        }
    };
    for path in ["/any/x", "/staging/x"] {
        assert_eq!(
            answer(path, Stored::Found(&value)),
            answer(path, Stored::Missing)
        );
    }
}
