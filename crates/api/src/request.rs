//! What requests say, read field by field: everything that is wrong is named at once, and what is
//! not known is refused. The fields of keys and of management keys are read by the core.

mod credential;
mod credits;
mod import;
mod leaks;
mod project;
mod revocation;
mod rotation;
mod usage;
mod webhook;

use keyward_core::spec::FieldError;
use keyward_core::spec::reader::Reader;
use serde_json::Value;

pub use self::credential::{CredentialValue, LONGEST_VALUE};
pub use self::credits::{OwnerCredits, credits};
pub use self::import::{
    ImportLine, ImportSecret, LARGEST_IMPORT, LONGEST_LINE, LONGEST_REDACTED, LONGEST_SECRET,
    MOST_LINES, Origin, SHORTEST_SECRET, redacted,
};
pub use self::leaks::{Found, LARGEST_REPORT, LONGEST_SOURCE, Match, found, matches};
pub use self::project::{
    LONGEST_BROWSER_END_S, LONGEST_LIFE_S, LONGEST_WARNING_S, NewEnvironment, NewProject, Note,
    OwnerChange, OwnerLimits, SHORTEST_BROWSER_END_S, SHORTEST_LIFE_S, project_patch,
};
pub use self::revocation::Revocation;
pub use self::rotation::{FARTHEST_MS, Rotation};
pub use self::usage::{MOST_SPANS, UsageRange};
pub use self::webhook::{DEFAULT_WEBHOOK_OVERLAP_S, NewWebhook, WebhookPatch, WebhookRotation};

/// The largest body but that of an import, in bytes: more than the largest key needs.
pub const LARGEST_BODY: usize = 64 * 1024;

/// Reads the object `value` with `read`. It is named `name` where it is none; `thing` ("a key") has
/// the fields `known`.
fn object<'a, T>(
    value: &'a Value,
    (name, thing): (&str, &str),
    known: &[&str],
    read: impl FnOnce(&mut Reader<'a>) -> T,
) -> Result<T, Vec<FieldError>> {
    let Value::Object(fields) = value else {
        return Err(vec![FieldError {
            field: name.to_owned(),
            detail: format!("{thing} is a JSON object of its fields"),
        }]);
    };
    let mut reader = Reader::new(fields);
    let read = read(&mut reader);
    reader.refuse_unknown(thing, known);
    let errors = reader.into_errors();
    if errors.is_empty() {
        Ok(read)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
fn wrong<T>(read: Result<T, Vec<FieldError>>) -> Vec<String> {
    let errors = read.err().unwrap_or_default();
    errors.into_iter().map(|error| error.field).collect()
}
