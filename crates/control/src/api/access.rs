//! Who may call the management API: the holder of the bootstrap key, and no website but the
//! gateway's own.

use keyward_core::refusal::Refusal;
use keyward_core::secret::Digest;
use keyward_edge::{bindings, log};
use subtle::ConstantTimeEq;
use worker::{Env, web_sys};

/// Shorter keys could be guessed.
const SHORTEST_KEY: usize = 32;

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

/// Lets only the bootstrap management key through.
///
/// # Errors
/// [`Refusal::ConfigInvalid`] when the deployment has none, or one that is too short;
/// [`Refusal::KeyMissing`] without an `Authorization`; [`Refusal::KeyInvalid`] for any other.
pub(super) fn authenticate(request: &web_sys::Request, env: &Env) -> Result<(), Refusal> {
    let expected = bindings::text(env, bindings::BOOTSTRAP_KEY)
        .filter(|key| key.chars().count() >= SHORTEST_KEY);
    let Some(expected) = expected else {
        let detail = format!("is not set, or shorter than {SHORTEST_KEY} characters");
        log::config_invalid(bindings::BOOTSTRAP_KEY, &detail);
        return Err(Refusal::ConfigInvalid);
    };
    let authorization = header(request, "authorization").ok_or(Refusal::KeyMissing)?;
    let sent = bearer(&authorization).ok_or(Refusal::KeyInvalid)?;
    // Digests are compared, so that the time tells nothing about the length either.
    let (expected, sent) = (Digest::of(&expected), Digest::of(sent));
    if bool::from(expected.as_bytes().ct_eq(sent.as_bytes())) {
        Ok(())
    } else {
        Err(Refusal::KeyInvalid)
    }
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
}
