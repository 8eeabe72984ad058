//! The value of a `Referer` header: the URL of a page, as the URL standard serialises it, which
//! is what browsers send. The module must not carry a URL parser for this; instead everything that
//! a parser would rewrite is refused.

use super::origin::SerializedOrigin;

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
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let origin = SerializedOrigin::from_parts(scheme, authority)?;
        let path = if path.is_empty() { "/" } else { path };
        let readable = !origin.writes_default_port()
            && is_serialized_path(path)
            && query.bytes().all(is_query_byte);
        readable.then_some(Self { origin, path })
    }
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
