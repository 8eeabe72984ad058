//! An owner as a line of an export: what its keys share, which no key's line has.
//!
//! `{"type": "owner", "owner": …}` tells it from a key's line, which has no `type`: a key's line that
//! lost its secret is never taken for one.

use keyward_api::view::Owner;
use keyward_core::limits::Limits;
use keyward_core::revocation::LONGEST_NOTE;
use keyward_core::spec::limits::{self, Whose};
use keyward_core::spec::reader::Reader;
use keyward_core::spec::{FieldError, LONGEST_OWNER};
use serde::Serialize;
use serde_json::{Map, Value};

/// The word for `type`.
const OWNER: &str = "owner";
const KNOWN: [&str; 5] = ["type", "owner", "limits", "suspended", "note"];

/// What is carried of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct OwnerLine {
    r#type: &'static str,
    /// Whoever keys were given to.
    pub(super) owner: String,
    /// What its keys share.
    #[serde(skip_serializing_if = "Limits::is_empty")]
    pub(super) limits: Limits,
    /// Whether its keys are refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) suspended: bool,
    /// What was noted when it was suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

impl OwnerLine {
    /// Whether a line says that it is an owner's.
    pub(super) fn is_one(line: &Map<String, Value>) -> bool {
        line.get("type").is_some_and(|word| word == OWNER)
    }

    /// Whether a line that does not say so may have been meant to: it has a `type`, or says what
    /// keys share and has no secret, without which there is no key.
    pub(super) fn may_be_one(line: &Map<String, Value>) -> bool {
        let has = |field: &&str| line.contains_key(*field);
        line.contains_key("type")
            || (["limits", "suspended"].iter().any(has)
                && !["secret", "sha256", "secrets"].iter().any(has))
    }

    /// Reads a line that says so.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub(super) fn read(line: &Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let mut read = Reader::new(line);
        read.require("owner");
        let owner = read.text("owner", LONGEST_OWNER).unwrap_or_default();
        let limits = limits::read(&mut read, "limits", Whose::Owner);
        let suspended = read.flag("suspended");
        let note = read.text("note", LONGEST_NOTE);
        if !suspended && read.has("note") {
            read.refuse("note", "only an owner with `\"suspended\": true` has it");
        }
        if !suspended && !read.has("limits") {
            read.refuse(
                "limits",
                "write what its keys share, or `\"suspended\": true`",
            );
        }
        read.refuse_unknown("an owner's line", &KNOWN);
        let errors = read.into_errors();
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            r#type: OWNER,
            owner,
            limits,
            suspended,
            note,
        })
    }

    /// Whether counts belong to it, which no line carries.
    pub(super) fn has_counts(&self) -> bool {
        !self.limits.quota.is_empty() || self.limits.credits.is_some()
    }
}

/// As the management API lists it.
impl From<Owner> for OwnerLine {
    fn from(owner: Owner) -> Self {
        Self {
            r#type: OWNER,
            owner: owner.owner,
            limits: owner.limits,
            suspended: owner.suspended_at.is_some(),
            note: owner.note,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: Value) -> Result<OwnerLine, Vec<String>> {
        let line = line.as_object().cloned().unwrap_or_default();
        assert!(OwnerLine::is_one(&line));
        OwnerLine::read(&line).map_err(|errors| errors.into_iter().map(|one| one.field).collect())
    }

    #[test]
    fn what_is_listed_is_read_again_as_it_was() {
        let listed = json!({
            "owner": "Ünal & Co", "keys": 3, "suspended_at": "2026-11-21T12:00:00Z", "note": "unpaid",
            "limits": {
                "rate": [{"name": "burst", "limit": 10, "window_s": 1}],
                "quota": [{"name": "month", "limit": 9, "period": "month", "reset_day": 15}],
                "credits": {"balance": 5, "refill": {"amount": 5, "period": "day"}},
                "on_meter_error": "allow",
            },
        });
        let owner: Owner = serde_json::from_value(listed.clone()).unwrap();
        let line = OwnerLine::from(owner);
        let written = serde_json::to_value(&line).unwrap();
        assert_eq!(written["limits"], listed["limits"]);
        assert_eq!(
            (&written["suspended"], &written["note"]),
            (&json!(true), &json!("unpaid"))
        );
        assert_eq!(read(written), Ok(line));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let limits = json!({"credits": 1});
        for (line, fields) in [
            (json!({"type": "owner"}), vec!["owner", "limits"]),
            (json!({"type": "owner", "owner": "a"}), vec!["limits"]),
            (
                json!({"type": "owner", "owner": "a", "limits": {}}),
                vec!["limits"],
            ),
            (
                json!({"type": "owner", "owner": 1, "limits": limits}),
                vec!["owner"],
            ),
            (
                json!({"type": "owner", "owner": "a", "limits": {"rate": [{"limit": 1, "window_s": 1, "per": "ip"}]}}),
                vec!["limits.rate[0].per"],
            ),
            (
                json!({"type": "owner", "owner": "a", "limits": limits, "note": "x"}),
                vec!["note"],
            ),
            (
                json!({"type": "owner", "owner": "a", "suspended": "yes", "limits": limits}),
                vec!["suspended"],
            ),
            (
                json!({"type": "owner", "owner": "a", "limits": limits, "secret": "x"}),
                vec!["secret"],
            ),
        ] {
            assert_eq!(read(line.clone()).unwrap_err(), fields, "{line}");
        }
    }
}
