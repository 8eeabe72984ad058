//! What is wrong with a `gateway.toml`, and what to write instead.

use std::borrow::Cow;

use crate::restrict::RuleError;

use super::variables::{self, Lookup};

/// Something in the file that is wrong, or legal but unwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place, such as `route[0].cors.origins[1]`.
    pub field: String,
    /// What is wrong.
    pub message: Cow<'static, str>,
    /// What to write instead; empty where there is nothing to say.
    pub fix: Cow<'static, str>,
    /// Whether the gateway works nevertheless.
    pub warning: bool,
}

/// The configuration cannot be used; nothing is proxied (500 `config_invalid`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct ConfigError {
    /// The field to look at, for the log.
    pub field: String,
    /// What is wrong with it. Never holds a value taken from a variable.
    pub detail: String,
}

/// Why one value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: Cow<'static, str>,
    pub(super) fix: Cow<'static, str>,
}

/// A rule's own words say what to write instead.
impl From<RuleError> for Fault {
    fn from(RuleError(message): RuleError) -> Self {
        fault(message, "")
    }
}

/// A refusal of a value, with the fix.
pub(super) fn fault(
    message: impl Into<Cow<'static, str>>,
    fix: impl Into<Cow<'static, str>>,
) -> Fault {
    Fault {
        message: message.into(),
        fix: fix.into(),
    }
}

/// Gathers what is found, so that one run names everything.
///
/// With a look-up, values are resolved first. Without one (before a deployment, where variables
/// are not known) a value that takes a variable is only checked for its spelling.
pub(super) struct Findings<'a> {
    lookup: Option<&'a Lookup<'a>>,
    list: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) const fn new(lookup: Option<&'a Lookup<'a>>) -> Self {
        Self {
            lookup,
            list: Vec::new(),
        }
    }

    pub(super) fn into_list(self) -> Vec<Finding> {
        self.list
    }

    /// The first error, if there is one.
    pub(super) fn first_error(self) -> Option<ConfigError> {
        let finding = self.list.into_iter().find(|finding| !finding.warning)?;
        Some(ConfigError {
            field: finding.field,
            detail: finding.message.into_owned(),
        })
    }

    pub(super) fn error(&mut self, field: &str, fault: Fault) {
        self.push(field, fault, false);
    }

    pub(super) fn warn(&mut self, field: &str, fault: Fault) {
        self.push(field, fault, true);
    }

    fn push(&mut self, field: &str, Fault { message, fix }: Fault, warning: bool) {
        self.list.push(Finding {
            field: field.to_owned(),
            message,
            fix,
            warning,
        });
    }

    /// Resolves and parses a text; nothing when it is wrong or its value is not known yet.
    pub(super) fn text<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let parsed = match (variables::references(text), self.lookup) {
            (Err(fault), _) => Err(fault),
            (Ok(false), _) => parse(text),
            (Ok(true), None) => return None,
            (Ok(true), Some(lookup)) => {
                variables::resolve(text, lookup).and_then(|text| parse(&text))
            }
        };
        self.keep(field, parsed)
    }

    /// The same for each text of a list; a list that is given must not be empty.
    pub(super) fn texts<T>(
        &mut self,
        field: &str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Vec<T>> {
        if texts.is_empty() {
            self.error(
                field,
                fault(
                    "the list is empty",
                    "leave the field out, or list at least one value",
                ),
            );
            return None;
        }
        let mut all = Some(Vec::with_capacity(texts.len()));
        for (index, text) in texts.iter().enumerate() {
            let value = self.text(&format!("{field}[{index}]"), text, &parse);
            all = all.zip(value).map(|(mut all, value)| {
                all.push(value);
                all
            });
        }
        all
    }

    /// A whole number within bounds, or the default.
    pub(super) fn number(
        &mut self,
        field: &str,
        value: Option<u64>,
        default: u32,
        (least, most): (u32, u32),
    ) -> u32 {
        let Some(value) = value else { return default };
        match u32::try_from(value) {
            Ok(value) if (least..=most).contains(&value) => value,
            _ => {
                let fix = format!("use a whole number from {least} to {most}");
                self.error(field, fault(format!("{value} is out of range"), fix));
                default
            }
        }
    }

    fn keep<T>(&mut self, field: &str, parsed: Result<T, Fault>) -> Option<T> {
        parsed.map_err(|fault| self.error(field, fault)).ok()
    }
}
