//! Path rules against the documented cases, hostile paths, and the URL standard.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use keyward_core::restrict::path::{CheckedPath, PathError, PathPattern, PathRule};
use proptest::prelude::*;
use serde::Deserialize;
use url::Url;

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
    for line in include_str!("cases/path_documented.jsonl").lines() {
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
fn an_ambiguous_path_is_refused_for_its_reason() {
    use PathError::{
        Backslash, Blank, DotSegment, EmptySegment, EncodedSlash, EncodedTwice, Encoding, Fragment,
        NotUtf8, Semicolon, Start,
    };
    for (path, reason) in [
        ("", Start),
        ("*", Start),
        ("a", Start),
        ("?a", Start),
        ("@evil.example/a", Start),
        (":8080/a", Start),
        (".evil.example/a", Start),
        ("https://evil.example/a", Start),
        ("%2Fa", Start),
        ("\\a", Start),
        (" /a", Start),
        ("\u{feff}/a", Start),
        ("//", Start),
        ("//evil.example/a", Start),
        ("///a", Start),
        ("/\\evil.example/a", Backslash),
        ("/\t/evil.example", Blank),
        ("/a#", Fragment),
        ("/a#b", Fragment),
        ("/a?b#c", Fragment),
        ("#", Fragment),
        ("/a\\b", Backslash),
        ("/a/..\\b", Backslash),
        ("/a%5cb", Backslash),
        ("/a%5C", Backslash),
        ("/a%2fb", EncodedSlash),
        ("/a/..%2Fb", EncodedSlash),
        ("/%2F", EncodedSlash),
        ("/a;b", Semicolon),
        ("/a;", Semicolon),
        ("/a/..;/b", Semicolon),
        ("/a/;/b", Semicolon),
        ("/a%3bb", Semicolon),
        ("/a/..%3B/b", Semicolon),
        ("/a b", Blank),
        ("/a ", Blank),
        ("/a/.. /b", Blank),
        ("/a\tb", Blank),
        ("/a\r\nb", Blank),
        ("/a\0", Blank),
        ("/a\u{7f}", Blank),
        ("/a%00", Blank),
        ("/a/..%00/b", Blank),
        ("/a%09", Blank),
        ("/a/.%0a./b", Blank),
        ("/a%0D%0Ab", Blank),
        ("/a%1f", Blank),
        ("/a%7F", Blank),
        ("/a%C2%85", Blank),
        ("/a/..%C2%A0/b", Blank),
        ("/a\u{a0}", Blank),
        ("/a%E3%80%80b", Blank),
        ("/a%E2%80%A8", Blank),
        ("/%20", Blank),
        ("/a%20", Blank),
        ("/a%20/b", Blank),
        ("/%20a", Blank),
        ("/a%", Encoding),
        ("/a%2", Encoding),
        ("/a%zz", Encoding),
        ("/a%2g", Encoding),
        ("/a%+2", Encoding),
        ("/a%u002e", Encoding),
        ("/a%%32%65", Encoding),
        ("/a%２e", Encoding),
        ("/a%c0%ae%c0%ae/b", NotUtf8),
        ("/a%c0%af", NotUtf8),
        ("/a%e0%80%af", NotUtf8),
        ("/a%f0%80%80%af", NotUtf8),
        ("/a%ED%A0%80", NotUtf8),
        ("/a%F4%90%80%80", NotUtf8),
        ("/a%ff", NotUtf8),
        ("/a%C3", NotUtf8),
        ("/a%C3é", NotUtf8),
        ("/a%A9", NotUtf8),
        ("/a%252e", EncodedTwice),
        ("/a/%252e%252e/b", EncodedTwice),
        ("/a%252F", EncodedTwice),
        ("/a%25252F", EncodedTwice),
        ("/a%25%32%46", EncodedTwice),
        ("/a%25%32F", EncodedTwice),
        ("/a%2541", EncodedTwice),
        ("/a%25ab", EncodedTwice),
        ("/a//b", EmptySegment),
        ("/a//", EmptySegment),
        ("/a/b//?c", EmptySegment),
        ("/.", DotSegment),
        ("/..", DotSegment),
        ("/a/.", DotSegment),
        ("/a/..", DotSegment),
        ("/a/./b", DotSegment),
        ("/a/../b", DotSegment),
        ("/a/..?b", DotSegment),
        ("/a/%2e/b", DotSegment),
        ("/a/%2E%2e/b", DotSegment),
        ("/a/.%2e/b", DotSegment),
        ("/a/%2e./b", DotSegment),
        ("/a/..%20/b", DotSegment),
        ("/a/.%20", DotSegment),
        ("/a/%2e%2E%20%20/b", DotSegment),
        ("/a/.%20./b", DotSegment),
        ("/a/%20../b", DotSegment),
    ] {
        assert_eq!(CheckedPath::parse(path), Err(reason), "{path:?}");
    }
}

#[test]
fn an_unambiguous_path_gets_one_form() {
    for (path, canonical) in [
        ("/", "/"),
        ("/?", "/"),
        ("/a/", "/a/"),
        ("/a?x=../%2F;\\ %00%zz//", "/a"),
        ("/%61%2D%2e%5F%7e", "/a-._~"),
        ("/%c3%a9", "/%C3%A9"),
        ("/é", "/%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/100%25", "/100%25"),
        ("/100%25/a", "/100%25/a"),
        ("/%25%25", "/%25%25"),
        ("/a%3fb%23c", "/a%3Fb%23c"),
        ("/a+b%2bc", "/a+b%2Bc"),
        ("/a@b:c=d&e,f!$'()*", "/a@b:c=d&e,f!$'()*"),
        ("/v1/things:batchGet", "/v1/things:batchGet"),
        ("/\"<>`{}^", "/%22%3C%3E%60%7B%7D%5E"),
        ("/[a]|b", "/[a]|b"),
        ("/...", "/..."),
        ("/..a/a../.a/a.", "/..a/a../.a/a."),
        ("/evil.example", "/evil.example"),
        ("/https:", "/https:"),
    ] {
        assert_eq!(
            CheckedPath::parse(path).unwrap().as_str(),
            canonical,
            "{path:?}"
        );
    }
}

#[test]
fn without_the_check_a_path_is_read_as_the_url_standard_reads_it() {
    for (path, canonical) in [
        ("/a/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/..\\b", "/b"),
        ("/../..", "/"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/a//b", "/a//b"),
        ("/a//../b", "/a/b"),
        ("/a/.\t./b", "/b"),
        ("/a;b=c", "/a;b=c"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%2", "/a%252"),
        ("/%%32%65%%32%65/b", "/%252e%252e/b"),
        ("/a b\0", "/a%20b%00"),
        ("/a#b", "/a"),
        ("@evil.example", "/@evil.example"),
        ("https://evil.example/", "/https://evil.example/"),
        ("\\a", "/a"),
        ("", "/"),
    ] {
        assert_eq!(CheckedPath::unchecked(path).as_str(), canonical, "{path:?}");
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

#[test]
fn a_rule_that_could_not_be_checked_is_refused_when_written() {
    for rule in [
        "",
        " ",
        "GET",
        "GET ",
        "/a",
        " /a",
        "GET/a",
        "GET  /a",
        "GET\t/a",
        "GET /a ",
        "GET, POST /a",
        "GET,/a",
        "GET, /a",
        ",GET /a",
        "GET,,POST /a",
        "GET;POST /a",
        "GET|POST: /a",
        "*,GET /a",
        "GET,* /a",
        "** /a",
        "G*T /a",
        "TRACE /a",
        "GET,connect /a",
        "GET a",
        "GET *",
        "GET **",
        "GET //a",
        "GET //",
        "GET /a//b",
        "GET /**/a",
        "GET /**/",
        "GET /***",
        "GET /a**",
        "GET /a*",
        "GET /*a",
        "GET /a/*.json",
        "GET /**/**",
        "GET /../a",
        "GET /a/.",
        "GET /%2e%2e/a",
        "GET /a%2fb",
        "GET /a%5Cb",
        "GET /a\\b",
        "GET /a;b",
        "GET /a%3B",
        "GET /a b",
        "GET /a%00",
        "GET /a%20",
        "GET /a%",
        "GET /a%zz",
        "GET /a%252e",
        "GET /a%ff",
        "GET /a?b",
        "GET /a?",
        "GET /a#b",
        "GET /users/{id}",
        "GÉT /a",
        "GET https://example.com/a",
        "GET /a\nPOST /b",
    ] {
        assert!(rule.parse::<PathRule>().is_err(), "{rule:?}");
    }
}

#[test]
fn a_rule_is_written_back_in_canonical_form() {
    for (text, canonical) in [
        ("get,Post,GET /v1/**", "GET,POST /v1/**"),
        ("* /%7Euser/caf\u{e9}/*/", "* /~user/caf%C3%A9/*/"),
    ] {
        let rule: PathRule = text.parse().unwrap();
        assert_eq!(rule.to_string(), canonical);
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<PathRule>(&json).unwrap(), rule);
    }
    assert!(serde_json::from_str::<PathRule>("\"GET /a?b\"").is_err());
}

/// Text made of what path parsers stumble over.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/"),
        Just("."),
        Just(".."),
        Just("%"),
        Just("%2e"),
        Just("%2F"),
        Just("%5c"),
        Just("\\"),
        Just("%25"),
        Just("2e"),
        Just(";"),
        Just("%3b"),
        Just("%20"),
        Just(" "),
        Just("\t"),
        Just("%00"),
        Just("%C3"),
        Just("%A9"),
        Just("é"),
        Just("a"),
        Just("B"),
        Just("%41"),
        Just("*"),
        Just("**"),
        Just("?"),
        Just("#"),
        Just("@"),
        Just(":"),
        Just("|"),
        Just("^"),
        Just("{"),
        Just("["),
        Just("'"),
        Just("\""),
        Just("%c0%af"),
        Just("\u{202e}"),
    ];
    prop_oneof![
        4 => prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat())),
        1 => any::<String>(),
    ]
}

fn url_standard_path(path: &str) -> String {
    Url::parse(&format!("https://origin.example{path}"))
        .unwrap()
        .path()
        .to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_accepted_reads_the_same_by_the_url_standard(target in hostile()) {
        if let Ok(path) = CheckedPath::parse(&target) {
            prop_assert_eq!(url_standard_path(path.as_str()), path.as_str());
            let again = CheckedPath::parse(path.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), path.as_str());
        }
    }

    #[test]
    fn what_the_url_standard_would_rewrite_is_refused(target in hostile()) {
        let raw = target.split(['?', '#']).next().unwrap();
        if CheckedPath::parse(&target).is_ok() {
            // Beyond encoding, the URL standard changes nothing: same number of segments.
            let url = url_standard_path(raw);
            prop_assert_eq!(url.matches('/').count(), raw.matches('/').count());
        }
    }

    #[test]
    fn what_was_let_through_unchecked_is_what_is_forwarded(target in hostile()) {
        let path = CheckedPath::unchecked(&target);
        prop_assert_eq!(url_standard_path(path.as_str()), path.as_str());
        let again = CheckedPath::unchecked(path.as_str());
        prop_assert_eq!(again.as_str(), path.as_str());
        prop_assert!(path.as_str().starts_with('/') && path.as_str().is_ascii());
    }

    #[test]
    fn the_query_never_takes_part(path in "/[a-z%./]{0,12}", query in "[ -\"$-~]{0,12}") {
        let with_query = format!("{path}?{query}");
        prop_assert_eq!(CheckedPath::parse(&with_query), CheckedPath::parse(&path));
    }

    #[test]
    fn rules_never_panic_and_come_back_from_their_text(methods in "[A-Za-z,* ]{0,8}", pattern in hostile()) {
        let _ = pattern.parse::<PathRule>();
        if let Ok(rule) = format!("{methods} {pattern}").parse::<PathRule>() {
            prop_assert_eq!(rule.to_string().parse::<PathRule>().unwrap(), rule);
        }
    }

    #[test]
    fn a_literal_rule_allows_its_own_path_only(rule in "/[a-c/]{0,4}", path in "/[a-c/]{0,4}") {
        if let (Ok(pattern), Ok(checked)) = (PathPattern::parse(&rule), CheckedPath::parse(&path)) {
            prop_assert_eq!(pattern.matches(&checked), rule == path);
        }
    }
}
