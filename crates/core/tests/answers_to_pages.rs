//! What an answer of the origin says to pages, and to caches that pages share with servers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use keyward_core::answer::{self, Asker};
use keyward_core::kind::Kind;
use keyward_core::route::{GatewayFile, Routes};

/// The edits of an answer with these headers on a route with these fields, as `name: value` lines.
fn edited(fields: &str, kind: Kind, page: Option<&str>, headers: &str) -> Vec<String> {
    let text = format!(r#"{{"route":[{{"origin":"https://origin.example"{fields}}}]}}"#);
    let file: GatewayFile = serde_json::from_str(&text).unwrap();
    let routes = Routes::compile(&file, &|_| None).unwrap();
    let asker = Asker {
        base: "https://gate.example",
        page,
        own: None,
    };
    let headers = format!("cache-control\nprivate\n{headers}");
    let edits = answer::plan(routes.get(0).unwrap(), kind, None, asker, 200, &headers);
    let removed = edits.remove.iter().map(|name| format!("-{name}"));
    let set = edits
        .set
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    removed.chain(set).collect()
}

const PAGE: Option<&str> = Some("https://app.example");
const ORIGIN: &str = "access-control-allow-origin: https://app.example";

#[test]
fn a_page_may_read_what_the_answer_says_of_limits_and_challenges() {
    let exposed = r#","cors":{"expose_headers":["etag","Retry-After"]}"#;
    for (fields, headers, expected) in [
        ("", "retry-after\n7\nx-other\n1\n", "retry-after"),
        (
            "",
            "ratelimit\n\"a\";r=1\nwww-authenticate\nBasic\n",
            "ratelimit, www-authenticate",
        ),
        (exposed, "retry-after\n7\n", "etag, retry-after"),
        (
            exposed,
            "ratelimit-policy\n\"a\";q=1\n",
            "etag, retry-after, ratelimit-policy",
        ),
    ] {
        let edits = edited(fields, Kind::Public, PAGE, headers);
        let list = format!("access-control-expose-headers: {expected}");
        assert_eq!(edits, [ORIGIN, &list, "vary: Origin"], "{headers}");
        // Without a page, nobody is told.
        assert_eq!(
            edited(fields, Kind::Public, None, headers),
            ["vary: Origin"]
        );
        assert!(edited(fields, Kind::Private, None, headers).is_empty());
    }
}

#[test]
fn timing_is_shown_to_the_page_that_reads_the_answer_if_the_origin_shows_it() {
    for theirs in ["*", "https://elsewhere.example"] {
        let headers = format!("timing-allow-origin\n{theirs}\n");
        assert_eq!(
            edited("", Kind::Public, PAGE, &headers),
            [
                "-timing-allow-origin",
                ORIGIN,
                "timing-allow-origin: https://app.example",
                "vary: Origin"
            ]
        );
        assert_eq!(
            edited("", Kind::Public, None, &headers),
            ["-timing-allow-origin", "vary: Origin"]
        );
    }
    assert_eq!(edited("", Kind::Public, PAGE, ""), [ORIGIN, "vary: Origin"]);
}

#[test]
fn what_a_server_gets_from_a_route_that_caches_share_with_pages_tells_them_apart() {
    let cached = r#","cache":"origin""#;
    let servers = r#","cache":"origin","accepts":["private"]"#;
    for (fields, vary, expected) in [
        (cached, "", Some("vary: Origin")),
        (
            cached,
            "vary\naccept-encoding\n",
            Some("vary: accept-encoding, Origin"),
        ),
        (cached, "vary\norigin\n", None),
        (cached, "vary\n*\n", None),
        (servers, "", None),
        ("", "", None),
    ] {
        let edits = edited(fields, Kind::Private, None, vary);
        assert_eq!(
            edits.first().map(String::as_str),
            expected,
            "{fields} {vary}"
        );
        assert!(edits.len() <= 1);
    }
}
