//! Random hostile paths, and what the URL standard makes of them.

use keyward_core::restrict::path::{CheckedPath, PathPattern, PathRule};
use proptest::prelude::*;
use url::Url;

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
