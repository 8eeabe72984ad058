//! The decision, row by row.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::net::IpAddr;

use keyward_core::decide::{Access, decide};
use keyward_core::kind::Kind;
use keyward_core::record::{Record, Status};
use keyward_core::refusal::Refusal;
use keyward_core::request::Facts;
use keyward_core::restrict::path::CheckedPath;
use keyward_core::restrict::scope::Scope;
use keyward_core::spec::validate;
use keyward_core::time::Millis;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Millis = Millis(1_795_262_400_000);
const PAGE: &str = "https://app.example.com";

fn record(fields: &Value) -> Record {
    validate(fields)
        .unwrap()
        .record("acme", "key_a", "sec_a", 1)
}

fn private() -> Record {
    record(&json!({"kind": "private"}))
}

fn public() -> Record {
    record(&json!({"kind": "public", "referrers": ["app.example.com"]}))
}

fn restrict(record: &mut Record, field: &str, value: Value) {
    let mut restrictions = serde_json::to_value(&record.restrictions).unwrap();
    restrictions[field] = value;
    record.restrictions = serde_json::from_value(restrictions).unwrap();
}

fn facts<'a>(path: &'a CheckedPath<'a>) -> Facts<'a> {
    Facts {
        method: "GET",
        path,
        origin: None,
        referer: None,
        sec_fetch_site: None,
        websocket: false,
        ip: None,
        android_package: None,
        android_cert: None,
        ios_bundle: None,
    }
}

/// The decision about a GET of `/v1/models`, with the facts that `change` sets.
fn decided(
    record: &Record,
    access: &Access,
    change: impl FnOnce(&mut Facts<'_>),
) -> Result<(), Refusal> {
    let path = CheckedPath::parse("/v1/models").unwrap();
    let mut facts = facts(&path);
    change(&mut facts);
    decide(record, access, &facts, NOW)
}

fn alone(record: &Record) -> Result<(), Refusal> {
    decided(record, &Access::everything(), |_| {})
}

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

#[test]
fn the_rows_are_asked_in_order() {
    // Everything is wrong at first; each step mends what was refused.
    let mut record = private();
    record.status = Status::Revoked;
    record.expires_at = Some(NOW);
    record.not_after = Some(NOW);
    record.not_before = Some(Millis(NOW.0 + 1));
    for (field, value) in [
        ("referrers", json!(["app.example.com"])),
        ("ips", json!(["192.0.2.7"])),
        ("apps", json!({"ios": ["com.example.app"]})),
        ("paths", json!(["POST /v1/models"])),
    ] {
        restrict(&mut record, field, value);
    }
    let mut access = Access {
        projects: Some(vec!["other".to_owned()]),
        environments: Some(vec!["test".to_owned()]),
        accepts: vec![Kind::Public],
        scopes: vec![scope("chat:write")],
    };
    let (mut site, mut ip) = (Some("cross-site"), None);
    let mut app = None;
    let mut referer = Some("https://evil.example/");

    let mut seen = Vec::new();
    loop {
        let refusal = decided(&record, &access, |facts| {
            facts.sec_fetch_site = site;
            facts.referer = referer;
            facts.ip = ip;
            facts.ios_bundle = app;
        });
        let Err(refusal) = refusal else { break };
        assert!(
            !seen.contains(&refusal.code()) || refusal == Refusal::KeyExpired,
            "{seen:?}"
        );
        seen.push(refusal.code());
        match refusal {
            Refusal::KeyInvalid => {
                access.projects = Some(vec!["other".to_owned(), "acme".to_owned()])
            }
            Refusal::EnvironmentDenied => access.environments = Some(vec!["live".to_owned()]),
            Refusal::KeyRevoked => record.status = Status::Disabled,
            Refusal::KeyDisabled => record.status = Status::Active,
            Refusal::KeyExpired if record.expires_at == Some(NOW) => record.expires_at = None,
            Refusal::KeyExpired => record.not_after = Some(Millis(NOW.0 + 1)),
            Refusal::KeyNotYetValid => record.not_before = Some(NOW),
            Refusal::KindNotAccepted => access.accepts = vec![Kind::Private],
            Refusal::PrivateKeyInBrowser => site = Some("none"),
            Refusal::ReferrerDenied => referer = Some("https://app.example.com/page"),
            Refusal::IpDenied => ip = Some(IpAddr::from([192, 0, 2, 7])),
            Refusal::AppDenied => app = Some("com.example.app"),
            Refusal::PathDenied => restrict(
                &mut record,
                "paths",
                json!(["POST /v1/models", "GET /v1/*"]),
            ),
            Refusal::ScopeMissing => restrict(&mut record, "scopes", json!(["chat:*"])),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        seen,
        [
            "key_invalid",
            "environment_denied",
            "key_revoked",
            "key_disabled",
            "key_expired",
            "key_expired",
            "key_not_yet_valid",
            "kind_not_accepted",
            "private_key_in_browser",
            "referrer_denied",
            "ip_denied",
            "app_denied",
            "path_denied",
            "scope_missing",
        ]
    );
}

#[test]
fn a_key_without_restrictions_passes_where_it_may() {
    assert_eq!(alone(&private()), Ok(()));
    assert_eq!(
        decided(&public(), &Access::everything(), |facts| facts.origin =
            Some(PAGE)),
        Ok(())
    );
}

#[test]
fn suspended_answers_as_disabled() {
    assert_eq!(
        alone(&Record {
            status: Status::Suspended,
            ..private()
        }),
        Err(Refusal::KeyDisabled)
    );
}

#[test]
fn deleted_answers_as_unknown_whatever_else_is_wrong() {
    let deleted = Record {
        status: Status::Deleted,
        ..private()
    };
    assert_eq!(alone(&deleted), Err(Refusal::KeyInvalid));
    let elsewhere = Access {
        environments: Some(vec!["staging".to_owned()]),
        ..Access::everything()
    };
    assert_eq!(
        decided(&deleted, &elsewhere, |_| {}),
        Err(Refusal::KeyInvalid)
    );
}

#[test]
fn a_key_holds_from_its_start_until_just_before_its_end() {
    let at = |not_before: Option<u64>, expires_at: Option<u64>, not_after: Option<u64>| {
        alone(&Record {
            not_before: not_before.map(Millis),
            expires_at: expires_at.map(Millis),
            not_after: not_after.map(Millis),
            ..private()
        })
    };
    let now = NOW.0;
    assert_eq!(at(Some(now), Some(now + 1), Some(now + 1)), Ok(()));
    assert_eq!(at(Some(now + 1), None, None), Err(Refusal::KeyNotYetValid));
    assert_eq!(at(None, Some(now), None), Err(Refusal::KeyExpired));
    assert_eq!(at(None, Some(now + 9), Some(now)), Err(Refusal::KeyExpired));
    assert_eq!(at(Some(now + 1), Some(0), None), Err(Refusal::KeyExpired));
}

#[test]
fn kinds_that_no_route_names_are_not_accepted() {
    for kind in [Kind::Management, Kind::Derived] {
        assert_eq!(
            alone(&Record { kind, ..private() }),
            Err(Refusal::KindNotAccepted)
        );
    }
    let none = Access {
        accepts: Vec::new(),
        ..Access::everything()
    };
    assert_eq!(
        decided(&private(), &none, |_| {}),
        Err(Refusal::KindNotAccepted)
    );
}

#[test]
fn a_private_key_from_a_page_is_refused() {
    type Change = fn(&mut Facts<'_>);
    let refused: &[Change] = &[
        |facts| facts.origin = Some(PAGE),
        |facts| facts.origin = Some("null"),
        |facts| facts.origin = Some("chrome-extension://abcdefghijklmnop"),
        |facts| facts.sec_fetch_site = Some("same-origin"),
        |facts| facts.sec_fetch_site = Some("same-site"),
        |facts| facts.sec_fetch_site = Some("cross-site"),
        |facts| {
            facts.websocket = true;
            facts.sec_fetch_site = Some("cross-site");
        },
    ];
    for change in refused {
        for kind in [Kind::Private, Kind::Management] {
            let access = Access {
                accepts: vec![kind],
                ..Access::everything()
            };
            let record = Record { kind, ..private() };
            assert_eq!(
                decided(&record, &access, change),
                Err(Refusal::PrivateKeyInBrowser)
            );
        }
    }
    let passes: &[Change] = &[
        |facts| facts.origin = Some(""),
        |facts| facts.referer = Some("https://app.example.com/"),
        |facts| facts.sec_fetch_site = Some("none"),
        |facts| facts.sec_fetch_site = Some(""),
        |facts| {
            facts.websocket = true;
            facts.origin = Some(PAGE);
        },
    ];
    for change in passes {
        assert_eq!(decided(&private(), &Access::everything(), change), Ok(()));
    }
}

#[test]
fn a_public_key_is_not_refused_in_a_page() {
    let decided = decided(&public(), &Access::everything(), |facts| {
        facts.origin = Some(PAGE);
        facts.sec_fetch_site = Some("cross-site");
    });
    assert_eq!(decided, Ok(()));
}

#[test]
fn a_public_key_that_restricts_nothing_is_used_by_nobody() {
    let mut record = public();
    record.restrictions = Default::default();
    for origin in [None, Some(PAGE)] {
        let decided = decided(&record, &Access::everything(), |facts| {
            facts.origin = origin
        });
        assert_eq!(decided, Err(Refusal::ReferrerDenied));
    }
    restrict(&mut record, "ips", json!(["192.0.2.7"]));
    let from = |facts: &mut Facts<'_>| facts.ip = Some(IpAddr::from([192, 0, 2, 7]));
    assert_eq!(
        decided(&record, &Access::everything(), from),
        Err(Refusal::ReferrerDenied)
    );
    restrict(&mut record, "any_referrer", json!(true));
    assert_eq!(decided(&record, &Access::everything(), from), Ok(()));
}

#[test]
fn a_record_that_names_websites_and_any_website_holds_to_those_it_names() {
    let mut record = public();
    record.restrictions.any_referrer = true;
    let decided = decided(&record, &Access::everything(), |facts| {
        facts.origin = Some("https://evil.example")
    });
    assert_eq!(decided, Err(Refusal::ReferrerDenied));
}

#[test]
fn an_app_key_needs_no_website() {
    let record = record(&json!({"kind": "public", "apps": {"ios": ["com.example.app"]}}));
    let with = |bundle| {
        decided(&record, &Access::everything(), |facts| {
            facts.ios_bundle = bundle
        })
    };
    assert_eq!(with(Some("com.example.app")), Ok(()));
    assert_eq!(with(Some("com.example.app2")), Err(Refusal::AppDenied));
    assert_eq!(with(None), Err(Refusal::AppDenied));
}

#[test]
fn an_unknown_address_is_in_no_range() {
    let record = record(&json!({"ips": ["0.0.0.0/0", "::/0"]}));
    assert_eq!(alone(&record), Err(Refusal::IpDenied));
}

#[test]
fn every_required_scope_is_needed_and_none_is_implied() {
    let needs = |held: Option<Value>, required: &[&str]| {
        let mut record = private();
        if let Some(held) = held {
            restrict(&mut record, "scopes", held);
        }
        let scopes = required.iter().map(|text| scope(text)).collect();
        decided(
            &record,
            &Access {
                scopes,
                ..Access::everything()
            },
            |_| {},
        )
    };
    assert_eq!(needs(None, &[]), Ok(()));
    assert_eq!(needs(None, &["a:b"]), Err(Refusal::ScopeMissing));
    assert_eq!(needs(Some(json!(["a:b"])), &["a:b"]), Ok(()));
    assert_eq!(
        needs(Some(json!(["a:b"])), &["a:b", "a:c"]),
        Err(Refusal::ScopeMissing)
    );
    assert_eq!(needs(Some(json!(["a:b", "a:c"])), &["a:b", "a:c"]), Ok(()));
    assert_eq!(needs(Some(json!(["a:*"])), &["a:b", "a:c"]), Ok(()));
    assert_eq!(
        needs(Some(json!(["a:*"])), &["b:b"]),
        Err(Refusal::ScopeMissing)
    );
}

/// Values of each type of restriction, of which some allow some of the requests below.
const RESTRICTIONS: &[(&str, &[&str])] = &[
    (
        "referrers",
        &[
            r#"["app.example.com"]"#,
            r#"["*.example.com", "example.org"]"#,
        ],
    ),
    (
        "ips",
        &[r#"["192.0.2.7"]"#, r#"["192.0.2.0/24", "2001:db8::/32"]"#],
    ),
    ("apps", &[r#"{"ios": ["com.example.app"]}"#]),
    (
        "paths",
        &[r#"["GET /v1/*"]"#, r#"["POST /v1/**", "* /v2/**"]"#],
    ),
];

fn any_subset() -> impl Strategy<Value = Vec<Option<usize>>> {
    proptest::collection::vec(proptest::option::of(0_usize..2), RESTRICTIONS.len())
}

fn apply(record: &mut Record, chosen: &[Option<usize>]) {
    for ((field, values), choice) in RESTRICTIONS.iter().zip(chosen) {
        if let Some(choice) = choice {
            restrict(
                record,
                field,
                serde_json::from_str(values[choice % values.len()]).unwrap(),
            );
        }
    }
}

proptest! {
    /// Another type of restriction narrows: whatever was refused stays refused. The one exception
    /// is a public key that restricts nothing, which no registry writes: so this one says "any".
    #[test]
    fn another_type_of_restriction_never_allows_what_was_refused(
        public: bool,
        before in any_subset(),
        added in any_subset(),
        origin in proptest::option::of(prop_oneof![Just(PAGE), Just("https://evil.example"), Just("null"), Just("")]),
        referer in proptest::option::of(prop_oneof![Just("https://app.example.com/x"), Just("https://example.org/"), Just("x")]),
        site in proptest::option::of(prop_oneof![Just("none"), Just("cross-site")]),
        ip in proptest::option::of(prop_oneof![Just("192.0.2.7"), Just("192.0.2.8"), Just("2001:db8::1"), Just("::1")]),
        app in proptest::option::of(prop_oneof![Just("com.example.app"), Just("com.evil.app")]),
        method in prop_oneof![Just("GET"), Just("POST"), Just("get"), Just("TRACE")],
        target in prop_oneof![Just("/v1/models"), Just("/v1/a/b"), Just("/v2/x"), Just("/")],
        websocket: bool,
    ) {
        let path = CheckedPath::parse(target).unwrap();
        let facts = Facts {
            method,
            origin,
            referer,
            sec_fetch_site: site,
            websocket,
            ip: ip.map(|ip| ip.parse().unwrap()),
            ios_bundle: app,
            ..facts(&path)
        };
        let mut record = private();
        if public {
            record.kind = Kind::Public;
            record.restrictions.any_referrer = true;
        }
        apply(&mut record, &before);
        let first = decide(&record, &Access::everything(), &facts, NOW);
        let added: Vec<_> = before.iter().zip(added).map(|(before, added)| before.map_or(added, |_| None)).collect();
        apply(&mut record, &added);
        let second = decide(&record, &Access::everything(), &facts, NOW);
        prop_assert!(first.is_ok() || second.is_err(), "{first:?} became {second:?}");
    }
}
