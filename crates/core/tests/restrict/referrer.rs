//! Referrer rules: which pages they let through, in the documented cases and by both headers.

mod hostile;
mod origin;
mod referer;
mod writing;

use keyward_core::restrict::referrer::{ReferrerRule, check};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    pattern: Vec<String>,
    origin: Option<String>,
    referer: Option<String>,
    allow: bool,
    why: String,
}

fn allows(rule: &str, origin: Option<&str>, referer: Option<&str>) -> bool {
    check(&[rule.parse().unwrap()], false, origin, referer)
}

#[test]
fn the_documented_cases_are_decided_as_documented() {
    for line in include_str!("../cases/referrer_documented.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let rules = case
            .pattern
            .iter()
            .map(|rule| rule.parse())
            .collect::<Result<Vec<ReferrerRule>, _>>();
        let allowed = rules.is_ok_and(|rules| {
            check(
                &rules,
                false,
                case.origin.as_deref(),
                case.referer.as_deref(),
            )
        });
        assert_eq!(allowed, case.allow, "{line}: {}", case.why);
    }
}

#[test]
fn both_headers_must_tell_the_same_story() {
    for (origin, referer, expected) in [
        (None, None, false),
        (Some(""), None, false),
        (None, Some(""), false),
        (Some(""), Some(""), false),
        (Some(""), Some("https://example.com/"), true),
        (Some("https://example.com"), Some(""), true),
        (
            Some("https://example.com"),
            Some("https://example.com/a"),
            true,
        ),
        (
            Some("https://EXAMPLE.com:443"),
            Some("https://example.com/a"),
            true,
        ),
        (
            Some("https://example.com:8443"),
            Some("https://example.com:8443/a"),
            true,
        ),
        (
            Some("https://example.com"),
            Some("http://example.com/"),
            false,
        ),
        (
            Some("https://example.com"),
            Some("https://example.com:8443/"),
            false,
        ),
        (
            Some("https://example.com"),
            Some("https://www.example.com/"),
            false,
        ),
        (
            Some("https://example.com"),
            Some("https://evil.example/"),
            false,
        ),
        (
            Some("https://evil.example"),
            Some("https://example.com/"),
            false,
        ),
        (Some("https://example.com"), Some("about:blank"), false),
        (Some("https://example.com"), Some("garbage"), false),
        (Some("null"), Some("https://example.com/"), false),
        (Some("garbage"), Some("https://example.com/"), false),
        (Some(" "), Some("https://example.com/"), false),
    ] {
        assert_eq!(
            allows("example.com", origin, referer),
            expected,
            "{origin:?} {referer:?}"
        );
    }
}

#[test]
fn no_rules_allow_nothing_and_any_referrer_allows_everything() {
    assert!(!check(
        &[],
        false,
        Some("https://example.com"),
        Some("https://example.com/")
    ));
    for header in [
        None,
        Some(""),
        Some("null"),
        Some("garbage"),
        Some("https://example.com"),
    ] {
        assert!(check(&[], true, header, header));
    }
}
