//! The head of a request as the entry hands it over: one string, one crossing.
//!
//! Lines, ended by `\n`: the method, the URL, then a line for each header's name (lower case)
//! and a line for its value. The runtime lets no line break into any of them.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr3};

use crate::restrict::referrer;

/// The largest head that is read, in bytes; beyond it 431 `head_too_large`.
pub const MAX_HEAD: usize = 128 * 1024;

/// A request's head, borrowed from the gathered string.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// The method exactly as sent.
    pub method: &'a str,
    /// Scheme, host and port: the URL without its target.
    pub base: &'a str,
    /// Host and port as the client addressed them.
    pub authority: &'a str,
    /// Path and query as the runtime hands them over: not always normalised, and not always
    /// beginning with `/` (see [`Head::is_addressed_plainly`]).
    pub target: &'a str,
    /// Taken apart once, because they are looked through several times.
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Head<'a> {
    /// Reads the gathered string. `None` when it is not one, which the entry never sends.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (method, rest) = text.split_once('\n')?;
        let (url, lines) = rest.split_once('\n')?;
        let (scheme, rest) = url.split_once("://")?;
        let end = memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let base = url.get(..url.len() - target.len())?;
        // A browser's request has some fifteen.
        let mut headers = Vec::with_capacity(24);
        headers.extend(pairs(lines));
        let known = matches!(scheme, "http" | "https") && !method.is_empty();
        known.then_some(Self {
            method,
            base,
            authority,
            target,
            headers,
        })
    }

    /// Whether host and path stand apart. A runtime may paste the `Host` header in front of the
    /// target as it is, so that `Host: a.example/admin` or a target `*` would move the border.
    #[must_use]
    pub fn is_addressed_plainly(&self) -> bool {
        let plain = |host: &str| {
            host.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
        };
        self.target.starts_with('/')
            && plain(self.authority)
            && self
                .header("host")
                .is_none_or(|host| host == self.authority || plain(host))
    }

    /// The host as routes name it: in lower case, without its port and the dot of the root.
    #[must_use]
    pub fn host(&self) -> Cow<'a, str> {
        let host = match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => self.authority,
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        }
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.target
            .split_once('?')
            .map_or(self.target, |(path, _)| path)
    }

    /// The query without its `?`, byte for byte; `None` when there is none.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// All headers, in the runtime's order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.headers.iter().copied()
    }

    /// A header's value; `None` when it is missing or empty.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }

    /// `Origin` if it is one that a page can have: what CORS may echo. Never `null`.
    #[must_use]
    pub fn page_origin(&self) -> Option<&'a str> {
        self.header("origin")
            .filter(|origin| referrer::serialized_origin(origin).is_some())
    }

    /// The headers that the decision reads, found in one pass.
    #[must_use]
    pub fn facts(&self, client_ip_header: &str) -> HeadFacts<'a> {
        let mut facts = HeadFacts::default();
        for (name, value) in self.headers() {
            if value.is_empty() {
                continue;
            }
            match name {
                "origin" => facts.origin = Some(value),
                "referer" => facts.referer = Some(value),
                "sec-fetch-site" => facts.sec_fetch_site = Some(value),
                "upgrade" => facts.websocket = value.eq_ignore_ascii_case("websocket"),
                "x-android-package" => facts.android_package = Some(value),
                "x-android-cert" => facts.android_cert = Some(value),
                "x-ios-bundle-identifier" => facts.ios_bundle = Some(value),
                _ => {}
            }
            if name == client_ip_header {
                facts.client_ip = Some(value);
            }
        }
        facts
    }
}

/// Names and values that stand in lines of their own; the last may lack its end.
pub(crate) fn pairs(lines: &str) -> impl Iterator<Item = (&str, &str)> {
    // One search through all of it: to begin anew for each line, as `str::split` does, stood out in
    // profiles.
    let mut ends = memchr_iter(b'\n', lines.as_bytes());
    let mut start = 0;
    let mut line = move || {
        let end = ends.next();
        let line = lines.get(start..end.unwrap_or(lines.len()))?;
        start = end.map_or(lines.len(), |end| end.saturating_add(1));
        (end.is_some() || !line.is_empty()).then_some(line)
    };
    std::iter::from_fn(move || Some((line()?, line().unwrap_or_default())))
}

/// The headers that the decision reads, as sent; empty ones are absent.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)] // each is the header of its name
pub struct HeadFacts<'a> {
    pub origin: Option<&'a str>,
    pub referer: Option<&'a str>,
    pub sec_fetch_site: Option<&'a str>,
    pub websocket: bool,
    pub android_package: Option<&'a str>,
    pub android_cert: Option<&'a str>,
    pub ios_bundle: Option<&'a str>,
    pub client_ip: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_taken_apart() {
        let head = Head::parse(
            "GET\nhttps://api.example.com:8443/v1/x?a=b&c\nhost\napi.example.com\nx-empty\n\n",
        )
        .unwrap();
        assert_eq!(
            (head.method, head.base, head.authority),
            (
                "GET",
                "https://api.example.com:8443",
                "api.example.com:8443"
            )
        );
        assert_eq!(head.host(), "api.example.com");
        assert_eq!(
            (head.target, head.path(), head.query()),
            ("/v1/x?a=b&c", "/v1/x", Some("a=b&c"))
        );
        assert_eq!(head.header("host"), Some("api.example.com"));
        assert_eq!(head.header("x-empty"), None);
        assert_eq!(
            head.headers().filter(|(name, _)| !name.is_empty()).count(),
            2
        );
    }

    #[test]
    fn an_ipv6_host_keeps_its_brackets() {
        let head = Head::parse("GET\nhttp://[::1]:8787/\n").unwrap();
        assert_eq!(head.host(), "[::1]");
        assert_eq!(Head::parse("GET\nhttp://[::1]/\n").unwrap().host(), "[::1]");
    }

    #[test]
    fn a_host_has_one_spelling() {
        for url in [
            "http://API.Example.com/",
            "http://api.example.com./",
            "http://API.example.COM.:8787/",
        ] {
            assert_eq!(
                Head::parse(&format!("GET\n{url}\n")).unwrap().host(),
                "api.example.com",
                "{url}"
            );
        }
    }

    #[test]
    fn a_host_that_moves_the_border_to_the_path_is_seen() {
        let plainly = |url: &str, host: &str| {
            Head::parse(&format!("GET\n{url}\nhost\n{host}\n"))
                .unwrap()
                .is_addressed_plainly()
        };
        assert!(plainly("http://a.example:8787/x?y", "a.example:8787"));
        assert!(plainly("http://[::1]/", "[::1]"));
        for (url, host) in [
            ("http://a.example/admin/x", "a.example/admin"),
            ("http://a.example?x/y", "a.example?x"),
            ("http://a.example#x/y", "a.example#x"),
            ("http://a.example*", "a.example"),
            ("http://a@b.example/", "a@b.example"),
            ("http://a.example, b.example/", "a.example, b.example"),
            ("http://a.example\\admin/x", "a.example\\admin"),
            ("http://a.example", "a.example"),
        ] {
            assert!(!plainly(url, host), "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(text in ".{0,300}", lines in proptest::collection::vec("[ -~]{0,20}", 0..12)) {
            let joined = lines.join("\n");
            for text in [&text, &joined] {
                if let Some(head) = Head::parse(text) {
                    let _ = (head.host(), head.path(), head.query(), head.facts("cf-connecting-ip"), head.page_origin());
                }
            }
        }
    }
}
