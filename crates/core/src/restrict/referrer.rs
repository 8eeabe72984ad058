//! Referrer rules: which websites may use a public key.
//!
//! Browsers write `Origin` and `Referer` in exactly one way, so anything else is refused rather
//! than interpreted. A request is decided in this order:
//! 1. `Origin`, if not empty, must be one serialised origin; `null` and lists are none.
//! 2. `Referer`, if not empty, must be a URL that the URL standard serialises to itself, without
//!    userinfo and fragment.
//! 3. If both are there, they must be of the same origin; if neither is, the request is refused.
//! 4. One rule must allow the origin, and, if it has a path, the path of the `Referer`.
//!
//! Tolerated are upper case in scheme and host, a `Referer` without a path, and the default port
//! in an `Origin`.
//!
//! This keeps other *websites* out. It does not keep scripts out: they can send any header. The
//! usual cause of a wrong refusal is a page with `Referrer-Policy: no-referrer`, or a rule with a
//! path where the browser sends the origin alone (its default across origins).

mod origin;
mod page;
mod rule;

pub use self::origin::{SerializedOrigin, serialized_origin};
pub use self::page::sender;
pub use self::rule::ReferrerRule;

use self::page::Page;

/// Whether the page that a request says it comes from may use a key with these rules. Empty
/// headers count as absent. Without rules nothing is allowed, unless `any_referrer` says so.
#[must_use]
pub fn check(
    rules: &[ReferrerRule],
    any_referrer: bool,
    origin: Option<&str>,
    referer: Option<&str>,
) -> bool {
    if any_referrer {
        return true;
    }
    let Ok(found) = read(origin, |text| Some((text, serialized_origin(text)?))) else {
        return false;
    };
    let Ok(page) = read(referer, |text| match found {
        Some(origin) => Page::parse_beside(text, origin),
        None => Page::parse(text),
    }) else {
        return false;
    };
    let origin = found.map(|(_, origin)| origin);
    let (site, path) = match (origin, page) {
        (Some(origin), Some(page)) if origin == page.origin => (origin, Some(page.path)),
        (Some(origin), None) => (origin, None),
        (None, Some(page)) => (page.origin, Some(page.path)),
        _ => return false,
    };
    rules.iter().any(|rule| rule.allows(&site, path))
}

/// A header that is there but cannot be read.
struct Malformed;

fn read<'a, T>(
    header: Option<&'a str>,
    parse: impl Fn(&'a str) -> Option<T>,
) -> Result<Option<T>, Malformed> {
    match header {
        None | Some("") => Ok(None),
        Some(text) => parse(text).map(Some).ok_or(Malformed),
    }
}
