//! How a referrer rule is written, and written back.

use keyward_core::restrict::referrer::ReferrerRule;

#[test]
fn a_rule_that_could_not_be_checked_is_refused_when_written() {
    for rule in [
        "",
        " ",
        "*",
        "*.",
        "*.*",
        ".",
        "..",
        "/",
        "/a",
        "//example.com",
        "://example.com",
        "https://",
        "https:///a",
        "https:example.com",
        "https:/example.com",
        "null",
        "NULL",
        "example.com.",
        ".example.com",
        "a..b",
        "example.com,example.org",
        "example.com example.org",
        " example.com",
        "example.com ",
        "example.com\n",
        "exam\tple.com",
        "example.com\0",
        "*.com",
        "*.co.uk",
        "*.github.io",
        "https://*.github.io/a",
        "*.COM",
        "*.Github.IO:443",
        "*.ck",
        "*.any.ck",
        "*.kawasaki.jp",
        "*.any.kawasaki.jp",
        "*.xn--p1ai",
        "*.xn--55qx5d.cn",
        "*.127.0.0.1",
        "*.1",
        "*.[::1]",
        "*:8080",
        "https://*",
        "https://*/a",
        "*example.com",
        "a*.example.com",
        "a.*.example.com",
        "*.*.example.com",
        "example.*",
        "example.com*",
        "**.example.com",
        "%2a.example.com",
        "*://example.com",
        "*.example.com.",
        "*..example.com",
        "~example.com",
        "^example.com$",
        "(a|b).example.com",
        "bücher.example",
        "*.bücher.example",
        "example。com",
        "ex%61mple.com",
        "example.com%2f",
        "exam ple.com",
        "user@example.com",
        "https://user:pass@example.com",
        "https://@example.com",
        "example.com@evil.example",
        "example.com\\a",
        "https:\\\\example.com",
        "example.com?",
        "example.com/a?b",
        "example.com#",
        "example.com/a#b",
        "example.com:",
        "example.com:0",
        "example.com:080",
        "example.com:65536",
        "example.com:+80",
        "example.com:*",
        "example.com:80:80",
        "example.com:8080a",
        "[::1",
        "::1",
        "[::1]a",
        "[::g]",
        "[::1%25eth0]",
        "[1.2.3.4]",
        "2001:db8::1",
        "010.0.0.1",
        "0x7f.1",
        "127.1",
        "2130706433",
        "256.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "127.0.0.1.",
        "file:///a",
        "file://example.com",
        "data:text/html,a",
        "blob:https://example.com/a",
        "javascript:alert(1)",
        "javascript://example.com",
        "about:blank",
        "ws://example.com",
        "wss://example.com",
        "ftp://example.com",
        "1a://example.com",
        "ht tp://example.com",
        "capacitor://*.localhost",
        "app://*",
        "app://",
        "app:",
        "example.com/*/a",
        "example.com/a*",
        "example.com/*a",
        "example.com/**",
        "example.com/a/**",
        "example.com/a/*/*",
        "example.com/*/*",
        "example.com/../a",
        "example.com/a/.",
        "example.com/%2e%2e/a",
        "example.com/a b",
        "example.com/{a}",
        "example.com/<a>",
        "example.com/a%",
        "example.com/a%zz",
        "example.com/a\\b",
        "example.com/a%é0",
    ] {
        assert!(rule.parse::<ReferrerRule>().is_err(), "{rule:?}");
    }
}

#[test]
fn a_refused_rule_says_what_to_write_instead() {
    for (rule, advice) in [
        ("bücher.example", "punycode"),
        ("*.github.io", "public suffix"),
        ("null", "sandboxed"),
        ("example.com?a", "query"),
        ("a.*.example.com", "*.example.com"),
        ("example.com/a*", "/app/*"),
        ("*.127.0.0.1", "no subdomains"),
        ("user@example.com", "user name"),
        ("example.com:99999", "65535"),
        ("ws://example.com", "https"),
        ("capacitor://*.localhost", "whole host"),
    ] {
        let error = rule.parse::<ReferrerRule>().unwrap_err();
        assert!(error.to_string().contains(advice), "{rule}: {error}");
    }
}

#[test]
fn a_rule_is_written_back_in_canonical_form() {
    for (text, canonical) in [
        ("Example.COM", "example.com"),
        ("example.com/*", "example.com"),
        (
            "HTTPS://*.Example.com:443/App/*",
            "https://*.example.com:443/App/*",
        ),
        ("[2001:DB8:0::1]:80/é", "[2001:db8::1]:80/%C3%A9"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("example.com/a://b", "example.com/a://b"),
    ] {
        let rule: ReferrerRule = text.parse().unwrap();
        assert_eq!(rule.to_string(), canonical);
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<ReferrerRule>(&json).unwrap(), rule);
    }
}

#[test]
fn a_record_outlives_its_domain_becoming_a_public_suffix_but_no_other_error() {
    assert!(serde_json::from_str::<ReferrerRule>("\"*.github.io\"").is_ok());
    assert!(serde_json::from_str::<ReferrerRule>("\"example.com?a\"").is_err());
    assert!(serde_json::from_str::<ReferrerRule>("\"a.*.example.com\"").is_err());
}
