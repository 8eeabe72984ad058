//! Hosts outside ASCII, as the URL standard writes them.
//!
//! The core has no tables for it and refuses such rules; here and in the registry they are
//! converted before the core sees them.

use std::borrow::Cow;

use url::Host;

/// A referrer rule, `[scheme://]host[:port][/path]`, with its host in punycode. What cannot be
/// converted stays as it is, and the core says what is wrong with it.
pub(crate) fn rule(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = match text
        .find("://")
        .and_then(|at| text.split_at_checked(at.saturating_add(3)))
    {
        Some((scheme, rest)) => (scheme, rest),
        None => ("", text),
    };
    let end = rest.find(['/', ':', '?', '#', '@']).unwrap_or(rest.len());
    let Some((host, after)) = rest
        .split_at_checked(end)
        .filter(|(host, _)| !host.is_ascii())
    else {
        return Cow::Borrowed(text);
    };
    let (wildcard, labels) = host
        .strip_prefix("*.")
        .map_or(("", host), |labels| ("*.", labels));
    match Host::parse(labels) {
        Ok(Host::Domain(ascii)) => Cow::Owned(format!("{scheme}{wildcard}{ascii}{after}")),
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::rule;

    #[test]
    fn hosts_become_punycode_and_everything_else_stays() {
        for (text, converted) in [
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            (
                "https://*.B\u{dc}CHER.example:8443/a/*",
                "https://*.xn--bcher-kva.example:8443/a/*",
            ),
            ("*.\u{4f8b}\u{3048}.jp", "*.xn--r8jz45g.jp"),
            ("example.com/b\u{fc}cher", "example.com/b\u{fc}cher"),
            ("https://Example.com", "https://Example.com"),
            (
                "b\u{fc}\u{2e}\u{2e}cher example",
                "b\u{fc}\u{2e}\u{2e}cher example",
            ),
            ("", ""),
            ("https://", "https://"),
        ] {
            assert_eq!(rule(text), converted);
        }
    }
}
