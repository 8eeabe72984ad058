//! Converts the referrer rules of a question, and leaves every other byte of it as it is: a
//! header that is given twice must arrive twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::{RawValue, to_raw_value};

use crate::punycode;

/// The question with the hosts of `key.referrers` and `derived.referrers` in punycode. A line that is no question is
/// left as it is, for the core to refuse.
pub(super) fn in_punycode(question: &str) -> Cow<'_, str> {
    // Escapes are the only way to write another character in ASCII; most lines have neither.
    if question.is_ascii() && !question.contains("\\u") {
        return Cow::Borrowed(question);
    }
    convert(question).map_or(Cow::Borrowed(question), Cow::Owned)
}

fn convert(question: &str) -> Option<String> {
    let key = edit(question, "key", |key| edit(key, "referrers", rules))?;
    edit(&key, "derived", |key| edit(key, "referrers", rules))
}

fn rules(list: &str) -> Option<String> {
    let rules: Vec<String> = serde_json::from_str(list).ok()?;
    let converted: Vec<_> = rules.iter().map(|rule| punycode::rule(rule)).collect();
    serde_json::to_string(&converted).ok()
}

/// The object with each member of this name edited.
fn edit(object: &str, name: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let Members(mut members) = serde_json::from_str(object).ok()?;
    for (_, value) in members.iter_mut().filter(|(member, _)| member == name) {
        *value = RawValue::from_string(change(value.get())?).ok()?;
    }
    to_raw_value(&Members(members))
        .ok()
        .map(|object| object.get().to_owned())
}

/// An object's members as they are written: in their order, and each as often as it is given.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Visit)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::in_punycode;

    #[test]
    fn only_referrer_rules_change() {
        for (question, expected) in [
            (
                r#"{"key":{"referrers":["bücher.example"]}}"#,
                r#"{"key":{"referrers":["xn--bcher-kva.example"]}}"#,
            ),
            (
                r#"{"key":{"referrers":["b\u00fccher.example"]}}"#,
                r#"{"key":{"referrers":["xn--bcher-kva.example"]}}"#,
            ),
            (
                r#"{"request":{"headers":{"a":"ü","a":"v"}},"key":{"name":"ü","referrers":["a.example"]}}"#,
                r#"{"request":{"headers":{"a":"ü","a":"v"}},"key":{"name":"ü","referrers":["a.example"]}}"#,
            ),
            (
                r#"{"key":{},"key":{"referrers":["ü.example"]}}"#,
                r#"{"key":{},"key":{"referrers":["xn--tda.example"]}}"#,
            ),
            (
                r#"{"key":{"referrers":"ü"}}"#,
                r#"{"key":{"referrers":"ü"}}"#,
            ),
            (r#"{"key":"ü""#, r#"{"key":"ü""#),
            ("ü", "ü"),
        ] {
            assert_eq!(in_punycode(question), expected);
        }
    }
}
