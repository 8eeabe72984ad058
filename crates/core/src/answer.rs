//! The answer that the client receives: what the origin said, cleaned.
//!
//! 1. A header that contains the injected secret goes, however often it is percent-encoded.
//! 2. `Set-Cookie` goes for public and derived keys, unless the route allows cookies.
//! 3. A keyed answer becomes `Cache-Control: private`, unless it is stricter or the route opts in.
//! 4. `Location` on the origin's host is mapped back to the gateway.
//! 5. The origin's `Access-Control-*` and `Timing-Allow-Origin` are replaced by the gateway's: the
//!    page that may read the answer may also see how long it took, if the origin shows that at all.
//! 6. `Keyward-*` goes, and what proxies say to each other. Headers of the runtime's own connection
//!    stay: it never passes them on, nearly every answer has one, and to make an answer anew costs
//!    the runtime more than the whole decision.

use std::borrow::Cow;

use memchr::memchr_iter;

use crate::account::Errand;
use crate::cors;
use crate::credential::percent_decoded;
use crate::forward::is_of_proxies;
use crate::head::pairs;
use crate::kind::Kind;
use crate::route::Route;
use crate::throttle::OwnStanding;

const TIMING: &str = "timing-allow-origin";

/// Whether a header is for caches that are shared between users.
fn is_for_shared_caches(name: &str) -> bool {
    matches!(
        name,
        "cdn-cache-control"
            | "cloudflare-cdn-cache-control"
            | "surrogate-control"
            | "x-accel-expires"
            | "edge-control"
    )
}

/// Who asked, as far as the answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker<'a> {
    /// [`Head::base`](crate::head::Head::base).
    pub base: &'a str,
    /// The page that called with a key for pages: [`Head::page_origin`](crate::head::Head::page_origin).
    pub page: Option<&'a str>,
    /// How the limit stands that a derived key brings along.
    pub own: Option<OwnStanding>,
}

/// What to change in the origin's answer. Nothing: hand it back untouched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits<'a> {
    /// Headers to delete, all copies.
    pub remove: Vec<&'a str>,
    /// Headers to set after that.
    pub set: Vec<(&'static str, String)>,
    /// The exchange that is to tell of the answer, if no other will. It changes nothing in it.
    pub errand: Option<Errand>,
}

/// Plans the edits of one answer. `headers` are lines of name and value, as in
/// [`Head`](crate::head::Head); `secret` is the injected credential.
#[must_use]
pub fn plan<'a>(
    route: &Route,
    kind: Kind,
    secret: Option<&str>,
    asker: Asker<'_>,
    status: u16,
    headers: &'a str,
) -> Edits<'a> {
    let mut edits = Edits::default();
    let (mut cache_control, mut vary) = ("", String::new());
    let (mut timed, mut told) = (false, Vec::new());
    for (name, value) in pairs(headers) {
        timed |= name == TIMING;
        if secret.is_some_and(|secret| shows(value, secret))
            || name.starts_with("access-control-")
            || name == TIMING
            || name.starts_with("keyward-")
            || (name == "set-cookie" && kind.is_for_pages() && !route.cookies)
            || (is_for_shared_caches(name) && !route.cache_origin)
            || (is_of_proxies(name) && status != 101)
        {
            if !edits.remove.contains(&name) {
                edits.remove.push(name);
            }
            continue;
        }
        match name {
            "cache-control" => cache_control = value,
            "vary" if vary.is_empty() => vary.push_str(value),
            "vary" => vary = format!("{vary}, {value}"),
            "location" | "content-location" => {
                if let Some(mapped) = map_location(route, asker.base, value) {
                    edits.set.push((
                        if name == "location" {
                            "location"
                        } else {
                            "content-location"
                        },
                        mapped,
                    ));
                }
            }
            _ => told.extend(cors::EXPOSED.iter().find(|exposed| **exposed == name)),
        }
    }
    if !route.cache_origin
        && status != 101
        && let Some(value) = private(cache_control)
    {
        edits.set.push(("cache-control", value));
    }
    if let Some(origin) = asker.page {
        edits.set.extend(cors::allowed(&route.cors, origin));
        cors::expose(&mut edits.set, &told);
        if timed {
            edits.set.push((TIMING, origin.to_owned()));
        }
    }
    let listed = vary
        .split(',')
        .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("origin"));
    // What a server was given must not answer a page from a shared cache: it could not read it.
    let shared = route.cache_origin && route.access.accepts.iter().any(|kind| kind.is_for_pages());
    if (kind.is_for_pages() || shared) && !listed {
        edits.set.push((
            "vary",
            if vary.is_empty() {
                "Origin".to_owned()
            } else {
                format!("{vary}, Origin")
            },
        ));
    }
    edits
}

/// Whether a header's value holds a secret, raw or percent-encoded: also where an address stands
/// inside of another, as in a redirect to a login that leads back.
pub(crate) fn shows(value: &str, secret: &str) -> bool {
    const DEEPEST: usize = 4;
    // Decoding makes no text longer.
    if value.len() < secret.len() {
        return false;
    }
    let form = secret.contains(' ').then(|| secret.replace(' ', "+"));
    let form = form.as_deref();
    let mut value = Cow::Borrowed(value);
    for _ in 0..DEEPEST {
        if holds(&value, secret) || form.is_some_and(|form| holds(&value, form)) {
            return true;
        }
        match percent_decoded(&value) {
            Cow::Owned(decoded) if decoded != *value => value = Cow::Owned(decoded),
            _ => return false,
        }
    }
    false
}

/// Whether a text holds another one. To prepare the search of `str::contains` takes longer than to look
/// for one character through the few hundred of a header; in long texts it bounds the work.
fn holds(text: &str, sought: &str) -> bool {
    const LONG: usize = 2048;
    if text.len() > LONG {
        return text.contains(sought);
    }
    let (text, sought) = (text.as_bytes(), sought.as_bytes());
    let Some(last) = sought.last() else {
        return true;
    };
    // What it begins with, all keys have; where it ends, it is random.
    memchr_iter(*last, text).any(|end| text.get(..=end).is_some_and(|text| text.ends_with(sought)))
}

/// The `Cache-Control` under which no shared cache keeps the answer; `None` when it is so already.
fn private(value: &str) -> Option<String> {
    let directives = || {
        value
            .split(',')
            .map(str::trim)
            .filter(|directive| !directive.is_empty())
    };
    let shared = |directive: &str| {
        let name = directive
            .split_once('=')
            .map_or(directive, |(name, _)| name);
        let is = |other: &&str| name.trim().eq_ignore_ascii_case(other);
        ["public", "s-maxage", "private", "proxy-revalidate"]
            .iter()
            .any(is)
    };
    // `private="field"` covers that field alone (RFC 9111 section 5.2.2.7).
    if directives().any(|directive| {
        directive.eq_ignore_ascii_case("private") || directive.eq_ignore_ascii_case("no-store")
    }) {
        return None;
    }
    let mut private = String::with_capacity(value.len() + 16);
    private.push_str("private");
    for directive in directives().filter(|directive| !shared(directive)) {
        private.push_str(", ");
        private.push_str(directive);
    }
    Some(private)
}

/// A `Location` on the origin's host, as the client must call it; `None` when it points elsewhere.
fn map_location(route: &Route, base: &str, value: &str) -> Option<String> {
    let target = match below_origin(&route.origin, value) {
        Some(target) => target,
        None if !route.keeps_paths() && value.starts_with('/') && !value.starts_with("//") => value,
        None => return None,
    };
    let rest = target.strip_prefix(route.base_path.as_str())?;
    if !(rest.is_empty() || rest.starts_with(['/', '?', '#'])) {
        return None;
    }
    let slash = if rest.starts_with('/') { "" } else { "/" };
    // Always whole: what is left of a path could begin like another host (`//evil.example`).
    Some(format!("{base}{}{slash}{rest}", route.strip_prefix))
}

/// What follows the origin in an address; the scheme may be left out (RFC 3986 section 4.2), and
/// scheme and host may be in any case.
fn below_origin<'a>(origin: &str, value: &'a str) -> Option<&'a str> {
    let route_scheme = origin;
    let origin = if value.starts_with("//") {
        origin.split_once(':')?.1
    } else {
        origin
    };
    let (start, target) = value.split_at_checked(origin.len())?;
    if !start.eq_ignore_ascii_case(origin) {
        return None;
    }
    let default = if route_scheme.starts_with("https:") {
        ":443"
    } else {
        ":80"
    };
    let target = target.strip_prefix(default).unwrap_or(target);
    (target.is_empty() || target.starts_with(['/', '?', '#'])).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::{below_origin, holds, private, shows};

    #[test]
    fn a_secret_is_seen_however_it_is_encoded() {
        let secret = "s3/cr et+";
        for value in [
            "s3/cr et+",
            "x s3/cr et+ y",
            "a=s3%2Fcr%20et%2B",
            "a=s3%2fcr+et%2b",
            "a=%73%33/cr et+",
            "n=%2Fx%3Fa%3Ds3%252Fcr%2520et%252B",
        ] {
            assert!(shows(value, secret), "{value}");
        }
        for value in ["", "s3", "s3/cr%", "%%%", "s3%2Fcr%20e"] {
            assert!(!shows(value, secret), "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_found_as_the_standard_library_finds_it(
            sought in "[ab]{1,4}", text in "[ab]{0,40}", repeated in proptest::sample::select(vec![1, 400]),
        ) {
            let text = text.repeat(repeated);
            proptest::prop_assert_eq!(holds(&text, &sought), text.contains(&sought));
        }
    }

    #[test]
    fn an_address_on_the_origin_is_recognised() {
        let origin = "https://api.example.com:8443";
        for (value, expected) in [
            ("https://api.example.com:8443", Some("")),
            ("https://api.example.com:8443/x?y", Some("/x?y")),
            ("HTTPS://API.example.com:8443/X", Some("/X")),
            ("//api.example.com:8443/x", Some("/x")),
            ("https://api.example.com:84430/x", None),
            ("https://api.example.com:8443.evil.example/", None),
            ("https://api.example.com/x", None),
            ("http://api.example.com:8443/x", None),
            ("/x", None),
            ("//", None),
        ] {
            assert_eq!(below_origin(origin, value), expected, "{value}");
        }
    }

    #[test]
    fn cache_control_becomes_private_unless_stricter() {
        for (value, expected) in [
            ("", Some("private")),
            ("public, max-age=60", Some("private, max-age=60")),
            ("max-age=60, S-MaxAge=600", Some("private, max-age=60")),
            ("no-cache", Some("private, no-cache")),
            ("private=\"set-cookie\"", Some("private")),
            ("private, max-age=5", None),
            ("No-Store", None),
        ] {
            assert_eq!(private(value).as_deref(), expected, "{value}");
        }
    }
}
