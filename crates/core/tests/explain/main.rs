//! `explain`: one line in, one line out, whatever the line holds.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod derived;

use keyward_core::explain::explain;
use keyward_core::time::Millis;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Millis = Millis(1_795_262_400_000);

fn answer(line: &str) -> Value {
    let answer = explain(line, NOW);
    assert!(!answer.contains('\n'));
    serde_json::from_str(&answer).unwrap()
}

/// The code for a question, after checking that decision and status go with it.
fn code(question: &Value) -> String {
    let answer = answer(&question.to_string());
    let allowed = answer["decision"] == "allow";
    assert_eq!(
        allowed,
        answer["status"].as_u64().unwrap() < 300,
        "{answer}"
    );
    answer["code"].as_str().unwrap().to_owned()
}

fn get(key: Value, headers: Value) -> String {
    code(&json!({"key": key, "request": {"method": "GET", "path": "/", "headers": headers}}))
}

#[test]
fn limits_are_read_and_not_counted() {
    let with = |limits: Value| get(json!({ "limits": limits }), json!({}));
    assert_eq!(with(json!({"credits": 0})), "ok");
    let rate = json!({"rate": [{"limit": 1, "window_s": 60, "per": "ip"}]});
    assert_eq!((with(rate.clone()), with(rate)), ("ok".into(), "ok".into()));
    assert_eq!(with(json!({"credits": "5"})), "key_spec_invalid");
}

#[test]
fn the_answer_has_the_documented_fields_in_their_order() {
    let question = r#"{"key":{"kind":"public","referrers":["example.com"]},"request":{"method":"GET","path":"/","headers":{"Origin":"https://example.com"},"ip":"192.0.2.7"},"now":"2026-11-21T12:00:00Z"}"#;
    assert_eq!(
        explain(question, Millis(0)),
        r#"{"decision":"allow","status":200,"code":"ok","detail":"The key may make this request."}"#
    );
    assert_eq!(
        explain(
            &question.replace("https://example.com", "https://evil.example"),
            Millis(0)
        ),
        r#"{"decision":"deny","status":403,"code":"referrer_denied","detail":"The key does not allow calls from this website."}"#
    );
    let denied = explain(
        r#"{"key":{"ips":["1.2.3"]},"request":{"method":"GET","path":"/"}}"#,
        NOW,
    );
    let start = r#"{"decision":"deny","status":422,"code":"key_spec_invalid","detail":"ips[0]: "#;
    assert!(
        denied.starts_with(start) && denied.contains(r#","errors":[{"field":"ips[0]","detail":"#)
    );
}

#[test]
fn a_key_that_cannot_be_created_is_told_why() {
    let answer = answer(
        r#"{"key":{"kind":"public","referrers":["exam*le.com"]},"request":{"method":"GET","path":"/"}}"#,
    );
    assert_eq!(answer["errors"][0]["field"], "referrers[0]");
    let detail = answer["detail"].as_str().unwrap();
    assert_eq!(
        detail,
        format!(
            "referrers[0]: {}",
            answer["errors"][0]["detail"].as_str().unwrap()
        )
    );
}

#[test]
fn what_is_no_question_is_denied() {
    let request = r#""request":{"method":"GET","path":"/"}"#;
    for line in [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "{",
        r#"{"key":{}}"#,
        &format!("{{{request}}}"),
        &format!(r#"{{"key":{{}},{request},"extra":1}}"#),
        &format!(r#"{{"key":{{}},{request},{request}}}"#),
        &format!(r#"{{"key":{{}},{request}}} x"#),
        &format!(r#"{{"key":{{}},{request},"now":"today"}}"#),
        &format!(r#"{{"key":{{}},{request},"now":0}}"#),
        r#"[{}, {"method":"GET","path":"/"}]"#,
        r#"{"key":{},"request":["GET","/"]}"#,
        r#"{"key":{},"request":{"path":"/"}}"#,
        r#"{"key":{},"request":{"method":"GET"}}"#,
        r#"{"key":{},"request":{"method":"","path":"/"}}"#,
        r#"{"key":{},"request":{"method":"GET /","path":"/"}}"#,
        r#"{"key":{},"request":{"method":"GET","path":"/","body":""}}"#,
        r#"{"key":{},"request":{"method":"GET","path":"/","headers":[]}}"#,
        r#"{"key":{},"request":{"method":"GET","path":"/","headers":{"Origin":1}}}"#,
        r#"{"key":{},"request":{"method":"GET","path":"/","ip":1}}"#,
    ] {
        let answer = answer(line);
        assert_eq!(
            (&answer["decision"], &answer["status"], &answer["code"]),
            (&json!("deny"), &json!(400), &json!("body_invalid")),
            "{line}"
        );
    }
}

#[test]
fn the_rows_are_asked_in_order() {
    let broken = json!({"ips": []});
    let preflight =
        json!({"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"});
    let ask = |key: &Value, method: &str, path: &str, headers: &Value| {
        code(&json!({"key": key, "request": {"method": method, "path": path, "headers": headers}}))
    };
    let key = json!({"kind": "public", "referrers": ["example.com"]});
    assert_eq!(
        ask(&broken, "OPTIONS", "/a/../b", &preflight),
        "key_spec_invalid"
    );
    assert_eq!(
        ask(&key, "OPTIONS", "/a/../b", &preflight),
        "path_ambiguous"
    );
    assert_eq!(ask(&key, "OPTIONS", "/a", &preflight), "preflight");
    assert_eq!(
        ask(
            &key,
            "OPTIONS",
            "/a",
            &json!({"Origin": "https://evil.example"})
        ),
        "referrer_denied"
    );
    assert_eq!(
        ask(
            &key,
            "OPTIONS",
            "/a",
            &json!({"Access-Control-Request-Method": "POST"})
        ),
        "referrer_denied"
    );
    assert_eq!(ask(&key, "POST", "/a", &preflight), "referrer_denied");
    for method in ["TRACE", "CONNECT", "trace"] {
        assert_eq!(ask(&key, method, "/a", &json!({})), "method_not_allowed");
    }
    assert_eq!(
        ask(&key, "GET", "/a", &json!({"Origin": "https://example.com"})),
        "ok"
    );
}

#[test]
fn header_names_have_no_case_and_lines_are_joined() {
    let key = json!({"kind": "public", "referrers": ["example.com"]});
    assert_eq!(
        get(key.clone(), json!({"ORIGIN": "https://example.com"})),
        "ok"
    );
    assert_eq!(
        get(key.clone(), json!({"origin": ["https://example.com"]})),
        "ok"
    );
    assert_eq!(
        get(
            key.clone(),
            json!({"origin": null, "Referer": "https://example.com/"})
        ),
        "ok"
    );
    assert_eq!(
        get(
            key.clone(),
            json!({"origin": "", "Referer": "https://example.com/"})
        ),
        "ok"
    );
    for twice in [
        json!({"Origin": "https://example.com", "origin": "https://example.com"}),
        json!({"Origin": ["https://example.com", "https://example.com"]}),
    ] {
        assert_eq!(get(key.clone(), twice), "referrer_denied");
    }
    let same_name = r#"{"key":{"any_referrer":false,"kind":"public","referrers":["example.com"]},"request":{"method":"GET","path":"/","headers":{"Origin":"https://evil.example","Origin":"https://example.com"}}}"#;
    assert_eq!(answer(same_name)["code"], "referrer_denied");
}

#[test]
fn every_fact_reaches_the_decision() {
    let private = json!({"kind": "private"});
    assert_eq!(get(private.clone(), json!({})), "ok");
    assert_eq!(
        get(private.clone(), json!({"Origin": "https://example.com"})),
        "private_key_in_browser"
    );
    assert_eq!(
        get(private.clone(), json!({"Sec-Fetch-Site": "cross-site"})),
        "private_key_in_browser"
    );
    assert_eq!(
        get(private.clone(), json!({"Sec-Fetch-Mode": "cors"})),
        "ok"
    );
    assert_eq!(
        get(
            private.clone(),
            json!({"Origin": "https://example.com", "Upgrade": "WebSocket"})
        ),
        "ok"
    );
    assert_eq!(
        get(
            private,
            json!({"Origin": "https://example.com", "Upgrade": "h2c"})
        ),
        "private_key_in_browser"
    );

    let sha1 = "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09";
    let android = json!({"apps": {"android": [{"package": "com.example.app", "sha1": sha1}]}});
    let headers =
        json!({"X-Android-Package": "com.example.app", "X-Android-Cert": sha1.replace(':', "")});
    assert_eq!(get(android.clone(), headers), "ok");
    assert_eq!(
        get(android, json!({"X-Android-Package": "com.example.app"})),
        "app_denied"
    );
    let ios = json!({"apps": {"ios": ["com.example.app"]}});
    assert_eq!(
        get(ios, json!({"X-Ios-Bundle-Identifier": "com.example.app"})),
        "ok"
    );

    let from = |ip: Value| {
        code(
            &json!({"key": {"ips": ["192.0.2.0/24"]}, "request": {"method": "GET", "path": "/", "ip": ip}}),
        )
    };
    assert_eq!(from(json!("192.0.2.7")), "ok");
    for unknown in [
        json!("192.0.3.7"),
        json!("192.0.2.07"),
        json!("192.0.2"),
        json!(""),
        json!(null),
    ] {
        assert_eq!(from(unknown), "ip_denied");
    }
}

#[test]
fn status_and_time_decide() {
    let ask = |key: Value, now: Option<&str>| {
        let mut question = json!({"key": key, "request": {"method": "GET", "path": "/"}});
        if let Some(now) = now {
            question["now"] = now.into();
        }
        code(&question)
    };
    assert_eq!(ask(json!({"status": "revoked"}), None), "key_revoked");
    assert_eq!(ask(json!({"status": "disabled"}), None), "key_disabled");
    assert_eq!(ask(json!({"status": "suspended"}), None), "key_disabled");
    let until = json!({"expires_at": "2026-11-21T12:00:00.001Z"});
    assert_eq!(ask(until.clone(), None), "ok");
    assert_eq!(
        ask(until.clone(), Some("2026-11-21T12:00:00.001Z")),
        "key_expired"
    );
    let from = json!({"not_before": "2026-11-21T12:00:00Z"});
    assert_eq!(ask(from.clone(), None), "ok");
    assert_eq!(
        ask(from, Some("2026-11-21T11:59:59.999Z")),
        "key_not_yet_valid"
    );
}

proptest! {
    #[test]
    fn any_line_gets_one_line_of_json(line in ".*") {
        let answer = answer(&line);
        prop_assert_eq!(&answer["decision"], "deny");
    }

    #[test]
    fn any_question_gets_an_answer(method in "[A-Z]{1,8}|.*", path in "/?.*", name in ".*", value in ".*", ip in ".*", rule in ".*") {
        let question = json!({
            "key": {"paths": [rule, "* /**"]},
            "request": {"method": method, "path": path, "headers": {name: value}, "ip": ip},
        });
        let answer = answer(&question.to_string());
        prop_assert!(answer["code"].is_string() && answer["detail"].is_string());
    }
}
