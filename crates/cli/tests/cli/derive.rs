//! `keyward derive`: what it mints is what the gateway verifies.

use std::fs;

use keyward_core::derived::{Terms, Token};
use keyward_core::secret::derivation_key;
use keyward_core::time::Millis;
use serde_json::Value;

use crate::command::{Done, run};

const SECRET: &str = "kw_sk_live_1hZ3kQ9xYt7LmN2bVc5dRf8WgA1sD4eUi";
/// Nothing is called: there is nobody.
const NOWHERE: &str = "http://127.0.0.1:1";

fn derive(arguments: &[&str]) -> Done {
    let arguments = [&["derive"], arguments].concat();
    run(NOWHERE, &arguments, &[("KEYWARD_KEY", SECRET)], "")
}

fn said(key: &str) -> Terms {
    let token = Token::parse(key.trim()).unwrap();
    token.verify(&derivation_key(SECRET)).unwrap()
}

#[test]
fn the_key_alone_is_on_standard_output() {
    let done = derive(&[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stdout.lines().count(), 1);
    assert!(done.stdout.starts_with("kw_dk_live_1"));
    done.notes("Derived. It ends at 20");
    assert!(!done.stderr.contains("_dk_") && !done.stderr.contains(SECRET));
    assert!(said(&done.stdout).restrictions.scopes.is_empty());
}

#[test]
fn every_restriction_is_in_it() {
    let done = derive(&[
        "--user",
        "Zo\u{eb} 7",
        "--scope",
        "orders:read",
        "--scope",
        "cart:*",
        "--path",
        "get /v1/orders/**",
        "--referrer",
        "https://*.b\u{fc}cher.example",
        "--ip",
        "192.0.2.0/24",
        "--rate",
        "60/1m",
        "--expires-in",
        "1h",
        "--not-before",
        "2026-11-21T12:00:00Z",
    ]);
    let terms = said(&done.stdout);
    assert_eq!(terms.user.as_deref(), Some("Zo\u{eb} 7"));
    let rules = serde_json::to_value(&terms.restrictions).unwrap();
    let expected = serde_json::json!({
        "scopes": ["orders:read", "cart:*"], "paths": ["GET /v1/orders/**"],
        "referrers": ["https://*.xn--bcher-kva.example"], "ips": ["192.0.2.0/24"],
    });
    assert_eq!(rules, expected);
    let limit = terms.limit.unwrap();
    assert_eq!((limit.calls.get(), limit.window_s), (60, 60));
    assert_eq!(terms.not_before, Some(Millis(1_795_262_400_000)));
}

#[test]
fn no_page_may_use_it_unless_it_says_which_or_any() {
    assert!(!said(&derive(&[]).stdout).is_for_pages());
    let any = said(&derive(&["--any-referrer"]).stdout);
    assert!(any.is_for_pages() && any.restrictions.any_referrer);
    let both = derive(&["--any-referrer", "--referrer", "https://shop.example"]);
    assert_eq!((both.code, both.stdout.as_str()), (Some(2), ""));
}

#[test]
fn json_says_when_it_ends() {
    let done = derive(&["--json", "--expires-in", "90s"]);
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    let end: Millis = answer["expires_at"].as_str().unwrap().parse().unwrap();
    let terms = said(answer["key"].as_str().unwrap());
    assert_eq!(terms.expires_at.0 / 1000, end.0 / 1000);
}

#[test]
fn the_private_key_comes_by_the_environment_or_by_standard_input() {
    for (arguments, variable, input) in [
        (&["derive", "-"][..], "mk-secret", SECRET),
        (&["derive"], "", SECRET),
    ] {
        let done = run(NOWHERE, arguments, &[("KEYWARD_KEY", variable)], input);
        assert_eq!(done.code, Some(0), "{done:?}");
        said(&done.stdout);
    }
    let done = run(NOWHERE, &["derive", SECRET], &[], "");
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""));
}

#[test]
fn what_no_derived_key_can_be_is_refused() {
    for (arguments, says) in [
        (&["--expires-in", "25h"][..], "within 24 hours"),
        (
            &["--not-before", "2999-01-01T00:00:00Z"],
            "before it begins",
        ),
        (&["--scope", "orders"], "write chat:write"),
        (&["--path", "/x"], "a path rule"),
        (&["--referrer", "*.co.uk"], "public suffix"),
        (&["--ip", "1.2.3"], "no IP address"),
        (&["--rate", "60"], "a number of calls"),
        (&["--rate", "5000000000/1h"], "4294967295"),
        (&["--user", "a\nb"], "control characters"),
        (&["--environment", "test"], "the environment is"),
        (&["--parent", "nowhere.json"], "--parent: nowhere.json"),
    ] {
        let done = derive(arguments);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
        done.notes(says);
    }
    for secret in [&SECRET.replace("_sk_", "_pk_"), "short"] {
        let done = run(NOWHERE, &["derive"], &[("KEYWARD_KEY", secret)], "");
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
        done.notes("only private keys derive");
    }
}

#[test]
fn with_its_parent_at_hand_a_wider_one_is_not_minted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parent.json");
    let path = file.to_str().unwrap();
    let shown = r#"{"id":"key_1","kind":"private","scopes":["orders:*"],"paths":["GET /v1/**"],"limits":{}}"#;
    for text in [
        shown.to_owned(),
        format!(r#"{{"key":{shown},"secret":"x"}}"#),
    ] {
        fs::write(&file, text).unwrap();
        let narrow = derive(&["--parent", path, "--scope", "orders:read"]);
        assert_eq!(narrow.code, Some(0), "{narrow:?}");
        for wider in [["--scope", "cart:read"], ["--path", "GET /**"]] {
            let done = derive(&[&["--parent", path], &wider[..]].concat());
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
            done.notes("more than its parent has");
        }
    }
    fs::write(&file, shown.replace("private", "public")).unwrap();
    assert_eq!(derive(&["--parent", path]).code, Some(2));
}
