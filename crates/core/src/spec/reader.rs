//! Reads the fields of a JSON object one by one and collects what is wrong with them, at most one
//! error for each. A field that is wrong reads as if it were missing: the errors decide.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::FieldError;
use crate::restrict::app::{AndroidApp, Apps};
use crate::time::Millis;

/// The longest rule or scope, in characters.
const LONGEST_RULE: usize = 500;
/// How much of an unknown field's name is repeated, in characters.
const LONGEST_ECHO: usize = 40;
const EMPTY_LIST: &str =
    "an empty list could mean nobody or anybody; leave it out, or name an entry";

pub(super) struct Reader<'a> {
    fields: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(fields: &'a Map<String, Value>) -> Self {
        Self {
            fields,
            errors: Vec::new(),
        }
    }

    pub(super) fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// Notes what is wrong with a field, unless that has been noted.
    pub(super) fn refuse(&mut self, field: &str, detail: impl Display) {
        if !self.refused(field) {
            self.errors.push(FieldError {
                field: field.to_owned(),
                detail: detail.to_string(),
            });
        }
    }

    pub(super) fn refused(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    pub(super) fn is_true(&self, field: &str) -> bool {
        self.fields.get(field) == Some(&Value::Bool(true))
    }

    /// A string of any content.
    pub(super) fn word(&mut self, field: &str) -> Option<&'a str> {
        let value = self.fields.get(field)?;
        let text = value.as_str();
        if text.is_none() {
            self.refuse(field, "must be a string");
        }
        text
    }

    /// A string for people: not empty, without blanks around it or control characters inside,
    /// because it may become the value of a header.
    pub(super) fn text(&mut self, field: &str, longest: usize) -> Option<String> {
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

    pub(super) fn time(&mut self, field: &str) -> Option<Millis> {
        let text = self.word(field)?;
        text.parse().map_err(|error| self.refuse(field, error)).ok()
    }

    /// A field that may be `null`, for "none".
    pub(super) fn optional<T>(
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

    pub(super) fn flag(&mut self, field: &str) -> bool {
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
    pub(super) fn rules<T: FromStr<Err: Display>>(&mut self, field: &str, most: usize) -> Vec<T> {
        self.list(field, self.fields.get(field), most, rule)
    }

    /// `{"android": [{"package", "sha1"}], "ios": ["bundle id"]}`, at least one of the two.
    pub(super) fn apps(&mut self, field: &str, most: usize) -> Apps {
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
    pub(super) fn object(&mut self, field: &str, largest: usize) -> Map<String, Value> {
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

    pub(super) fn refuse_unknown(&mut self, known: &[&str]) {
        for field in self
            .fields
            .keys()
            .filter(|field| !known.contains(&field.as_str()))
        {
            let detail = format!("unknown field; a key has {}", known.join(", "));
            self.refuse(shortened(field), detail);
        }
    }

    /// The entries of a list: at least one, at most `most`, each as `read` understands it.
    fn list<T>(
        &mut self,
        field: &str,
        value: Option<&Value>,
        most: usize,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Vec<T> {
        let mut list = Vec::new();
        match value {
            None => {}
            Some(Value::Array(entries)) if entries.is_empty() => self.refuse(field, EMPTY_LIST),
            Some(Value::Array(entries)) if entries.len() > most => {
                self.refuse(field, format_args!("must have at most {most} entries"));
            }
            Some(Value::Array(entries)) => {
                for (index, entry) in entries.iter().enumerate() {
                    match read(entry) {
                        Ok(entry) => list.push(entry),
                        Err(detail) => self.refuse(&format!("{field}[{index}]"), detail),
                    }
                }
            }
            Some(_) => self.refuse(field, "must be a list"),
        }
        list
    }
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

fn shortened(name: &str) -> &str {
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
