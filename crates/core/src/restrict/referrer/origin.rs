//! The value of an `Origin` header: one serialised origin (RFC 6454 section 6.2).

use crate::restrict::host;

/// Schemes whose URLs have no origin that a page could have, or are not pages.
const NO_PAGES: [&str; 9] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
    "ws",
    "wss",
];

/// An origin as a browser writes it, borrowed from the header. Two are equal if they are the same
/// origin, whatever their case and whether or not the default port is written out.
#[derive(Clone, Copy, Debug)]
pub struct SerializedOrigin<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<u16>,
}

/// Reads an `Origin` header, except that upper case and the scheme's default port are tolerated.
/// `None` for `null`, for several origins, and for everything else that no page sends.
#[must_use]
pub fn serialized_origin(text: &str) -> Option<SerializedOrigin<'_>> {
    let (scheme, authority) = text.split_once("://")?;
    SerializedOrigin::from_parts(scheme, authority)
}

impl<'a> SerializedOrigin<'a> {
    /// From the text before `://`, and the text between that and the path.
    pub(super) fn from_parts(scheme: &'a str, authority: &'a str) -> Option<Self> {
        let (host, port) = split_port(authority)?;
        host::kind(host)?;
        let port = match port {
            Some(digits) => Some(parse_port(digits)?),
            None => None,
        };
        is_page_scheme(scheme).then_some(Self { scheme, host, port })
    }

    /// The scheme, in the case in which it was sent.
    #[must_use]
    pub const fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// The host, in the case in which it was sent.
    #[must_use]
    pub const fn host(&self) -> &'a str {
        self.host
    }

    /// The port, also when it is the scheme's default and was not sent; `None` for schemes that
    /// have no default.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port.or_else(|| default_port(self.scheme))
    }

    /// Whether its port is the scheme's default, written or not.
    pub(super) fn is_default_port(&self) -> bool {
        self.port() == default_port(self.scheme)
    }

    /// Whether the port was written although it is the scheme's default: no serialiser does that.
    pub(super) fn writes_default_port(&self) -> bool {
        self.port.is_some() && self.port == default_port(self.scheme)
    }
}

impl PartialEq for SerializedOrigin<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.port() == other.port()
    }
}

impl Eq for SerializedOrigin<'_> {}

/// `http` and `https`, in any case.
pub(super) fn is_http(scheme: &str) -> bool {
    default_port(scheme).is_some()
}

/// Whether a page can have an origin of this scheme (RFC 3986 section 3.1 for its form).
pub(super) fn is_page_scheme(scheme: &str) -> bool {
    matches!(scheme, "https" | "http") || is_other_page_scheme(scheme)
}

fn is_other_page_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && !NO_PAGES
            .iter()
            .any(|none| scheme.eq_ignore_ascii_case(none))
}

/// Host and port of an authority. An IPv6 address keeps its brackets.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let end_of_host = authority
        .rfind(']')
        .map_or(Some(0), |bracket| bracket.checked_add(1))?;
    let Some(colon) = authority.get(end_of_host..)?.find(':') else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at_checked(end_of_host.checked_add(colon)?)?;
    Some((host, port.strip_prefix(':')))
}

/// A port as serialisers write it: decimal, no leading zeros, at most 65535.
pub(super) fn parse_port(digits: &str) -> Option<u16> {
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    (decimal && !leading_zero).then(|| digits.parse().ok())?
}

fn default_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else {
        None
    }
}
