//! The line that is asked.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::derived::Asked;
use crate::time::{Millis, rfc3339};

/// A key, a request and a time. Fields that are not known are refused: a restriction or a fact
/// that is misspelt must not go unnoticed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) key: Value,
    #[serde(default)]
    pub(super) derived: Option<Asked>,
    pub(super) request: Request,
    #[serde(default, with = "rfc3339")]
    pub(super) now: Option<Millis>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    /// The target, raw as sent; may have a query.
    pub(super) path: String,
    #[serde(default)]
    headers: Headers,
    /// The client's address. One that is none counts as unknown.
    #[serde(default)]
    pub(super) ip: Option<String>,
}

impl Question {
    /// Reads a line; the error says what is wrong with it.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let wrong = |reason: &dyn fmt::Display| format!("the line is not a question: {reason}");
        // Derived types also read lists as structs, field by field.
        let value: Value = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        if !value.is_object()
            || value
                .get("request")
                .is_some_and(|request| !request.is_object())
            || value
                .get("derived")
                .is_some_and(|derived| !derived.is_object())
        {
            return Err(wrong(
                &"it, its `request` and its `derived` are JSON objects",
            ));
        }
        // From the text again: a `Value` has forgotten names that were given twice.
        let question: Self = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        if !is_token(&question.request.method) {
            return Err(wrong(&"`method` is not a method"));
        }
        Ok(question)
    }
}

impl Request {
    /// The value of a header, by its name in lower case. Empty counts as absent.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.0.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Names in lower case, each once: header lines of one name arrive joined by `, `, in whatever
/// case and however often the line names them.
#[derive(Default)]
struct Headers(Vec<(String, String)>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a header is a string or a list of strings")]
enum Lines {
    None(()),
    One(String),
    Many(Vec<String>),
}

impl Headers {
    fn add(&mut self, name: &str, line: &str) {
        let name = name.to_ascii_lowercase();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, value)) => {
                value.push_str(", ");
                value.push_str(line);
            }
            None => self.0.push((name, line.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A map type would drop names that are given twice.
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of header names and values")
            }

            fn visit_unit<E>(self) -> Result<Headers, E> {
                Ok(Headers::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some((name, lines)) = map.next_entry::<String, Lines>()? {
                    match lines {
                        Lines::None(()) => {}
                        Lines::One(line) => headers.add(&name, &line),
                        Lines::Many(lines) => {
                            lines.iter().for_each(|line| headers.add(&name, line))
                        }
                    }
                }
                Ok(headers)
            }
        }

        deserializer.deserialize_any(Pairs)
    }
}

/// `token` of RFC 9110 section 5.6.2, which every method is.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
