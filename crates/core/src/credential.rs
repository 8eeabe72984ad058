//! Where a key stands in a request: found, never chosen between.
//!
//! 1. Only the places that the route names are looked at.
//! 2. An empty place counts as missing. A present but wrong one counts: there is no
//!    fall-through to the next place.
//! 3. A value with a comma is two header lines that the runtime joined: refused, never split.
//! 4. The same key in several places is one key; different keys are ambiguous.
//! 5. A key is never read from a cookie or a body, and from a query only where the route says so.

use std::borrow::Cow;

use crate::head::Head;
use crate::refusal::Refusal;
use crate::route::Place;

/// No key of any shape is longer, in bytes.
pub const MAX_KEY: usize = 512;

/// The key that a request carries.
#[derive(Clone, Debug)]
pub struct Credential<'a> {
    /// The key as sent; not yet checked in any way.
    pub key: Cow<'a, str>,
    /// Whether it stood in the query, where private keys are refused.
    pub in_query: bool,
}

impl<'a> Credential<'a> {
    /// A key that stands nowhere in a request.
    ///
    /// # Errors
    /// [`Refusal::KeyInvalid`] when it is too long to be one.
    pub fn given(key: &'a str) -> Result<Self, Refusal> {
        Self {
            key: Cow::Borrowed(key),
            in_query: false,
        }
        .checked()
    }

    fn checked(self) -> Result<Self, Refusal> {
        if self.key.len() > MAX_KEY {
            return Err(Refusal::KeyInvalid);
        }
        Ok(self)
    }
}

/// Finds the one key of a request.
///
/// # Errors
/// [`Refusal::KeyMissing`] when no named place holds one, [`Refusal::KeyAmbiguous`] when they
/// hold different ones, [`Refusal::KeyInvalid`] when it is too long to be one.
pub fn find<'a>(places: &[Place], head: &Head<'a>) -> Result<Credential<'a>, Refusal> {
    let mut found: Option<Credential<'a>> = None;
    for place in places {
        match place {
            Place::Bearer => take(&mut found, bearer(head).map(Cow::Borrowed), false)?,
            Place::Header(name) => take(&mut found, head.header(name).map(Cow::Borrowed), false)?,
            Place::Query(name) => {
                for (_, value) in query_pairs(head.query().unwrap_or_default())
                    .filter(|(key, _)| decoded(key) == *name)
                {
                    take(&mut found, Some(decoded(value)), true)?;
                }
            }
        }
    }
    found.ok_or(Refusal::KeyMissing)?.checked()
}

fn take<'a>(
    found: &mut Option<Credential<'a>>,
    value: Option<Cow<'a, str>>,
    in_query: bool,
) -> Result<(), Refusal> {
    let Some(key) = value.filter(|key| !key.is_empty()) else {
        return Ok(());
    };
    if !in_query && key.contains(',') {
        return Err(Refusal::KeyAmbiguous);
    }
    match found {
        Some(earlier) if earlier.key != key => return Err(Refusal::KeyAmbiguous),
        Some(earlier) => earlier.in_query |= in_query,
        None => *found = Some(Credential { key, in_query }),
    }
    Ok(())
}

/// The token of `Authorization: Bearer` (RFC 6750 section 2.1; the scheme in any case). Another
/// scheme is another credential, not ours.
fn bearer<'a>(head: &Head<'a>) -> Option<&'a str> {
    bearer_token(head.header("authorization")?)
}

/// The token in the value of an `Authorization` header of the scheme `Bearer`.
#[must_use]
pub fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

/// Name and value of each part of a query, as sent.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// A query's name or value as form decoding reads it; invalid escapes stay as they are.
#[must_use]
pub fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        Cow::Owned(percent_decoded(&text.replace('+', " ")).into_owned())
    } else {
        percent_decoded(text)
    }
}

/// A text with its percent-encodings decoded; invalid ones stay as they are.
#[must_use]
pub fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                bytes.push(nibble(*high) << 4 | nibble(*low));
                after
            }
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Vec<Place> {
        vec![
            Place::Bearer,
            Place::Header("x-api-key".into()),
            Place::Query("key".into()),
        ]
    }

    fn found(url: &str, headers: &[(&str, &str)]) -> Result<(String, bool), Refusal> {
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}\n{value}\n"))
            .collect();
        let text = format!("GET\n{url}\n{lines}");
        find(&places(), &Head::parse(&text).unwrap())
            .map(|credential| (credential.key.into_owned(), credential.in_query))
    }

    const URL: &str = "https://gate.example/x";

    #[test]
    fn each_place_is_read() {
        for headers in [
            [("authorization", "Bearer k1")],
            [("authorization", "bEARER   k1 ")],
            [("x-api-key", "k1")],
        ] {
            assert_eq!(
                found(URL, &headers),
                Ok(("k1".into(), false)),
                "{headers:?}"
            );
        }
        for query in [
            "?key=k1",
            "?a=b&key=k1",
            "?%6bey=%6b1",
            "?key=&key=k1",
            "?key=k1&key=k1",
        ] {
            assert_eq!(
                found(&format!("{URL}{query}"), &[]),
                Ok(("k1".into(), true)),
                "{query}"
            );
        }
    }

    #[test]
    fn an_empty_place_is_missing() {
        for headers in [
            vec![],
            vec![("authorization", "")],
            vec![("authorization", "Bearer")],
            vec![("authorization", "Bearer   ")],
            vec![("x-api-key", "")],
            vec![("authorization", "Basic azE6")],
            vec![("cookie", "key=k1")],
        ] {
            assert_eq!(
                found(URL, &headers),
                Err(Refusal::KeyMissing),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn different_keys_are_ambiguous_and_a_joined_header_is_never_split() {
        for headers in [
            vec![("authorization", "Bearer k1"), ("x-api-key", "k2")],
            vec![("authorization", "Bearer rubbish!"), ("x-api-key", "k1")],
            vec![("x-api-key", "k1, k1")],
            vec![("authorization", "Bearer k1, Bearer k1")],
        ] {
            assert_eq!(
                found(URL, &headers),
                Err(Refusal::KeyAmbiguous),
                "{headers:?}"
            );
        }
        assert_eq!(
            found(&format!("{URL}?key=k2"), &[("x-api-key", "k1")]),
            Err(Refusal::KeyAmbiguous)
        );
    }

    #[test]
    fn the_same_key_twice_is_one_key() {
        assert_eq!(
            found(
                &format!("{URL}?key=k1"),
                &[("authorization", "Bearer k1"), ("x-api-key", "k1")]
            ),
            Ok(("k1".into(), true))
        );
    }

    #[test]
    fn a_key_of_ten_kilobytes_is_invalid() {
        assert_eq!(
            found(URL, &[("x-api-key", &"k".repeat(10_000))]),
            Err(Refusal::KeyInvalid)
        );
    }

    proptest::proptest! {
        #[test]
        fn decoding_agrees_with_the_url_standard(text in "[a-zA-Z0-9%+._~ éß-]{0,40}") {
            let expected: String = url::form_urlencoded::parse(format!("k={}", text.replace(['&', '='], "")).as_bytes()).next().unwrap().1.into_owned();
            proptest::prop_assert_eq!(decoded(&text), expected);
        }
    }
}
