//! Who may call with a derived key, and from where it is taken.

use keyward_core::kind::Kind;
use serde_json::{Value, json};

use crate::desk::{Desk, native};
use crate::{ROUTES, minted, parent, terms};

/// What becomes of a call with such headers, of a key and of its parent.
fn called(rules: Value, headers: &str) -> (String, String) {
    let secret = native(Kind::Private, 1);
    let held = parent(&secret);
    let key = minted(&secret, &terms(rules));
    let mut desk = Desk::new(ROUTES);
    let mut ask = |key: &str| {
        let head = format!("GET\nhttps://gate.example/x\nx-api-key\n{key}\n{headers}");
        desk.ask(&head, &secret, Some(&held)).code
    };
    (ask(&key), ask(&secret))
}

#[test]
fn without_websites_it_is_refused_from_browsers_exactly_where_its_parent_is() {
    for (headers, from_browser) in [
        ("", false),
        ("origin\nhttps://a.example\n", true),
        ("origin\nnull\n", true),
        ("origin\n\n", false),
        ("referer\nhttps://a.example/\n", false),
        ("sec-fetch-site\nsame-origin\n", true),
        ("sec-fetch-site\nSame-Site\n", true),
        ("sec-fetch-site\ncross-site\n", true),
        ("sec-fetch-site\nnone\n", false),
        ("sec-fetch-mode\ncors\n", false),
        ("origin\nhttps://a.example\nupgrade\nwebsocket\n", false),
    ] {
        let (own, of_parent) = called(json!({}), headers);
        let expected = if from_browser {
            ("referrer_denied", "private_key_in_browser")
        } else {
            ("ok", "ok")
        };
        assert_eq!((&*own, &*of_parent), expected, "{headers:?}");
        let (open, _) = called(json!({"any_referrer": true}), headers);
        assert_eq!(open, "ok", "{headers:?}");
    }
}

#[test]
fn with_websites_it_is_for_those_pages_alone() {
    for (headers, code) in [
        ("origin\nhttps://a.example\n", "ok"),
        ("origin\nhttps://b.example\n", "referrer_denied"),
        ("", "referrer_denied"),
    ] {
        let rules = json!({"referrers": ["https://a.example"]});
        assert_eq!(called(rules, headers).0, code, "{headers:?}");
    }
}

#[test]
fn where_it_is_not_taken_nothing_is_read() {
    let secret = native(Kind::Private, 1);
    let held = parent(&secret);
    let key = minted(&secret, &terms(json!({})));
    let routes = |more: &str| {
        format!(
            r#"{{"route":[{{"origin":"https://o.example","key_in":["header:x-api-key","query:key"]{more}}}]}}"#
        )
    };
    let in_header = format!("GET\nhttps://gate.example/x\nx-api-key\n{key}\n");
    let in_query = format!("GET\nhttps://gate.example/x?key={key}\n");
    let in_both = format!("GET\nhttps://gate.example/x?key={key}\nx-api-key\n{key}\n");
    for (accepts, head) in [
        ("", &in_header),
        (r#","accepts":["public","private"]"#, &in_header),
        (r#","accepts":["public","derived"]"#, &in_query),
        (r#","accepts":["public","derived"]"#, &in_both),
    ] {
        let mut desk = Desk::new(&routes(accepts));
        let answer = desk.ask(head, &secret, Some(&held));
        let expected = ("kind_not_accepted", false);
        assert_eq!(
            (answer.code.as_str(), answer.read),
            expected,
            "{accepts} {head}"
        );
    }
    let mut desk = Desk::new(&routes(r#","accepts":["public","derived"]"#));
    let answer = desk.ask(&in_header, &secret, Some(&held));
    assert_eq!((answer.code.as_str(), answer.read), ("ok", true));
}
