//! How a path rule is written, and written back.

use keyward_core::restrict::path::PathRule;

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
