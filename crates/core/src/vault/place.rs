//! The places that routes name credentials in, and how a read of one is written.

use std::fmt::Write as _;

use super::Value;
use super::held::Held;
use crate::keyring::Keyring;
use crate::names;
use crate::route::{Route, Source};
use crate::time::Millis;

/// A credential that one route names, or several in the same words.
pub(super) struct Place {
    pub(super) source: Source,
    /// Empty, or the only origin that may receive it.
    pub(super) origin: String,
    /// The field that the log names.
    pub(super) field: String,
    pub(super) known: Known,
}

pub(super) enum Known {
    /// A Worker secret that is a text; none when it is not set or cannot be sent.
    Fixed(Option<Value>),
    /// By project, in their order; of a Secrets Store one without a name.
    Read(Vec<Held>),
}

impl Source {
    /// Whose value it is: a project's, or nobody's.
    pub(super) fn owner<'a>(&self, project: &'a str) -> &'a str {
        match self {
            Self::Secret(_) => "",
            Self::Project(_) => project,
        }
    }
}

impl Place {
    pub(super) fn new(
        source: &Source,
        route: &Route,
        lookup: &dyn Fn(&str) -> Option<String>,
        stored: &dyn Fn(&str) -> bool,
    ) -> Self {
        let (origin, field, known) = match source {
            Source::Secret(name) if stored(name) => ("", "secret", Known::Read(Vec::new())),
            Source::Secret(name) => {
                let text = lookup(name).filter(|text| usable(text));
                let value = text.map(|text| Value {
                    text,
                    revision: 0,
                    version: 0,
                });
                ("", "secret", Known::Fixed(value))
            }
            Source::Project(_) => {
                let origin = route.origin.as_str();
                (origin, "project_secret", Known::Read(Vec::new()))
            }
        };
        Self {
            source: source.clone(),
            origin: origin.to_owned(),
            field: format!("route[{}].credential.{field}", route.index),
            known,
        }
    }
}

pub(super) fn described(
    number: usize,
    source: &Source,
    origin: &str,
    project: &str,
    keyring: &Keyring,
    now: Millis,
) -> String {
    let mut text = format!("{number} {} ", now.0);
    match source {
        Source::Secret(name) => text.push_str(name),
        Source::Project(name) => {
            let _ = write!(text, "{project}/{name}/{origin}");
            for entry in keyring.in_force() {
                text.push(' ');
                text.push_str(&names::credential_name(entry, project, name));
            }
        }
    }
    text
}

/// Whether a secret can stand in a header as it is: a line break from a careless paste would end
/// it early, and blanks around it are trimmed by the runtime, so that it would no longer be
/// recognised in an answer.
pub(crate) fn usable(secret: &str) -> bool {
    !secret.is_empty()
        && secret.trim() == secret
        && secret.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}
