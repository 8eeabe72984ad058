//! The value of a `Referer` header: the URL of a page, as the URL standard serialises it, which
//! is what browsers send. The module must not carry a URL parser for this; instead everything that
//! a parser would rewrite is refused.

use super::origin::{SerializedOrigin, serialized_origin};

/// The page that a `Referer` names; its query is checked, but takes no part in rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page<'a> {
    pub(super) origin: SerializedOrigin<'a>,
    pub(super) path: &'a str,
}

impl<'a> Page<'a> {
    /// `None` for what the URL standard does not serialise to itself, and for URLs with userinfo
    /// or a fragment, which browsers strip (Referrer Policy section 8.4).
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path_and_query) =
            rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
        Self::below(
            SerializedOrigin::from_parts(scheme, authority)?,
            path_and_query,
        )
    }

    /// The same, where an origin has been read already that the text begins with in most cases.
    pub(super) fn parse_beside(
        text: &'a str,
        (written, origin): (&str, SerializedOrigin<'a>),
    ) -> Option<Self> {
        match text.strip_prefix(written) {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => {
                Self::below(origin, rest)
            }
            _ => Self::parse(text),
        }
    }

    fn below(origin: SerializedOrigin<'a>, path_and_query: &'a str) -> Option<Self> {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let path = if path.is_empty() { "/" } else { path };
        let readable = !origin.writes_default_port()
            && is_serialized_path(path)
            && query.bytes().all(is_query_byte);
        readable.then_some(Self { origin, path })
    }
}

/// The longest origin that is noted, in bytes.
const LONGEST_NOTED: usize = 255;
/// What is noted where a page does not say whose it is.
const UNKNOWN: &str = "unknown";

/// The origin of the page that sent a request, by its `Origin` or else its `Referer`, in lower case
/// and without a default port; `unknown` for what is none, or longer than it may be.
#[must_use]
pub fn sender(origin: Option<&str>, referer: Option<&str>) -> String {
    let found = origin
        .and_then(serialized_origin)
        .or_else(|| referer.and_then(Page::parse).map(|page| page.origin));
    let Some(origin) = found else {
        return UNKNOWN.to_owned();
    };
    let mut text = String::from(origin.scheme());
    text.push_str("://");
    text.push_str(origin.host());
    text.make_ascii_lowercase();
    if let Some(port) = origin.port()
        && !origin.is_default_port()
    {
        text.push(':');
        text.push_str(&port.to_string());
    }
    if text.len() > LONGEST_NOTED {
        return UNKNOWN.to_owned();
    }
    text
}

/// Whether the URL standard leaves a path as it is.
pub(super) fn is_serialized_path(path: &str) -> bool {
    path.bytes().all(is_path_byte) && !path.split('/').any(is_dot_segment)
}

/// Printable ASCII outside the path percent-encode set, without the backslash, which becomes `/`.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'#' | b'<' | b'>' | b'?' | b'\\' | b'^' | b'`' | b'{' | b'}'
        )
}

/// Printable ASCII outside the special-query percent-encode set.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\'')
}

/// The URL standard's single-dot and double-dot segments, which it resolves.
fn is_dot_segment(segment: &str) -> bool {
    [".", "%2e", "..", ".%2e", "%2e.", "%2e%2e"]
        .iter()
        .any(|dots| segment.eq_ignore_ascii_case(dots))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_page_is_read_alike_beside_its_origin(
            origin in "(https?|HTTPS|app|ws)://(a\\.example|A\\.example|\\[::1\\]|a|)(:(443|80|8080|))?",
            rest in "(:1|\\.b|@c|)[/?]?[a.%2e/?#\\\\]{0,8}",
        ) {
            let page = format!("{origin}{rest}");
            if let Some(read) = serialized_origin(&origin) {
                proptest::prop_assert_eq!(Page::parse_beside(&page, (&origin, read)), Page::parse(&page), "{}", page);
            }
        }
    }

    #[test]
    fn the_sender_is_named_by_its_origin_alone() {
        let long = format!("https://{}.example", "a.".repeat(200));
        for (origin, referer, expected) in [
            (Some("https://App.Example"), None, "https://app.example"),
            (Some("https://a.example:443"), None, "https://a.example"),
            (Some("http://a.example:8080"), None, "http://a.example:8080"),
            (None, Some("https://b.example/x?y"), "https://b.example"),
            (
                Some("https://a.example"),
                Some("https://b.example/"),
                "https://a.example",
            ),
            (Some("null"), None, UNKNOWN),
            (Some("https://a.example, https://b.example"), None, UNKNOWN),
            (Some("javascript:alert(1)"), None, UNKNOWN),
            (None, Some("https://user:pw@a.example/"), UNKNOWN),
            (Some(long.as_str()), None, UNKNOWN),
            (None, None, UNKNOWN),
        ] {
            assert_eq!(sender(origin, referer), expected, "{origin:?} {referer:?}");
        }
    }
}
