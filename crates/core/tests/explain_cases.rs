//! The shared cases, asked of `explain` as its users would ask them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use keyward_core::explain::explain;
use keyward_core::time::Millis;
use serde_json::{Map, Value, json};

/// Asks every case of a file and names those that are answered otherwise than it says.
fn ask(cases: &str, question: impl Fn(&Value) -> Value) {
    let mut asked = 0;
    let mut failed = Vec::new();
    for case in cases.lines().filter(|line| !line.trim().is_empty()) {
        let case: Value = serde_json::from_str(case).unwrap();
        let answer = explain(&question(&case).to_string(), Millis(0));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let expected = if case["allow"] == true {
            "allow"
        } else {
            "deny"
        };
        assert_ne!(answer["code"], "body_invalid", "{case}");
        if answer["decision"] != expected {
            failed.push(format!("{case}\n  {answer}"));
        }
        asked += 1;
    }
    assert!(asked > 0);
    assert!(
        failed.is_empty(),
        "{} of {asked}:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn referrer_cases_are_answered_as_documented() {
    ask(include_str!("cases/referrer_documented.jsonl"), |case| {
        let sent = [("Origin", &case["origin"]), ("Referer", &case["referer"])];
        let headers: Map<_, _> = sent
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        json!({
            "key": {"kind": "public", "referrers": case["pattern"]},
            "request": {"method": "GET", "path": "/", "headers": headers},
        })
    });
}

#[test]
fn path_cases_are_answered_as_documented() {
    ask(include_str!("cases/path_documented.jsonl"), |case| {
        json!({
            "key": {"kind": "private", "paths": case["rules"]},
            "request": {"method": case["method"], "path": case["raw_path"]},
        })
    });
}
