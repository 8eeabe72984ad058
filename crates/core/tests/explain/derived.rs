//! Questions about derived keys.

use serde_json::{Value, json};

use crate::{answer, code};

#[test]
fn a_derived_key_is_asked_about_with_its_parent() {
    let ask = |key: Value, derived: Value, headers: Value| {
        let request = json!({"method": "GET", "path": "/v1/a", "headers": headers});
        let now = "2026-11-21T12:00:00Z";
        code(&json!({"key": key, "derived": derived, "request": request, "now": now}))
    };
    let page = json!({"origin": "https://a.example"});
    let orders = json!({"scopes": ["orders:*"], "paths": ["GET /v1/**"]});
    let ends = |time: &str| json!({ "expires_at": time });
    for (key, derived, headers, expected) in [
        (&orders, json!({}), json!({}), "ok"),
        (
            &orders,
            json!({"scopes": ["orders:read"], "user": "u", "limit": {"calls": 1, "window_s": 1}}),
            page.clone(),
            "referrer_denied",
        ),
        (&orders, json!({"any_referrer": true}), page.clone(), "ok"),
        (
            &orders,
            json!({"any_referrer": true, "referrers": ["https://a.example"]}),
            page.clone(),
            "key_spec_invalid",
        ),
        (
            &orders,
            json!({"scopes": ["cart:read"]}),
            json!({}),
            "wider_than_parent",
        ),
        (
            &orders,
            json!({"paths": ["GET /v1/b"]}),
            json!({}),
            "path_denied",
        ),
        (
            &orders,
            json!({"referrers": ["https://b.example"]}),
            page.clone(),
            "referrer_denied",
        ),
        (
            &orders,
            json!({"not_before": "2026-11-21T12:00:01Z"}),
            json!({}),
            "key_not_yet_valid",
        ),
        (
            &orders,
            ends("2026-11-21T12:00:00Z"),
            json!({}),
            "key_expired",
        ),
        (&orders, ends("2026-11-22T12:01:00Z"), json!({}), "ok"),
        (
            &orders,
            ends("2026-11-22T12:01:01Z"),
            json!({}),
            "wider_than_parent",
        ),
        (
            &json!({"status": "revoked"}),
            json!({}),
            json!({}),
            "key_revoked",
        ),
        (
            &json!({"kind": "public", "any_referrer": true}),
            json!({}),
            page,
            "wider_than_parent",
        ),
        (
            &orders,
            json!({"scopes": ["orders"]}),
            json!({}),
            "key_spec_invalid",
        ),
        (
            &orders,
            json!({"referrers": ["*.com"]}),
            json!({}),
            "key_spec_invalid",
        ),
        (
            &orders,
            json!({"user": "a\nb"}),
            json!({}),
            "key_spec_invalid",
        ),
        (
            &orders,
            json!({"limit": {"calls": 1, "window_s": 0}}),
            json!({}),
            "key_spec_invalid",
        ),
        (
            &orders,
            json!({"limit": {"calls": 0, "window_s": 1}}),
            json!({}),
            "body_invalid",
        ),
        (&orders, json!({"apps": {}}), json!({}), "body_invalid"),
        (&orders, json!([]), json!({}), "body_invalid"),
    ] {
        assert_eq!(
            ask(key.clone(), derived.clone(), headers),
            expected,
            "{key} {derived}"
        );
    }
    let answer =
        answer(r#"{"key":{},"derived":{"ips":["x"]},"request":{"method":"GET","path":"/"}}"#);
    assert_eq!(answer["errors"][0]["field"], "derived.ips[0]");
}
