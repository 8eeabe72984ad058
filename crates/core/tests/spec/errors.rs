//! How what is wrong is said: by its place, all at once, and never at length.

use keyward_core::spec::validate;
use serde_json::{Value, json};

use crate::wrong;

fn detail(fields: &Value) -> String {
    let errors = validate(fields).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].detail.clone()
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
