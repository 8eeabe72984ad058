//! Path rules: which methods and paths they match, in the documented cases and in others.

mod hostile;
mod reading;
mod writing;

use keyward_core::restrict::path::{CheckedPath, PathPattern, PathRule};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    rules: Vec<String>,
    method: String,
    raw_path: String,
    allow: bool,
    why: String,
}

#[test]
fn the_documented_cases_are_decided_as_documented() {
    for line in include_str!("../cases/path_documented.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let rules = case
            .rules
            .iter()
            .map(|rule| rule.parse())
            .collect::<Result<Vec<PathRule>, _>>();
        let allowed = match (rules, CheckedPath::parse(&case.raw_path)) {
            (Ok(rules), Ok(path)) => rules.iter().any(|rule| rule.matches(&case.method, &path)),
            _ => false,
        };
        assert_eq!(allowed, case.allow, "{}: {}", case.id, case.why);
    }
}

#[test]
fn patterns_match_whole_segments() {
    for (pattern, path, expected) in [
        ("/", "/", true),
        ("/", "/a", false),
        ("/a", "/a", true),
        ("/a", "/a/", false),
        ("/a/", "/a/", true),
        ("/a/", "/a", false),
        ("/a", "/A", false),
        ("/a", "/ab", false),
        ("/ab", "/a", false),
        ("/*", "/", false),
        ("/*", "/a", true),
        ("/*", "/*", true),
        ("/*", "/a/", false),
        ("/*", "/a/b", false),
        ("/*/", "/a/", true),
        ("/*/", "/a", false),
        ("/a/*/c", "/a/b/c", true),
        ("/a/*/c", "/a/c", false),
        ("/a/*/c", "/a/b/b/c", false),
        ("/**", "/", false),
        ("/**", "/a", true),
        ("/**", "/a/", true),
        ("/**", "/a/b/c", true),
        ("/a/**", "/a", false),
        ("/a/**", "/a/", false),
        ("/a/**", "/a/b", true),
        ("/a/**", "/a/b/", true),
        ("/a/**", "/ab/c", false),
        ("/a/**", "/A/b", false),
        ("/a/*/**", "/a/b", false),
        ("/a/*/**", "/a/b/", false),
        ("/a/*/**", "/a/b/c", true),
        ("/caf%c3%a9", "/café", true),
        ("/café", "/caf%C3%A9", true),
        ("/%61", "/a", true),
        ("/a", "/%61", true),
        ("/a+b", "/a%2Bb", false),
        ("/a%2A", "/a*", false),
        ("/a%20b", "/a%20b", true),
        ("/a%20b", "/a+b", false),
    ] {
        let pattern = PathPattern::parse(pattern).unwrap();
        assert_eq!(
            pattern.matches(&CheckedPath::parse(path).unwrap()),
            expected,
            "{pattern} {path}"
        );
    }
}

#[test]
fn in_a_route_two_stars_stand_for_anything_after_their_slash() {
    for (pattern, path, expected) in [
        ("/**", "/", true),
        ("/**", "/a/b", true),
        ("/a/**", "/a/", true),
        ("/a/**", "/a", false),
        ("/a/**", "/ab", false),
        ("/a/*", "/a/", false),
        ("/a", "/a", true),
    ] {
        let pattern = PathPattern::parse(pattern).unwrap();
        assert_eq!(
            pattern.matches_all_below(&CheckedPath::parse(path).unwrap()),
            expected,
            "{pattern} {path}"
        );
    }
}

#[test]
fn an_empty_segment_that_was_let_through_matches_no_star() {
    let path = CheckedPath::unchecked("/a//b");
    assert!(!PathPattern::parse("/a/**").unwrap().matches(&path));
    assert!(!PathPattern::parse("/a/*/b").unwrap().matches(&path));
}

#[test]
fn methods_are_matched_exactly_as_sent() {
    for (rule, method, expected) in [
        ("GET /a", "GET", true),
        ("get /a", "GET", true),
        ("GET /a", "get", false),
        ("GET /a", "Get", false),
        ("GET /a", "HEAD", true),
        ("GET /a", "head", false),
        ("HEAD /a", "GET", false),
        ("HEAD /a", "HEAD", true),
        ("POST /a", "HEAD", false),
        ("GET /a", "OPTIONS", false),
        ("GET /a", "GETX", false),
        ("GET /a", "GE", false),
        ("GET /a", "", false),
        ("GET /a", "GET ", false),
        ("GET /a", "GET,POST", false),
        ("GET,POST /a", "POST", true),
        ("GET,POST /a", "HEAD", true),
        ("GET,POST /a", "PUT", false),
        ("PROPFIND /a", "PROPFIND", true),
        ("* /a", "GET", true),
        ("* /a", "OPTIONS", true),
        ("* /a", "PROPFIND", true),
        ("* /a", "TRACE", false),
        ("* /a", "CONNECT", false),
        ("* /a", "trace", false),
        ("* /a", "", false),
        ("* /a", "G ET", false),
        ("* /a", "*", false),
    ] {
        let rule: PathRule = rule.parse().unwrap();
        assert_eq!(
            rule.matches(method, &CheckedPath::parse("/a").unwrap()),
            expected,
            "{rule} {method:?}"
        );
    }
}
