//! Why something is revoked.

use keyward_core::revocation::{LONGEST_NOTE, Reason};
use keyward_core::spec::FieldError;
use serde_json::Value;

use super::object;

/// Why something is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// `unspecified` unless one is given.
    pub reason: Reason,
    /// For people.
    pub note: Option<String>,
}

impl Revocation {
    /// Reads `reason` and `note`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        let known = ["reason", "note"];
        object(body, ("body", "a revocation"), &known, |read| Self {
            reason: read.choice("reason", Reason::ALL).unwrap_or_default(),
            note: read.text("note", LONGEST_NOTE),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::wrong;

    #[test]
    fn a_reason_is_a_word_of_the_list() {
        let read = |body| Revocation::read(&body).map(|read| read.reason);
        assert_eq!(read(json!({})), Ok(Reason::Unspecified));
        assert_eq!(
            read(json!({"reason": "keyCompromise", "note": "on GitHub"})),
            Ok(Reason::KeyCompromise)
        );
        for (body, fields) in [
            (json!([]), vec!["body"]),
            (json!({"reason": "KeyCompromise"}), vec!["reason"]),
            (json!({"reason": null, "note": ""}), vec!["reason", "note"]),
            (
                json!({"note": "x".repeat(201), "at": 1}),
                vec!["note", "at"],
            ),
        ] {
            assert_eq!(wrong(Revocation::read(&body)), fields, "{body}");
        }
    }
}
