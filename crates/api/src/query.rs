//! Query parameters: each at most once, none that the operation does not have, and each with a
//! value that its entry in the table allows.

use keyward_core::spec::FieldError;
use keyward_core::time::Millis;

use crate::cursor::{AccountCursor, is_digits, position};
use crate::parameter::{Parameter, Values};

/// How much of an unknown name is repeated, in characters.
const LONGEST_ECHO: usize = 40;

/// The parameters of a request.
#[derive(Debug)]
pub struct Query {
    known: &'static [Parameter],
    given: Vec<(&'static str, String)>,
}

impl Query {
    /// Parses `application/x-www-form-urlencoded` (URL standard, section 5.1).
    ///
    /// # Errors
    /// Every parameter that is unknown, given twice, no UTF-8 or not of its values.
    pub fn parse(query: &str, known: &'static [Parameter]) -> Result<Self, Vec<FieldError>> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        let mut errors = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(name) else {
                errors.push(wrong("query", "a name is not valid UTF-8"));
                continue;
            };
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let echo: String = name.chars().take(LONGEST_ECHO).collect();
                errors.push(wrong(&echo, "this operation has no such parameter"));
                continue;
            };
            if given.iter().any(|(other, _)| *other == name) {
                errors.push(wrong(parameter.name, "is given twice"));
                continue;
            }
            match decode(value) {
                Some(value) if parameter.values.allow(&value) => {
                    given.push((parameter.name, value));
                }
                _ => errors.push(wrong(parameter.name, &parameter.values.hint())),
            }
        }
        if errors.is_empty() {
            Ok(Self { known, given })
        } else {
            Err(errors)
        }
    }

    /// How many items to show.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let default = self.known.iter().find_map(|one| match one.values {
            Values::Limit { default, .. } => Some(default),
            _ => None,
        });
        let given = self.text("limit").and_then(|text| text.parse().ok());
        given.or(default).unwrap_or(1)
    }

    /// The position of the cursor.
    #[must_use]
    pub fn cursor(&self) -> Option<u64> {
        position(self.text("cursor")?)
    }

    /// The cursor over several projects; the beginning when none is given.
    #[must_use]
    pub fn account_cursor(&self) -> AccountCursor {
        let cursor = self.text("cursor").and_then(AccountCursor::parse);
        cursor.unwrap_or(AccountCursor {
            projects: None,
            within: None,
        })
    }

    /// Whether a flag is given and `true`.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// A duration, in seconds.
    #[must_use]
    pub fn duration_s(&self, name: &str) -> Option<u64> {
        seconds(self.text(name)?)
    }

    /// A point in time.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Millis> {
        self.text(name)?.parse().ok()
    }

    /// A parameter as it was sent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Values {
    /// Whether a value is one of them.
    #[must_use]
    pub fn allow(self, value: &str) -> bool {
        match self {
            Self::Limit { most, .. } => {
                is_digits(value) && value.parse().is_ok_and(|limit| (1..=most).contains(&limit))
            }
            Self::Cursor => position(value).is_some(),
            Self::AccountCursor => AccountCursor::parse(value).is_some(),
            Self::Word(words) => words.contains(&value),
            Self::Flag => matches!(value, "true" | "false"),
            Self::Duration => seconds(value).is_some(),
            Self::Time => value.parse::<Millis>().is_ok(),
            Self::Text(longest) => {
                (1..=longest).contains(&value.chars().count()) && !value.contains(char::is_control)
            }
        }
    }

    fn hint(self) -> String {
        match self {
            Self::Limit { most, .. } => format!("write a whole number from 1 to {most}"),
            Self::Cursor | Self::AccountCursor => {
                "write the `next_cursor` of an earlier answer".to_owned()
            }
            Self::Word(words) => format!("write one of {}", words.join(", ")),
            Self::Flag => "write true or false".to_owned(),
            Self::Duration => {
                "write a number from 1 to 99999 and s, m, h or d, such as 90d".to_owned()
            }
            Self::Time => {
                "write an RFC 3339 date and time, such as 2026-11-21T12:00:00Z".to_owned()
            }
            Self::Text(longest) => format!(
                "write 1 to {longest} characters without control characters, or leave it out"
            ),
        }
    }
}

/// `[1-9][0-9]{0,4}[smhd]`, in seconds.
fn seconds(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let canonical = is_digits(digits) && digits.len() <= 5 && !digits.starts_with('0');
    let number: u64 = canonical.then(|| digits.parse().ok()).flatten()?;
    Some(number * unit)
}

fn wrong(name: &str, detail: &str) -> FieldError {
    FieldError {
        field: name.to_owned(),
        detail: detail.to_owned(),
    }
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
    use crate::parameter::{CURSOR, LIMIT, SINCE};

    const fn of(name: &'static str, values: Values) -> Parameter {
        Parameter {
            name,
            values,
            summary: "",
        }
    }

    const KNOWN: &[Parameter] = &[
        LIMIT,
        CURSOR,
        SINCE,
        of("q", Values::Text(5)),
        of("flag", Values::Flag),
        of("unused", Values::Duration),
        of("kind", Values::Word(&["public", "private"])),
    ];

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("q=a+b%2B%C3%A9&&flag=true", KNOWN).unwrap();
        assert_eq!(query.text("q"), Some("a b+é"));
        assert!(query.flag("flag"));
        assert_eq!(query.text("kind"), None);
        assert_eq!(query.limit(), 50);
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let named = |query| {
            let errors = Query::parse(query, KNOWN).unwrap_err();
            errors
                .into_iter()
                .map(|error| error.field)
                .collect::<Vec<_>>()
        };
        assert_eq!(named("x=1&q=1&q=2&kind=derived"), ["x", "q", "kind"]);
        assert_eq!(named("%ff=1"), ["query"]);
        assert_eq!(named(&format!("{}=1", "x".repeat(99))), ["x".repeat(40)]);
        for text in [
            "q=",
            "q=123456",
            "q=%00",
            "q=%",
            "q=%2",
            "q=%gg",
            "q=%ff",
            "Q=1",
            "q=1&%71=2",
        ] {
            assert!(Query::parse(text, KNOWN).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_strict() {
        for (good, bad) in [
            (
                "limit=1,limit=100,limit=007",
                "limit=,limit=0,limit=101,limit=-1,limit=+1,limit=1e2,limit=99999999999",
            ),
            (
                "cursor=p0,cursor=p12",
                "cursor=,cursor=7,cursor=p,cursor=p-1,cursor=p99999999999999999999,cursor=p9007199254740992",
            ),
            ("flag=false", "flag,flag=1,flag=TRUE"),
            (
                "unused=1s,unused=99999d",
                "unused=,unused=d,unused=0d,unused=01d,unused=1.5d,unused=100000d,unused=1w,unused=1é",
            ),
            ("since=2026-11-21T12:00:00Z", "since=2026-11-21,since="),
        ] {
            for text in good.split(',') {
                assert!(Query::parse(text, KNOWN).is_ok(), "{text}");
            }
            for text in bad.split(',') {
                assert!(Query::parse(text, KNOWN).is_err(), "{text}");
            }
        }
        let query = Query::parse("unused=2h&cursor=p7", KNOWN).unwrap();
        assert_eq!(query.duration_s("unused"), Some(7200));
        assert_eq!(query.cursor(), Some(7));
    }
}
