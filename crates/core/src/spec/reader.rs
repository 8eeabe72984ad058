//! Reads the fields of a JSON object one by one and collects what is wrong with them, at most one
//! error for each and at most [`MOST_ERRORS`] in all. A field that is wrong reads as if it were missing: the errors decide.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::FieldError;
use crate::restrict::app::{AndroidApp, Apps};
use crate::time::Millis;

/// The longest rule or scope, in characters.
pub const LONGEST_RULE: usize = 500;
/// So many errors are named at most; a last one says that there are more. Who sends thousands of
/// them is not helped by a list of them, and looking each up among the others would be slow.
pub const MOST_ERRORS: usize = 20;
/// Where the error stands that says that there are more.
const MORE: &str = "more";
/// How much of an unknown field's name is repeated, in characters.
const LONGEST_ECHO: usize = 40;
const EMPTY_LIST: &str =
    "an empty list could mean nobody or anybody; leave it out, or name an entry";

/// Reads one object.
pub struct Reader<'a> {
    fields: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    /// A reader of these fields.
    #[must_use]
    pub const fn new(fields: &'a Map<String, Value>) -> Self {
        Self {
            fields,
            errors: Vec::new(),
        }
    }

    /// Everything that was wrong.
    #[must_use]
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// Notes what is wrong with a field, unless that has been noted, or enough has.
    pub fn refuse(&mut self, field: &str, detail: impl Display) {
        if self.is_full() || self.refused(field) {
            return;
        }
        let (field, detail) = if self.errors.len() < MOST_ERRORS {
            (field, detail.to_string())
        } else {
            (
                MORE,
                format!("only the first {MOST_ERRORS} errors are named"),
            )
        };
        self.errors.push(FieldError {
            field: field.to_owned(),
            detail,
        });
    }

    /// Whether nothing more is noted.
    const fn is_full(&self) -> bool {
        self.errors.len() > MOST_ERRORS
    }

    /// Whether something was wrong with a field.
    #[must_use]
    pub fn refused(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }

    /// Whether the field is given, be it with `null`.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Whether the field is given and `true`.
    #[must_use]
    pub fn is_true(&self, field: &str) -> bool {
        self.fields.get(field) == Some(&Value::Bool(true))
    }

    /// A string of any content.
    pub fn word(&mut self, field: &str) -> Option<&'a str> {
        let value = self.fields.get(field)?;
        let text = value.as_str();
        if text.is_none() {
            self.refuse(field, "must be a string");
        }
        text
    }

    /// A string for people: not empty, without blanks around it or control characters inside,
    /// because it may become the value of a header.
    pub fn text(&mut self, field: &str, longest: usize) -> Option<String> {
        let text = self.word(field)?;
        if text.is_empty() {
            self.refuse(field, "must not be empty; leave it out");
        } else if text.chars().count() > longest {
            self.refuse(
                field,
                format_args!("must have at most {longest} characters"),
            );
        } else if text.trim() != text || text.contains(char::is_control) {
            self.refuse(
                field,
                "must have no blanks around it and no control characters",
            );
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// A point in time, RFC 3339.
    pub fn time(&mut self, field: &str) -> Option<Millis> {
        let text = self.word(field)?;
        text.parse().map_err(|error| self.refuse(field, error)).ok()
    }

    /// A field that may be `null`, for "none".
    pub fn optional<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<T> {
        if self.fields.get(field) == Some(&Value::Null) {
            None
        } else {
            read(self, field)
        }
    }

    /// `true` or `false`; missing is `false`.
    pub fn flag(&mut self, field: &str) -> bool {
        match self.fields.get(field) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.refuse(field, "must be true or false");
                false
            }
        }
    }

    /// A list of rules, each a string in the grammar of `T`.
    pub fn rules<T: FromStr<Err: Display>>(&mut self, field: &str, most: usize) -> Vec<T> {
        self.list(field, self.fields.get(field), most, rule)
    }

    /// `{"android": [{"package", "sha1"}], "ios": ["bundle id"]}`, at least one of the two.
    pub fn apps(&mut self, field: &str, most: usize) -> Apps {
        let mut apps = Apps::default();
        let Some(value) = self.fields.get(field) else {
            return apps;
        };
        let Some(platforms) = value.as_object().filter(|platforms| !platforms.is_empty()) else {
            self.refuse(
                field,
                "must be an object with a list `android`, a list `ios`, or both",
            );
            return apps;
        };
        for (platform, list) in platforms {
            let place = format!("{field}.{}", shortened(platform));
            match platform.as_str() {
                "android" => apps.android = self.list(&place, Some(list), most, android_app),
                "ios" => apps.ios = self.list(&place, Some(list), most, rule),
                _ => self.refuse(&place, "unknown platform; there are `android` and `ios`"),
            }
        }
        apps
    }

    /// Any object up to `largest` bytes of JSON; missing is empty.
    pub fn object(&mut self, field: &str, largest: usize) -> Map<String, Value> {
        match self.fields.get(field) {
            None => Map::new(),
            Some(Value::Object(object)) => {
                let size = serde_json::to_string(object).map_or(usize::MAX, |text| text.len());
                if size > largest {
                    self.refuse(
                        field,
                        format_args!("must be at most {largest} bytes of JSON"),
                    );
                }
                if object.values().any(|value| is_deeper_than(value, DEEPEST)) {
                    self.refuse(field, format_args!("must be at most {DEEPEST} levels deep"));
                }
                object.clone()
            }
            Some(_) => {
                self.refuse(field, "must be an object");
                Map::new()
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, field: &str, words: &[(&str, T)]) -> Option<T> {
        let word = self.word(field)?;
        let chosen = chosen(word, words);
        if chosen.is_none() {
            self.refuse(field, one_of(words));
        }
        chosen
    }

    /// A list of words, each counted once; missing is empty.
    pub fn choices<T: Copy + PartialEq>(&mut self, field: &str, words: &[(&str, T)]) -> Vec<T> {
        let read = |entry: &Value| {
            let word = entry.as_str().ok_or("must be a string")?;
            chosen(word, words).ok_or_else(|| one_of(words))
        };
        // The bound is generous: what is given twice counts once.
        let given = self.list(field, self.fields.get(field), words.len() * 2, read);
        let mut list = Vec::with_capacity(given.len());
        for choice in given {
            if !list.contains(&choice) {
                list.push(choice);
            }
        }
        list
    }

    /// A whole number within bounds.
    pub fn whole(&mut self, field: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let number = whole_number(self.fields.get(field)?);
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            self.refuse(
                field,
                format_args!(
                    "must be a whole number from {} to {}",
                    bounds.start(),
                    bounds.end()
                ),
            );
        }
        number
    }

    /// Refuses a field that has to be there and is not.
    pub fn require(&mut self, field: &str) {
        if !self.has(field) {
            self.refuse(field, "is missing");
        }
    }

    /// Refuses every field that is not among `known`, the fields of `thing` ("a key").
    pub fn refuse_unknown(&mut self, thing: &str, known: &[&str]) {
        for field in self
            .fields
            .keys()
            .filter(|field| !known.contains(&field.as_str()))
        {
            if self.is_full() {
                return;
            }
            let detail = format!("unknown field; {thing} has {}", known.join(", "));
            self.refuse(shortened(field), detail);
        }
    }

    /// What is given in a field.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field)
    }

    /// The entries of a list: at least one, at most `most`. None of what is no such list.
    pub fn entries<'v>(&mut self, field: &str, value: &'v Value, most: usize) -> &'v [Value] {
        match value {
            Value::Array(entries) if entries.is_empty() => self.refuse(field, EMPTY_LIST),
            Value::Array(entries) if entries.len() > most => {
                self.refuse(field, format_args!("must have at most {most} entries"));
            }
            Value::Array(entries) => return entries,
            _ => self.refuse(field, "must be a list"),
        }
        &[]
    }

    /// The entries of a list, if there is one, each as `read` understands it.
    fn list<T>(
        &mut self,
        field: &str,
        value: Option<&Value>,
        most: usize,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Vec<T> {
        let mut list = Vec::new();
        let entries = value.map_or(&[] as &[_], |value| self.entries(field, value, most));
        for (index, entry) in entries.iter().enumerate() {
            match read(entry) {
                Ok(entry) => list.push(entry),
                Err(detail) => self.refuse(&format!("{field}[{index}]"), detail),
            }
        }
        list
    }
}

fn chosen<T: Copy>(word: &str, words: &[(&str, T)]) -> Option<T> {
    let found = words.iter().find(|(own, _)| *own == word);
    found.map(|(_, choice)| *choice)
}

fn one_of<T>(words: &[(&str, T)]) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    format!("write one of {}", words.join(", "))
}

fn rule<T: FromStr<Err: Display>>(entry: &Value) -> Result<T, String> {
    let text = entry.as_str().ok_or("must be a string")?;
    if text.chars().count() > LONGEST_RULE {
        return Err(format!("must have at most {LONGEST_RULE} characters"));
    }
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn android_app(entry: &Value) -> Result<AndroidApp, String> {
    if !entry.is_object() {
        return Err("must be an object with `package` and `sha1`".to_owned());
    }
    AndroidApp::deserialize(entry).map_err(|error| error.to_string())
}

/// As much of a name that somebody has sent as is repeated to them.
pub(crate) fn shortened(name: &str) -> &str {
    name.char_indices()
        .nth(LONGEST_ECHO)
        .and_then(|(end, _)| name.get(..end))
        .unwrap_or(name)
}

/// How deep an object may be nested: what stores and answers it wraps it in levels of its own, and
/// JSON readers have a bound.
const DEEPEST: usize = 16;

fn is_deeper_than(value: &Value, levels: usize) -> bool {
    let deeper = |value| levels == 0 || is_deeper_than(value, levels - 1);
    match value {
        Value::Array(items) => items.iter().any(deeper),
        Value::Object(fields) => fields.values().any(deeper),
        _ => false,
    }
}

/// A whole number that is not negative. JSON knows no integers, so `60.0` is one too, as in JSON
/// Schema.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is whole, not negative and exact"
)]
pub fn whole_number(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
    })
}
