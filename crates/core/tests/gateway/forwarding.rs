//! What the origin receives.

use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;

use crate::{BEARER, desk, value};

#[test]
fn identity_is_added_and_cannot_be_forged() {
    let mut desk = desk(Kind::Private, r#"{"scopes":["a:b","c:*"]}"#);
    let forged = [
        BEARER,
        ("keyward-key-id", "key_boss"),
        ("keyward_key_id", "key_boss"),
        ("keyward-scopes", "*:*"),
        ("keyward-assertion", "x"),
        ("x_api_key", "other"),
        ("x-other", "stays"),
    ];
    let (url, remove, set) = desk.forwarded("GET", "/plain/x?a=1&a=2", &forged);
    assert_eq!(url, "https://origin.example/plain/x?a=1&a=2");
    assert_eq!(
        remove,
        [
            "authorization",
            "keyward-key-id",
            "keyward_key_id",
            "keyward-scopes",
            "keyward-assertion",
            "x_api_key"
        ]
    );
    assert_eq!(value(&set, "keyward-key-id"), Some("key_1"));
    assert_eq!(value(&set, "keyward-scopes"), Some("a:b c:*"));
    assert_eq!(value(&set, "keyward-owner"), Some("Zo%C3%AB, 100%25"));
    assert_eq!(value(&set, "keyward-kind"), Some("private"));
}

#[test]
fn an_absent_identity_value_leaves_no_header() {
    let mut desk = desk(Kind::Private, "{}");
    desk.record.owner = None;
    let (_, _, set) = desk.forwarded("GET", "/plain/x", &[BEARER]);
    assert_eq!(value(&set, "keyward-owner"), None);
    assert_eq!(value(&set, "keyward-scopes"), None);
}

#[test]
fn every_copy_of_the_key_is_stripped() {
    let mut desk = desk(Kind::Public, r#"{"any_referrer":true}"#);
    let headers = [
        BEARER,
        ("x-copy", "a KEY b"),
        ("cookie", "k=KEY"),
        ("referer", "https://page.example/x?key=KEY"),
        ("accept", "*/*"),
    ];
    let (url, remove, set) =
        desk.forwarded("GET", "/maps/x?a=%20b&key=KEY&c=KEY&%6Bey=KEY&d", &headers);
    assert_eq!(
        url,
        "https://maps.example/maps/x?a=%20b&d&key=maps%20secret"
    );
    assert_eq!(remove, ["authorization", "x-copy", "cookie", "referer"]);
    assert_eq!(value(&set, "referer"), Some("https://page.example/"));
}

#[test]
fn the_credential_goes_to_the_origin_and_nothing_of_the_client_stays_in_its_place() {
    let mut desk = desk(Kind::Private, "{}");
    let (url, remove, set) = desk.forwarded(
        "POST",
        "/llm/chat?x",
        &[("x-api-key", "KEY"), ("content-type", "a/b")],
    );
    assert_eq!(url, "https://llm.example/v1/chat?x");
    assert_eq!(remove, ["x-api-key"]);
    assert_eq!(value(&set, "authorization"), Some("Bearer llm-secret"));
    let (_, remove, _) = desk.forwarded(
        "POST",
        "/llm/chat",
        &[("x-api-key", "KEY"), ("authorization", "Basic YTpi")],
    );
    assert_eq!(remove, ["x-api-key", "authorization"]);
}

#[test]
fn a_credential_that_does_not_resolve_sends_nothing() {
    let mut desk = desk(Kind::Private, "{}");
    for target in ["/gone/x", "/padded/x"] {
        let refused = desk.refused("GET", target, &[BEARER]);
        assert_eq!(refused, "500 credential_unavailable", "{target}");
    }
}

#[test]
fn what_connection_names_is_removed_before_ours_are_added() {
    let mut desk = desk(Kind::Private, "{}");
    let headers = [
        BEARER,
        ("connection", "close, X-Drop, keyward-key-id"),
        ("x-drop", "1"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
    ];
    let (_, remove, set) = desk.forwarded("GET", "/plain/x", &headers);
    assert_eq!(
        remove,
        ["authorization", "connection", "x-drop", "te", "upgrade"]
    );
    assert_eq!(value(&set, "keyward-key-id"), Some("key_1"));
}

#[test]
fn a_websocket_keeps_its_upgrade() {
    let mut desk = desk(Kind::Private, "{}");
    let headers = [
        BEARER,
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("origin", "https://gate.example"),
    ];
    let (_, remove, _) = desk.forwarded("GET", "/plain/x", &headers);
    assert_eq!(remove, ["authorization", "connection"]);
}

#[test]
fn a_copy_of_the_key_is_stripped_in_every_spelling() {
    let mut desk = desk(Kind::Private, "{}");
    let encoded = desk.key.replace('_', "%5F");
    let referer = format!("https://page.example/?k={encoded}");
    let headers = [
        BEARER,
        ("referer", referer.as_str()),
        ("x-copy", encoded.as_str()),
    ];
    let (_, remove, set) = desk.forwarded("GET", "/plain/x", &headers);
    assert_eq!(remove, ["authorization", "referer", "x-copy"]);
    assert_eq!(value(&set, "referer"), Some("https://page.example/"));
}

#[test]
fn a_key_in_the_mark_against_loops_is_not_passed_on() {
    let mut desk = desk(Kind::Private, "{}");
    let mut mark = |header: &str| {
        let (_, _, set) = desk.forwarded("GET", "/plain/x", &[BEARER, ("cdn-loop", header)]);
        value(&set, "cdn-loop").unwrap().to_owned()
    };
    let own = mark("");
    assert!(own.starts_with("keyward-"), "{own}");
    assert_eq!(mark("KEY"), own);
    assert_eq!(mark("other, KEY"), own);
    assert_eq!(mark("other"), format!("other, {own}"));
}

#[test]
fn nothing_of_an_ordinary_call_differs_from_what_is_registered() {
    let mut desk = desk(Kind::Private, "{}");
    let encoded = format!("/plain/x?a={}", desk.key.replace('_', "%5F"));
    let mut is_ordinary = |target: &str, headers: &[(&str, &str)]| {
        let text = desk.head("GET", target, headers);
        match desk.call(&text) {
            Outcome::Forward { forward, .. } => {
                forward.url.is_none() && forward.remove.is_empty() && forward.set.is_empty()
            }
            outcome => panic!("{outcome:?}"),
        }
    };
    const KEY: (&str, &str) = ("x-api-key", "KEY");
    for target in ["/plain/x", "/plain/x?a=%20b&c", "/plain/x?", "/plain/x/"] {
        assert!(is_ordinary(target, &[KEY, ("accept", "*/*")]), "{target}");
    }
    for (target, headers) in [
        ("/plain/%78", vec![KEY]),
        ("/plain/x?a=KEY", vec![KEY]),
        ("/plain/x?KEY", vec![KEY]),
        (encoded.as_str(), vec![KEY]),
        ("/plain/x", vec![KEY, ("x-copy", "KEY")]),
        ("/plain/x", vec![BEARER]),
        ("/plain/x", vec![KEY, ("keyward-owner", "me")]),
        ("/plain/x", vec![KEY, ("x_api_key", "other")]),
        ("/plain/x", vec![KEY, ("te", "trailers")]),
        (
            "/plain/x",
            vec![KEY, ("connection", "accept"), ("accept", "*/*")],
        ),
        ("/plain/x", vec![KEY, ("cdn-loop", "other")]),
        (
            "/plain/x",
            vec![KEY, ("referer", "https://page.example/?KEY")],
        ),
    ] {
        assert!(!is_ordinary(target, &headers), "{target} {headers:?}");
    }
}
