//! The order of the rows, and validity.

use keyward_core::decide::Access;
use keyward_core::kind::Kind;
use keyward_core::record::{Record, Status};
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use serde_json::json;
use std::net::IpAddr;

use crate::{NOW, PAGE, alone, decided, private, public, restrict, scope};

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
