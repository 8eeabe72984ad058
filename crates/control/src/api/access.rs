//! What a request says of who sends it: no website but the gateway's own, and a credential.

use keyward_core::refusal::Refusal;
use worker::web_sys;
use zeroize::Zeroizing;

/// Refuses what a browser sends on behalf of another website. Such a call cannot carry the key
/// unless the site has it, but it must not even learn whether there is such an endpoint.
///
/// # Errors
/// [`Refusal::CrossOriginDenied`].
pub(super) fn require_same_origin(request: &web_sys::Request, url: &str) -> Result<(), Refusal> {
    if let Some(origin) = header(request, "origin")
        && own_origin(url) != Some(origin.as_str())
    {
        return Err(Refusal::CrossOriginDenied);
    }
    match header(request, "sec-fetch-site").as_deref() {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(Refusal::CrossOriginDenied),
    }
}

/// The secret that is sent as `Authorization: Bearer`.
///
/// # Errors
/// [`Refusal::KeyMissing`] without an `Authorization`, [`Refusal::KeyInvalid`] for another scheme.
pub(super) fn secret(request: &web_sys::Request) -> Result<Zeroizing<String>, Refusal> {
    let authorization = header(request, "authorization").map(Zeroizing::new);
    let authorization = authorization.ok_or(Refusal::KeyMissing)?;
    let secret = bearer(&authorization).ok_or(Refusal::KeyInvalid)?;
    Ok(Zeroizing::new(secret.to_owned()))
}

/// A header that is there and not empty. The runtime refuses no name that is written here.
pub(super) fn header(request: &web_sys::Request, name: &str) -> Option<String> {
    request
        .headers()
        .get(name)
        .ok()
        .flatten()
        .filter(|value| !value.is_empty())
}

/// The same, where an empty value is one.
pub(super) fn header_or_empty(request: &web_sys::Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

/// The path and the query of a serialised URL, without what separates them.
pub(super) fn path_and_query(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let (_, path) = rest.split_at_checked(rest.find('/')?)?;
    Some(path.split_once('?').unwrap_or((path, "")))
}

/// The origin of the URL as the runtime has serialised it.
fn own_origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    url.get(..scheme.len() + "://".len() + host.len())
}

/// The token of `Authorization: Bearer <token>` (RFC 6750 section 2.1; the scheme in any case).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_origin_is_the_url_up_to_its_path() {
        for url in [
            "https://a.example:8443/x?y",
            "https://a.example:8443?y",
            "https://a.example:8443",
        ] {
            assert_eq!(own_origin(url), Some("https://a.example:8443"));
        }
        assert_eq!(own_origin("about:blank"), None);
    }

    #[test]
    fn only_one_bearer_token_counts() {
        for text in ["Bearer abc", "bearer abc", "BEARER   abc"] {
            assert_eq!(bearer(text), Some("abc"), "{text}");
        }
        for text in ["Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc", " abc"] {
            assert_eq!(bearer(text), None, "{text}");
        }
        // Two lines arrive joined: that is no key.
        assert_eq!(bearer("Bearer abc, Bearer abc"), Some("abc, Bearer abc"));
    }

    #[test]
    fn urls_are_cut_into_path_and_query() {
        assert_eq!(path_and_query("https://a:1/b?c?d"), Some(("/b", "c?d")));
        assert_eq!(path_and_query("https://a/b"), Some(("/b", "")));
        assert_eq!(path_and_query("about:blank"), None);
    }
}
