//! The header `Origin`: one serialised origin, or none.

use keyward_core::restrict::referrer::serialized_origin;

use super::allows;

#[test]
fn an_origin_must_be_one_serialised_origin() {
    for (rule, origin, expected) in [
        ("example.com", "https://example.com", true),
        ("example.com", "HTTPS://EXAMPLE.com", true),
        ("example.com", "https://example.com:443", true),
        ("example.com", "http://example.com:80", true),
        ("example.com", "http://example.com:443", true),
        ("example.com", "https://example.com:65535", true),
        ("https://example.com:443", "https://example.com", true),
        ("https://example.com:443", "https://example.com:443", true),
        ("https://example.com:443", "https://example.com:80", false),
        ("example.com:443", "http://example.com", false),
        ("example.com:80", "http://example.com", true),
        ("https://example.com", "http://example.com", false),
        ("http://example.com", "https://example.com", false),
        ("HTTPS://Example.COM", "https://example.com", true),
        ("[::1]", "http://[::1]:3000", true),
        ("[0:0::1]", "http://[::1]", true),
        ("[2001:db8::a]", "http://[2001:DB8::A]", true),
        ("[::1]:3000", "http://[::1]", false),
        ("[::1]", "http://[0:0:0:0:0:0:0:1]", false),
        ("[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]", true),
        ("[::ffff:127.0.0.1]", "http://127.0.0.1", false),
        ("127.0.0.1", "http://127.0.0.1", true),
        ("127.0.0.1", "http://127.1", false),
        ("127.0.0.1", "http://0x7f.0.0.1", false),
        ("127.0.0.1", "http://2130706433", false),
        ("127.0.0.1", "http://127.0.0.1.", false),
        (
            "xn--bcher-kva.example",
            "https://xn--bcher-kva.example",
            true,
        ),
        ("xn--bcher-kva.example", "https://bücher.example", false),
        ("example.com", "https://ｅxample.com", false),
        ("example.com", "https://xn--exmple-cua.com", false),
        ("app://obsidian.md", "app://obsidian.md", true),
        ("app://-", "app://-", true),
        ("tauri://localhost", "TAURI://LOCALHOST", true),
        ("capacitor://localhost", "capacitor://localhost:443", true),
        ("localhost", "capacitor://localhost", false),
        (
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://abcdefghijklmnopabcdefghijklmnop",
            false,
        ),
        ("example.com", "null", false),
        ("example.com", "NULL", false),
        ("example.com", " ", false),
        ("example.com", "example.com", false),
        ("example.com", "//example.com", false),
        ("example.com", "://example.com", false),
        ("example.com", "https:example.com", false),
        ("example.com", "https:/example.com", false),
        ("example.com", "https:///example.com", false),
        ("example.com", "https:\\\\example.com", false),
        ("example.com", "https://", false),
        ("example.com", "https://example.com/", false),
        ("example.com", "https://example.com?", false),
        ("example.com", "https://example.com#", false),
        ("example.com", "https://example.com\\", false),
        ("example.com", "https://example.com/a", false),
        ("example.com", "https://example.com.", false),
        ("example.com", "https://.example.com", false),
        ("example.com", "https://example..com", false),
        ("example.com", "https://example.com:", false),
        ("example.com", "https://example.com:0443", false),
        ("example.com", "https://example.com:00", false),
        ("example.com", "https://example.com:65536", false),
        ("example.com", "https://example.com:99999999999", false),
        ("example.com", "https://example.com:+443", false),
        ("example.com", "https://example.com:-1", false),
        ("example.com", "https://example.com:4 43", false),
        ("example.com", "https://example.com:443:443", false),
        ("example.com", "https://example.com:４４３", false),
        ("example.com", "https://user@example.com", false),
        ("example.com", "https://user:pass@example.com", false),
        ("example.com", "https://@example.com", false),
        ("example.com", "https://example.com@evil.example", false),
        ("example.com", "https://evil.example#@example.com", false),
        ("example.com", "https://evil.example\\@example.com", false),
        ("example.com", "https://ex%61mple.com", false),
        ("example.com", "https://example%2ecom", false),
        ("example.com", "https://example.com%00.evil.example", false),
        ("example.com", "https://example.com\0", false),
        ("example.com", "https://exam\tple.com", false),
        ("example.com", " https://example.com", false),
        ("example.com", "https://example.com ", false),
        ("example.com", "https://example.com\r\n", false),
        (
            "example.com",
            "https://example.com https://evil.example",
            false,
        ),
        (
            "example.com",
            "https://example.com, https://example.com",
            false,
        ),
        (
            "example.com",
            "https://evil.example, https://example.com",
            false,
        ),
        ("example.com", "https://example.com,", false),
        ("example.com", "https://example。com", false),
        ("example.com", "wss://example.com", false),
        ("example.com", "ftp://example.com", false),
        ("example.com", "file://example.com", false),
        ("example.com", "blob:https://example.com", false),
        ("example.com", "data:text/html,https://example.com", false),
        ("example.com", "javascript://example.com", false),
        ("example.com", "view-source:https://example.com", false),
        ("example.com", "ht_tp://example.com", false),
        ("example.com", "1https://example.com", false),
        ("example.com", "httpsx://example.com", false),
        ("example.com", "https://notexample.com", false),
        ("example.com", "https://example.com.evil.example", false),
        ("example.com", "https://example.co", false),
        ("example.com", "https://examplexcom", false),
        ("*.example.com", "https://a.example.com", true),
        ("*.example.com", "https://A.EXAMPLE.COM", true),
        ("*.example.com", "https://a.b.c.example.com", true),
        ("*.example.com", "https://example.com", false),
        ("*.example.com", "https://.example.com", false),
        ("*.example.com", "https://a..example.com", false),
        ("*.example.com", "https://*.example.com", false),
        ("*.example.com", "https://a.example.com.", false),
        ("*.example.com", "https://notexample.com", false),
        ("*.example.com", "https://a-example.com", false),
        ("*.example.com", "https://a.example.com.evil.example", false),
        ("*.example.com", "https://evil.example/.example.com", false),
        ("*.example.com", "https://evil.example?.example.com", false),
        ("*.example.com", "https://evil.example\\.example.com", false),
        ("*.example.com", "https://evil.example:1.example.com", false),
        ("*.example.com", "https://é.example.com", false),
        ("*.localhost", "http://app.localhost:3000", true),
    ] {
        assert_eq!(
            allows(rule, Some(origin), None),
            expected,
            "{rule} {origin:?}"
        );
    }
}

#[test]
fn origins_are_equal_whatever_their_spelling() {
    let origin = serialized_origin("https://example.com").unwrap();
    assert_eq!(
        origin,
        serialized_origin("HTTPS://EXAMPLE.COM:443").unwrap()
    );
    assert_ne!(origin, serialized_origin("http://example.com").unwrap());
    assert_ne!(origin, serialized_origin("http://example.com:443").unwrap());
    assert_eq!(
        (origin.scheme(), origin.host(), origin.port()),
        ("https", "example.com", Some(443))
    );
}
