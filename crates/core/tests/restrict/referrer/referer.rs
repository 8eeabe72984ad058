//! The header `Referer`: a URL as a browser writes it, and the path in it.

use super::allows;

#[test]
fn a_referer_must_be_a_url_that_serialises_to_itself() {
    for (rule, referer, expected) in [
        ("example.com", "https://example.com/", true),
        ("example.com", "https://example.com", true),
        ("example.com", "https://example.com?a=b", true),
        ("example.com", "https://example.com/?a=/../b&c=//d\\", true),
        ("example.com", "HTTPS://Example.com/A", true),
        ("example.com", "https://example.com:8443/a", true),
        ("example.com", "https://example.com//a//", true),
        ("example.com", "https://example.com/a;b=c@d:e|[f]'%zz", true),
        ("example.com", "https://example.com/.../..a/%2e%2ea", true),
        ("example.com", "https://example.com/caf%C3%A9", true),
        ("example.com", "https://[::1]/", false),
        ("example.com", "https://example.com:443/", false),
        ("example.com", "http://example.com:80/", false),
        ("example.com", "https://example.com:/", false),
        ("example.com", "https://example.com:0443/", false),
        ("example.com", "https://example.com:65536/", false),
        ("example.com", "https://example.com./", false),
        ("example.com", "https://user@example.com/", false),
        ("example.com", "https://user:pass@example.com/", false),
        ("example.com", "https://:@example.com/", false),
        ("example.com", "https://example.com@evil.example/", false),
        ("example.com", "https://evil.example/@example.com/", false),
        ("example.com", "https://evil.example\\@example.com/", false),
        ("example.com", "https://example.com\\@evil.example/", false),
        ("example.com", "https://evil.example?@example.com/", false),
        ("example.com", "https://evil.example#@example.com/", false),
        ("example.com", "https://example.com/#a", false),
        ("example.com", "https://example.com/a#", false),
        ("example.com", "https://example.com/?a#b", false),
        ("example.com", "https://example.com#", false),
        ("example.com", "https://example.com\\", false),
        ("example.com", "https://example.com/a\\b", false),
        ("example.com", "https://example.com/a b", false),
        ("example.com", "https://example.com/a\tb", false),
        ("example.com", "https://example.com/ ", false),
        ("example.com", " https://example.com/", false),
        ("example.com", "https://example.com/\n", false),
        ("example.com", "https://example.com/\0", false),
        ("example.com", "https://example.com/é", false),
        ("example.com", "https://example.com/\"", false),
        ("example.com", "https://example.com/<a>", false),
        ("example.com", "https://example.com/`a`", false),
        ("example.com", "https://example.com/{a}", false),
        ("example.com", "https://example.com/a?b=\"", false),
        ("example.com", "https://example.com/a?b='", false),
        ("example.com", "https://example.com/a?b=<", false),
        ("example.com", "https://example.com/a?b=é", false),
        ("example.com", "https://example.com/a?b c", false),
        ("example.com", "https://example.com/.", false),
        ("example.com", "https://example.com/..", false),
        ("example.com", "https://example.com/a/../b", false),
        ("example.com", "https://example.com/a/./b", false),
        ("example.com", "https://example.com/%2e", false),
        ("example.com", "https://example.com/%2E%2e/b", false),
        ("example.com", "https://example.com/.%2e/b", false),
        ("example.com", "https://example.com/%2e./b", false),
        ("example.com", "https:///example.com/", false),
        ("example.com", "https:/example.com/", false),
        ("example.com", "https:example.com/", false),
        ("example.com", "https:\\\\example.com/", false),
        ("example.com", "//example.com/", false),
        ("example.com", "/example.com/", false),
        ("example.com", "about:blank", false),
        ("example.com", "about:client", false),
        ("example.com", "null", false),
        (
            "example.com",
            "data:text/html,<a href=https://example.com/>",
            false,
        ),
        ("example.com", "blob:https://example.com/8f5c", false),
        ("example.com", "file:///example.com/", false),
        ("example.com", "file://example.com/", false),
        ("example.com", "filesystem:https://example.com/", false),
        ("example.com", "view-source:https://example.com/", false),
        ("example.com", "android-app://example.com/", false),
        (
            "android-app://com.example.app",
            "android-app://com.example.app/",
            true,
        ),
        (
            "example.com",
            "https://example.com/, https://example.com/",
            false,
        ),
        ("example.com", "https://ex%61mple.com/", false),
        ("example.com", "https://example.com%2f.evil.example/", false),
        ("example.com", "https://example.com%00.evil.example/", false),
        ("example.com", "https://example.com,evil.example/", false),
        ("example.com", "https://example.com;evil.example/", false),
        (
            "example.com",
            "https://evil.example/https://example.com/",
            false,
        ),
        ("*.example.com", "https://evil.example/.example.com", false),
        ("*.example.com", "https://evil.example?.example.com", false),
        (
            "*.example.com",
            "https://evil.example:8080.example.com/",
            false,
        ),
        ("*.example.com", "https://a.b.example.com/x?y", true),
    ] {
        assert_eq!(
            allows(rule, None, Some(referer)),
            expected,
            "{rule} {referer:?}"
        );
    }
}

#[test]
fn a_path_rule_needs_a_referer_with_that_path() {
    for (rule, referer, expected) in [
        ("example.com/a", "https://example.com/a", true),
        ("example.com/a", "https://example.com/a?b=c", true),
        ("example.com/a", "https://example.com/A", false),
        ("example.com/a", "https://example.com/a/", false),
        ("example.com/a", "https://example.com/a/b", false),
        ("example.com/a", "https://example.com/ab", false),
        ("example.com/a", "https://example.com/?/a", false),
        ("example.com/a", "https://example.com/x/../a", false),
        ("example.com/a", "https://example.com//a", false),
        ("example.com/a/", "https://example.com/a/", true),
        ("example.com/a/", "https://example.com/a", false),
        ("example.com/", "https://example.com/", true),
        ("example.com/", "https://example.com", true),
        ("example.com/", "https://example.com/a", false),
        ("example.com/*", "https://example.com", true),
        ("example.com/*", "https://example.com/a/b", true),
        ("example.com/a/*", "https://example.com/a/b", true),
        ("example.com/a/*", "https://example.com/a/b/c", true),
        ("example.com/a/*", "https://example.com/a/", true),
        ("example.com/a/*", "https://example.com/a", false),
        ("example.com/a/*", "https://example.com/ab", false),
        ("example.com/a/*", "https://example.com/A/b", false),
        ("example.com/a/*", "https://example.com/b/a/c", false),
        ("example.com/a/*", "https://example.com/a/../b", false),
        ("example.com/a/*", "https://example.com/a/%2e%2e/b", false),
        ("example.com/a/*", "https://example.com/a\\b", false),
        ("example.com/a/*", "https://evil.example/a/b", false),
        ("*.example.com/a", "https://x.example.com/a", true),
        ("example.com/café", "https://example.com/caf%C3%A9", true),
        (
            "example.com/caf%C3%A9",
            "https://example.com/caf%C3%A9",
            true,
        ),
        (
            "https://example.com:8443/a",
            "https://example.com:8443/a",
            true,
        ),
        ("https://example.com:8443/a", "https://example.com/a", false),
    ] {
        assert_eq!(
            allows(rule, None, Some(referer)),
            expected,
            "{rule} {referer:?}"
        );
    }
    assert!(!allows("example.com/a", Some("https://example.com"), None));
    assert!(!allows("example.com/", Some("https://example.com"), None));
    assert!(allows(
        "example.com/a",
        Some("https://example.com"),
        Some("https://example.com/a")
    ));
    assert!(!allows(
        "example.com/a",
        Some("https://example.com"),
        Some("https://example.com/")
    ));
}
