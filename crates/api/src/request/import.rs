//! A line of an import: a key's fields with secrets that were made elsewhere.

mod secret;

use keyward_core::names;
use keyward_core::record::Status;
use keyward_core::revocation::{LONGEST_NOTE, Reason};
use keyward_core::spec::reader::Reader;
use keyward_core::spec::{self, FieldError, ValidKey};
use keyward_core::time::Millis;
use serde_json::{Map, Value};

pub use self::secret::{
    ImportSecret, LONGEST_REDACTED, LONGEST_SECRET, Origin, SHORTEST_SECRET, redacted,
};
use super::Revocation;

/// The largest import, in bytes.
pub const LARGEST_IMPORT: usize = 1024 * 1024;
/// The most lines of an import.
pub const MOST_LINES: usize = 1000;
/// The longest line, in bytes: more than the largest key needs.
pub const LONGEST_LINE: usize = 64 * 1024;
/// The fields of a line that are not fields of a key.
const OWN: &[&str] = &[
    "id",
    "secret",
    "sha256",
    "secrets",
    "created_at",
    "revoked",
    "suspended_by",
];
/// What may have suspended an exported key where it comes from. Here it says nothing: such a key
/// is exported as disabled.
const SUSPENDED_BY: &[(&str, ())] = &[("project", ()), ("environment", ()), ("owner", ())];

/// A line whose fields are valid by themselves.
#[derive(Debug)]
pub struct ImportLine {
    /// The id that the key is to keep.
    pub id: Option<String>,
    /// The key's fields, as they were given.
    pub fields: Value,
    /// What they say.
    pub key: ValidKey,
    /// When the key was made.
    pub created_at: Option<Millis>,
    /// Why it was revoked.
    pub revocation: Option<Revocation>,
    /// When it was.
    pub revoked_at: Option<Millis>,
    /// One or two.
    pub secrets: Vec<ImportSecret>,
}

impl ImportLine {
    /// Reads a line. `to_ascii` converts the hosts among the key's fields.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(line: Value, to_ascii: impl FnOnce(&mut Value)) -> Result<Self, Vec<FieldError>> {
        let Value::Object(mut fields) = line else {
            return Err(vec![FieldError {
                field: "line".to_owned(),
                detail: "a line is a JSON object of a key's fields".to_owned(),
            }]);
        };
        let own: Map<String, Value> = OWN
            .iter()
            .filter_map(|field| fields.remove_entry(*field))
            .collect();
        let mut fields = Value::Object(fields);
        to_ascii(&mut fields);
        let validated = spec::validate(&fields);
        let mut read = Reader::new(&own);
        let id = id(&mut read);
        let created_at = read.time("created_at");
        let status = validated.as_ref().map_or(Status::Active, |key| key.status);
        if status == Status::Suspended {
            read.refuse("status", "write `active`, `disabled` or `revoked`");
        }
        read.choice("suspended_by", SUSPENDED_BY);
        let (revoked, wrong_revocation) = revoked(&own, status);
        let (revocation, revoked_at) = revoked.unzip();
        let (secrets, wrong_secrets) = secret::list(&mut read, &own);
        let mut errors = validated.as_ref().err().cloned().unwrap_or_default();
        errors.extend(read.into_errors());
        errors.extend(wrong_revocation);
        errors.extend(wrong_secrets);
        match validated {
            Ok(key) if errors.is_empty() => Ok(Self {
                id,
                fields,
                key,
                created_at,
                revocation,
                revoked_at: revoked_at.flatten(),
                secrets,
            }),
            _ => Err(errors),
        }
    }
}

fn id(read: &mut Reader<'_>) -> Option<String> {
    let id = read.word("id")?;
    if !names::is_key_id(id) {
        read.refuse(
            "id",
            "write `key_` and 20 letters and digits, or leave it out",
        );
    }
    Some(id.to_owned())
}

/// Why a key was revoked, and when.
type Revoked = (Revocation, Option<Millis>);

/// `{"at", "reason", "note"}` of a revoked key.
fn revoked(own: &Map<String, Value>, status: Status) -> (Option<Revoked>, Vec<FieldError>) {
    let wrong = |detail: &str| {
        let field = "revoked".to_owned();
        let detail = detail.to_owned();
        (None, vec![FieldError { field, detail }])
    };
    let revoked = match own.get("revoked") {
        None if status == Status::Revoked => {
            let revocation = Revocation {
                reason: Reason::default(),
                note: None,
            };
            (revocation, None)
        }
        None => return (None, Vec::new()),
        Some(_) if status != Status::Revoked => {
            return wrong("only a key with `\"status\": \"revoked\"` has it");
        }
        Some(Value::Object(given)) => {
            let mut read = Reader::new(given);
            let at = read.time("at");
            let revocation = Revocation {
                reason: read.choice("reason", Reason::ALL).unwrap_or_default(),
                note: read.text("note", LONGEST_NOTE),
            };
            read.refuse_unknown("a revocation", &["at", "reason", "note"]);
            let errors = within("revoked", read.into_errors());
            if !errors.is_empty() {
                return (None, errors);
            }
            (revocation, at)
        }
        Some(_) => return wrong("must be an object"),
    };
    (Some(revoked), Vec::new())
}

fn within(place: &str, errors: Vec<FieldError>) -> Vec<FieldError> {
    let inside = |error: FieldError| FieldError {
        field: format!("{place}.{}", error.field),
        ..error
    };
    errors.into_iter().map(inside).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: Value) -> Result<ImportLine, Vec<FieldError>> {
        ImportLine::read(line, |_| {})
    }

    #[test]
    fn what_is_wrong_in_a_line_is_named() {
        let good = "x".repeat(20);
        for (line, fields) in [
            (json!([]), vec!["line"]),
            (json!({}), vec!["secret"]),
            (
                json!({"secret": good, "sha256": "ab".repeat(32)}),
                vec!["secret"],
            ),
            (json!({"secret": "x".repeat(19)}), vec!["secret"]),
            (json!({"secret": "x y".repeat(19)}), vec!["secret"]),
            (json!({"sha256": "ab"}), vec!["sha256"]),
            (json!({"secrets": []}), vec!["secrets"]),
            (json!({"secrets": [1]}), vec!["secrets[0]"]),
            (
                json!({"secrets": [{"secret": good}, {"secret": good}]}),
                vec!["secrets"],
            ),
            (
                json!({"secrets": [{"secret": good, "redacted": good}]}),
                vec!["secrets[0].redacted"],
            ),
            (
                json!({"secrets": [{"secret": good, "note": "x"}]}),
                vec!["secrets[0].note"],
            ),
            (
                json!({"secret": good, "id": "key_1", "created_at": 1}),
                vec!["id", "created_at"],
            ),
            (
                json!({"secret": good, "status": "suspended"}),
                vec!["status"],
            ),
            (json!({"secret": good, "revoked": {}}), vec!["revoked"]),
            (
                json!({"secret": good, "suspended_by": 1}),
                vec!["suspended_by"],
            ),
            (
                json!({"secret": good, "status": "revoked", "revoked": {"reason": "x"}}),
                vec!["revoked.reason"],
            ),
            (
                json!({"secret": good, "kind": "public", "x": 1}),
                vec!["referrers", "x"],
            ),
        ] {
            let named: Vec<_> = read(line.clone())
                .unwrap_err()
                .into_iter()
                .map(|error| error.field)
                .collect();
            assert_eq!(named, fields, "{line}");
        }
    }

    #[test]
    fn what_is_exported_can_be_imported() {
        let line = read(json!({
            "id": "key_aaaaaaaaaaaaaaaaaaaa", "name": "n", "kind": "private", "environment": "live",
            "status": "revoked", "created_at": "2026-01-01T00:00:00Z",
            "revoked": {"at": "2026-02-01T00:00:00Z", "reason": "superseded"},
            "secrets": [{"sha256": "00".repeat(32), "redacted": "kw_sk_live_…abcd", "created_at": "2026-01-01T00:00:00Z"}],
        }))
        .unwrap();
        assert_eq!(line.id.as_deref(), Some("key_aaaaaaaaaaaaaaaaaaaa"));
        assert_eq!(line.revocation.unwrap().reason, Reason::Superseded);
        assert_eq!(line.revoked_at.unwrap().to_string(), "2026-02-01T00:00:00Z");
    }

    #[test]
    fn what_suspended_a_key_elsewhere_does_not_suspend_it_here() {
        let line = json!({
            "secret": "x".repeat(20), "status": "disabled", "suspended_by": "owner",
        });
        let line = read(line).unwrap();
        assert_eq!(line.key.status, Status::Disabled);
        assert!(line.fields.get("suspended_by").is_none());
    }
}
