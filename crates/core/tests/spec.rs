//! The fields of a key: what is accepted, what is refused, and how that is said.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

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

fn detail(fields: &Value) -> String {
    let errors = validate(fields).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].detail.clone()
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

#[test]
fn each_field_is_held_to_its_own_form() {
    for (field, values) in [
        (
            "name",
            vec![
                json!(7),
                json!(""),
                json!(null),
                json!("a".repeat(101)),
                json!(" a"),
                json!("a\nb"),
            ],
        ),
        (
            "kind",
            vec![
                json!("management"),
                json!("derived"),
                json!("Public"),
                json!(""),
                json!(null),
                json!(1),
            ],
        ),
        (
            "environment",
            vec![
                json!("Live"),
                json!(""),
                json!("a-b"),
                json!("a".repeat(13)),
                json!(null),
                json!([]),
            ],
        ),
        (
            "owner",
            vec![
                json!(""),
                json!("é".repeat(201)),
                json!("a\r\nSet-Cookie: b"),
                json!("a\u{0}"),
                json!("a "),
                json!(1),
            ],
        ),
        (
            "not_before",
            vec![
                json!("now"),
                json!("2026-11-21"),
                json!(1_795_262_400_000_u64),
                json!(""),
            ],
        ),
        ("expires_at", vec![json!("never"), json!(0), json!({})]),
        ("any_referrer", vec![json!("true"), json!(1), json!(null)]),
        ("status", vec![json!("paused"), json!(null), json!(0)]),
        (
            "metadata",
            vec![
                json!([]),
                json!("a"),
                json!(null),
                json!({"a": "b".repeat(4096)}),
            ],
        ),
        (
            "limits",
            vec![
                json!({}),
                json!(null),
                json!([]),
                json!(5),
                json!({"on_meter_error": "allow"}),
            ],
        ),
        (
            "scopes",
            vec![json!([]), json!("a:b"), json!(null), json!({})],
        ),
        ("ips", vec![json!([]), json!("192.0.2.7"), json!(null)]),
        (
            "paths",
            vec![json!([]), json!(null), json!(vec!["GET /a"; 201])],
        ),
        ("nme", vec![json!(1)]),
    ] {
        for value in values {
            let fields = json!({field: value});
            assert_eq!(wrong(&fields), [field], "{fields}");
        }
    }
    for (field, values) in [
        (
            "referrers",
            vec![
                json!([]),
                json!("example.com"),
                json!(null),
                json!(vec!["example.com"; 501]),
            ],
        ),
        ("apps", vec![json!({}), json!([]), json!(null), json!("a")]),
    ] {
        for value in values {
            assert_eq!(wrong(&json!({"kind": "public", field: value})), [field]);
        }
    }
    assert_eq!(
        wrong(&json!({"kind": "public", "apps": {"ios": []}})),
        ["apps.ios"]
    );
    assert_eq!(
        wrong(&json!({"kind": "public", "apps": {"windows": ["a"]}})),
        ["apps.windows"]
    );
}

#[test]
fn the_largest_values_are_accepted() {
    let fields = json!({
        "name": "é".repeat(100),
        "owner": "a".repeat(200),
        "environment": "abcdefghijkl",
        "metadata": {"a": "b".repeat(4096 - 8)},
        "referrers": vec!["example.com"; 500],
        "paths": vec!["GET /a"; 200],
        "scopes": vec!["a:b"; 200],
    });
    assert!(validate(&fields).is_ok());
}

#[test]
fn null_means_none_only_where_none_is_a_value() {
    let fields = json!({"owner": null, "not_before": null, "expires_at": null});
    let key = validate(&fields).unwrap();
    assert_eq!(
        (key.owner, key.not_before, key.expires_at),
        (None, None, None)
    );
}

#[test]
fn a_key_ends_after_it_begins() {
    let between =
        |start: &str, end: &str| validate(&json!({"not_before": start, "expires_at": end}));
    assert!(between("2026-11-21T12:00:00Z", "2026-11-21T12:00:00.001Z").is_ok());
    for end in [
        "2026-11-21T12:00:00Z",
        "2026-11-21T11:59:59Z",
        "2026-11-21T12:30:00+01:00",
    ] {
        assert_eq!(
            between("2026-11-21T12:00:00Z", end).unwrap_err()[0].field,
            "expires_at"
        );
    }
}

#[test]
fn a_rule_that_is_wrong_is_named_by_its_place() {
    let fields = json!({
        "kind": "public",
        "referrers": ["example.com", "exam*le.com", 7],
        "ips": ["256.1.1.1"],
        "paths": ["GET /**/secret", "a".repeat(501)],
        "scopes": ["chat:write", "chat"],
    });
    assert_eq!(
        wrong(&fields),
        [
            "scopes[1]",
            "referrers[1]",
            "referrers[2]",
            "ips[0]",
            "paths[0]",
            "paths[1]"
        ]
    );
    let app = json!({"apps": {"android": [{"package": "com.example.app"}], "ios": ["com.example.app", 5]}});
    assert_eq!(wrong(&app), ["apps.android[0]", "apps.ios[1]"]);
}

#[test]
fn all_errors_are_collected() {
    let fields = json!({"name": 1, "kind": "x", "environment": "X", "owner": "", "limits": {}, "zzz": 1, "status": 5});
    assert_eq!(
        wrong(&fields),
        [
            "name",
            "kind",
            "environment",
            "owner",
            "limits",
            "status",
            "zzz"
        ]
    );
}

#[test]
fn an_unknown_field_is_told_what_there_is_and_not_repeated_at_length() {
    assert!(detail(&json!({"referers": ["example.com"]})).contains("referrers"));
    assert_eq!(wrong(&json!({"é".repeat(1000): 1})), ["é".repeat(40)]);
}

#[test]
fn twenty_errors_are_named_and_then_that_there_are_more() {
    let fields = |count: usize| -> Value {
        let named = (0..count).map(|index| (format!("x{index}"), Value::Null));
        Value::Object(named.collect())
    };
    assert_eq!(wrong(&fields(20)).len(), 20);
    // So many were once compared with one another.
    for many in [21, 200_000] {
        let named = wrong(&fields(many));
        assert_eq!(named.len(), 21);
        assert_eq!(named[20], "more");
    }
    let rules = json!({ "scopes": vec!["no scope"; 200], "ips": [1], "unknown": 1 });
    assert_eq!(wrong(&rules).len(), 21);
}

#[test]
fn only_an_object_is_a_key() {
    for fields in [json!(null), json!([]), json!("a"), json!(5)] {
        assert_eq!(wrong(&fields), ["key"]);
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
