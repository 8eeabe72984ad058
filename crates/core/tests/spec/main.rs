//! The fields of a key: what is accepted, what is refused, and how that is said.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod errors;
mod fields;
mod limits;

use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::spec::validate;
use keyward_core::time::Millis;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The fields that are wrong, in the order found.
fn wrong(fields: &Value) -> Vec<String> {
    let errors = validate(fields).err().unwrap_or_default();
    assert!(errors.iter().all(|error| !error.detail.is_empty()));
    errors.into_iter().map(|error| error.field).collect()
}

#[test]
fn everything_a_key_can_say_is_read() {
    let key = validate(&json!({
        "name": "Checkout page",
        "kind": "public",
        "environment": "test",
        "owner": "Ada Lovelace",
        "scopes": ["chat:write", "models:*"],
        "referrers": ["https://example.com/*"],
        "ips": ["192.0.2.7"],
        "paths": ["get,post /v1/**"],
        "not_before": "2026-11-21T12:00:00Z",
        "expires_at": "2027-11-21T13:00:00+01:00",
        "limits": {"rate": [{"limit": 100, "window_s": 60}], "credits": 5},
        "status": "disabled",
        "metadata": {"ticket": 7, "nested": {"a": [null]}},
    }))
    .unwrap();
    assert_eq!(key.name, "Checkout page");
    assert_eq!(
        (key.kind, key.environment.as_str(), key.status),
        (Kind::Public, "test", Status::Disabled)
    );
    assert_eq!(key.owner.as_deref(), Some("Ada Lovelace"));
    assert_eq!(key.restrictions.scopes.len(), 2);
    assert_eq!(key.restrictions.paths[0].to_string(), "GET,POST /v1/**");
    assert_eq!(key.not_before, Some(Millis(1_795_262_400_000)));
    assert_eq!(
        key.expires_at,
        Some(Millis(1_795_262_400_000 + 365 * 86_400_000))
    );
    assert_eq!(key.metadata["ticket"], 7);

    let record = key.record("acme", "key_a", "sec_a", 3);
    assert_eq!(
        (
            record.project.as_str(),
            record.key_id.as_str(),
            record.version
        ),
        ("acme", "key_a", 3)
    );
    assert_eq!(
        (record.kind, record.status, record.not_after),
        (key.kind, key.status, None)
    );
    assert_eq!(
        (record.not_before, record.expires_at),
        (key.not_before, key.expires_at)
    );
    assert!(record.limits.is_metered());
    assert_eq!(
        (
            record.environment,
            record.owner,
            record.restrictions,
            record.limits
        ),
        (key.environment, key.owner, key.restrictions, key.limits)
    );
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let key = validate(&json!({})).unwrap();
    assert_eq!(
        (key.kind, key.environment.as_str(), key.status),
        (Kind::Private, "live", Status::Active)
    );
    assert_eq!(
        (key.name.as_str(), key.owner, key.not_before, key.expires_at),
        ("", None, None, None)
    );
    assert!(key.metadata.is_empty());
    assert_eq!(key.restrictions, Default::default());
    assert!(key.limits.is_empty());
}

#[test]
fn the_kind_follows_from_websites_and_apps() {
    for (fields, kind) in [
        (json!({"referrers": ["example.com"]}), Kind::Public),
        (json!({"any_referrer": true}), Kind::Public),
        (json!({"any_referrer": false}), Kind::Private),
        (json!({"apps": {"ios": ["com.example.app"]}}), Kind::Public),
        (json!({"ips": ["192.0.2.7"]}), Kind::Private),
        (
            json!({"kind": "private", "any_referrer": false}),
            Kind::Private,
        ),
    ] {
        assert_eq!(validate(&fields).unwrap().kind, kind, "{fields}");
    }
}

#[test]
fn a_public_key_names_its_audience_once_and_a_private_key_never() {
    let apps = json!({"ios": ["com.example.app"]});
    for (fields, field) in [
        (json!({"kind": "public"}), "referrers"),
        (
            json!({"kind": "public", "any_referrer": false}),
            "referrers",
        ),
        (json!({"kind": "public", "ips": ["192.0.2.7"]}), "referrers"),
        (
            json!({"referrers": ["example.com"], "any_referrer": true}),
            "any_referrer",
        ),
        (json!({"referrers": ["example.com"], "apps": apps}), "apps"),
        (json!({"any_referrer": true, "apps": apps}), "apps"),
        (
            json!({"kind": "private", "referrers": ["example.com"]}),
            "referrers",
        ),
        (
            json!({"kind": "private", "any_referrer": true}),
            "any_referrer",
        ),
        (json!({"kind": "private", "apps": apps}), "apps"),
    ] {
        assert_eq!(wrong(&fields), [field], "{fields}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "(GET|\\*)? ?/?[a-z*./:%-]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{0,8}|android|ios|package|sha1", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn validation_never_panics_and_records_of_valid_keys_survive_json(
        fields in proptest::collection::btree_map(
            "name|kind|environment|owner|scopes|referrers|any_referrer|ips|apps|paths|not_before|expires_at|limits|status|metadata|x",
            any_json(),
            0..6,
        ),
    ) {
        let fields = Value::Object(fields.into_iter().collect());
        if let Ok(key) = validate(&fields) {
            let record = key.record("acme", "key_a", "sec_a", 1);
            let json = serde_json::to_string(&record).unwrap();
            prop_assert_eq!(serde_json::from_str::<keyward_core::record::Record>(&json).unwrap(), record);
        }
    }
}
