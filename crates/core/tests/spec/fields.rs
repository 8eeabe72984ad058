//! The form of each field, and what its values are at most.

use keyward_core::spec::validate;
use serde_json::json;

use crate::wrong;

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
