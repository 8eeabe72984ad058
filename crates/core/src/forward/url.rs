//! The upstream URL of one request.

use std::fmt::Write as _;

use crate::credential::{decoded, query_pairs};
use crate::head::Head;
use crate::restrict::path::CheckedPath;
use crate::route::{Place, Route, Target};

/// Where a request goes: its checked path at the route's origin, and its query byte for byte, without a key
/// and with the route's credential where that stands there. None where that is the target as it was sent.
pub(super) fn url(
    route: &Route,
    head: &Head<'_>,
    path: &CheckedPath<'_>,
    key: &str,
    secret: Option<&str>,
) -> Option<String> {
    let injected = match (&route.credential, secret) {
        (Some(credential), Some(secret)) => match &credential.target {
            Target::Query(name) => Some((name.as_str(), credential.fill(secret))),
            Target::Header(_) => None,
        },
        _ => None,
    };
    let in_query = |place: &Place| matches!(place, Place::Query(_));
    let query = head.query();
    let stripped = |name: &str, value: &str| {
        let name = decoded(name);
        route
            .key_in
            .iter()
            .any(|place| matches!(place, Place::Query(place) if *place == name))
            || injected.as_ref().is_some_and(|(target, _)| *target == name)
            || decoded(value).contains(key)
            || name.contains(key)
    };
    // Decoding makes no text longer: a short query holds no key.
    let strips = query.is_some_and(|query| {
        (query.len() >= key.len() || injected.is_some() || route.key_in.iter().any(in_query))
            && query_pairs(query).any(|(name, value)| stripped(name, value))
    });
    if !strips && injected.is_none() && path.is_as_sent() && route.keeps_paths() {
        return None;
    }
    let path = route.upstream_path(path);
    let mut url = String::with_capacity(route.origin.len() + path.len() + head.target.len() + 32);
    url.push_str(&route.origin);
    url.push_str(&path);
    let mut separator = '?';
    if let Some(query) = query {
        if strips {
            for part in query.split('&') {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                if !stripped(name, value) {
                    url.push(separator);
                    url.push_str(part);
                    separator = '&';
                }
            }
        } else {
            url.push('?');
            url.push_str(query);
            separator = '&';
        }
    }
    if let Some((name, value)) = injected {
        let _ = write!(url, "{separator}{}={}", Encoded(name), Encoded(&value));
    }
    Some(url)
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
struct Encoded<'a>(&'a str);

impl std::fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
