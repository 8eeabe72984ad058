//! Query parameters: each at most once, and none that the endpoint does not have.

use keyward_core::refusal::Refusal;

use super::answer::Refused;
use crate::registry::message::Page;

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 100;
/// The longest text to look for, in characters.
const LONGEST_TEXT: usize = 200;

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses `application/x-www-form-urlencoded` (URL standard, section 5.1).
    ///
    /// # Errors
    /// [`Refusal::QueryInvalid`] for a name that is not among `known`, a name given twice, and a
    /// text that is no UTF-8.
    pub(super) fn parse(query: &str, known: &[&str]) -> Result<Self, Refused> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| wrong("query", "a name is not valid UTF-8"))?;
            if !known.contains(&name.as_str()) {
                return Err(wrong(&name, "this endpoint has no such parameter"));
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(wrong(&name, "is given twice"));
            }
            let value = decode(value).ok_or_else(|| wrong(&name, "is not valid UTF-8"))?;
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The page of a list that is asked for.
    ///
    /// # Errors
    /// [`Refusal::QueryInvalid`].
    pub(super) fn page(&self) -> Result<Page, Refused> {
        Ok(Page {
            limit: self.limit()?,
            before: self.cursor()?,
        })
    }

    /// How many items to show.
    fn limit(&self) -> Result<u32, Refused> {
        let Some(text) = self.value("limit") else {
            return Ok(DEFAULT_LIMIT);
        };
        let limit = is_digits(text).then(|| text.parse().ok()).flatten();
        limit
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| wrong("limit", "write a whole number from 1 to 100"))
    }

    /// The position that an earlier answer's `next_cursor` stands for.
    fn cursor(&self) -> Result<Option<u64>, Refused> {
        let Some(text) = self.value("cursor") else {
            return Ok(None);
        };
        let position = text.strip_prefix('p').filter(|digits| is_digits(digits));
        position
            .and_then(|digits| digits.parse().ok())
            // Beyond this, numbers are not exact in the registry.
            .filter(|position| *position < 1 << 53)
            .map(Some)
            .ok_or_else(|| wrong("cursor", "write the `next_cursor` of an earlier answer"))
    }

    /// A text to look for.
    ///
    /// # Errors
    /// [`Refusal::QueryInvalid`] for an empty or a very long one.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refused> {
        let Some(text) = self.value(name) else {
            return Ok(None);
        };
        if text.is_empty() || text.chars().count() > LONGEST_TEXT {
            return Err(wrong(name, "write 1 to 200 characters, or leave it out"));
        }
        Ok(Some(text.to_owned()))
    }

    /// A parameter as sent.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The cursor that stands for a position.
pub(super) fn cursor_at(position: u64) -> String {
    format!("p{position}")
}

/// A parameter that is wrong.
pub(super) fn wrong(name: &str, detail: &str) -> Refused {
    Refused::field(Refusal::QueryInvalid, name, detail)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => (hex(rest.next()?)? << 4) | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("q=a+b%2Bc%C3%A9&&owner=", &["q", "owner"]).unwrap();
        assert_eq!(query.value("q"), Some("a b+cé"));
        assert_eq!(query.value("owner"), Some(""));
        assert_eq!(query.value("limit"), None);
    }

    #[test]
    fn what_is_unknown_doubled_or_broken_is_refused() {
        for text in [
            "x=1",
            "q=1&q=1",
            "q=1&%71=2",
            "q=%",
            "q=%2",
            "q=%gg",
            "q=%ff",
            "Q=1",
        ] {
            assert!(Query::parse(text, &["q"]).is_err(), "{text}");
        }
    }

    #[test]
    fn limits_and_cursors_are_strict() {
        let limit = |text: &str| Query::parse(text, &["limit"]).unwrap().limit().ok();
        assert_eq!(limit(""), Some(50));
        assert_eq!(limit("limit=100"), Some(100));
        for text in [
            "limit=",
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=+1",
            "limit=1e2",
            "limit=99999999999",
        ] {
            assert_eq!(limit(text), None, "{text}");
        }
        let cursor = |text: &str| Query::parse(text, &["cursor"]).unwrap().cursor().ok();
        assert_eq!(cursor(&format!("cursor={}", cursor_at(7))), Some(Some(7)));
        for text in [
            "cursor=",
            "cursor=7",
            "cursor=p",
            "cursor=p-1",
            "cursor=p99999999999999999999",
        ] {
            assert_eq!(cursor(text), None, "{text}");
        }
    }
}
