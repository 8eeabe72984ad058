//! Browsers, restrictions and scopes.

use keyward_core::decide::Access;
use keyward_core::kind::Kind;
use keyward_core::record::Record;
use keyward_core::refusal::Refusal;
use keyward_core::request::Facts;
use serde_json::{Value, json};
use std::net::IpAddr;

use crate::{PAGE, alone, decided, private, public, record, restrict, scope};

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
