//! A merge patch of a key's fields: merged with what they are, then valid as a whole, or refused.

use serde_json::{Map, Value};

use crate::merge_patch;
use crate::spec::reader::{Reader, shortened};
use crate::spec::{self, FieldError, ValidKey};

/// The fields that a patch may change.
pub const MUTABLE: &[&str] = &[
    "name",
    "owner",
    "scopes",
    "referrers",
    "any_referrer",
    "ips",
    "apps",
    "paths",
    "not_before",
    "expires_at",
    "limits",
    "metadata",
    "delete_protection",
];
/// Those that a key keeps, because its secrets say the same: a patch may only repeat them.
const FIXED: &[&str] = &["kind", "environment"];

/// Applies a patch to the fields of a key.
///
/// # Errors
/// Every field that cannot be changed, or is wrong in what comes out, once each.
pub fn apply(fields: Map<String, Value>, patch: &Value) -> Result<ValidKey, Vec<FieldError>> {
    let Value::Object(changes) = patch else {
        let detail = "a patch is a JSON object of the fields to change";
        return Err(vec![error("key", detail)]);
    };
    let mut read = Reader::new(changes);
    let mut known = Map::new();
    for (field, value) in changes {
        let repeats = || Some(value).filter(|value| !value.is_null()) == fields.get(field);
        if MUTABLE.contains(&field.as_str()) {
            known.insert(field.clone(), value.clone());
        } else if !FIXED.contains(&field.as_str()) || !repeats() {
            read.refuse(shortened(field), refusal(field));
        }
    }
    // What cannot be changed is left as it is: what would be wrong if it were changed is of no
    // interest.
    let mut merged = Value::Object(fields);
    merge_patch::apply(&mut merged, &Value::Object(known));
    let errors = read.into_errors();
    match spec::validate(&merged) {
        Ok(valid) if errors.is_empty() => Ok(valid),
        Ok(_) => Err(errors),
        // The two say nothing about the same field.
        Err(more) => Err(errors.into_iter().chain(more).collect()),
    }
}

/// Why a field cannot be changed.
fn refusal(field: &str) -> &'static str {
    match field {
        "kind" | "environment" => {
            "cannot be changed, because the key's secrets name it; create another key"
        }
        "status" => "is not changed by a patch; disable, enable or revoke the key",
        _ => "unknown field, or one that a patch cannot change",
    }
}

fn error(field: &str, detail: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields() -> Map<String, Value> {
        let fields = json!({
            "name": "web", "kind": "public", "environment": "live", "owner": "acme",
            "referrers": ["https://a.example"], "metadata": { "team": "x", "tier": 1 },
            "expires_at": "2027-01-01T00:00:00Z",
        });
        fields.as_object().unwrap().clone()
    }

    fn refused(patch: &Value) -> Vec<String> {
        let errors = apply(fields(), patch).unwrap_err();
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_takes_away() {
        let patch = json!({ "name": null, "owner": "b", "expires_at": null,
            "metadata": { "team": null, "more": true } });
        let key = apply(fields(), &patch).unwrap();
        assert_eq!((key.name.as_str(), key.owner.as_deref()), ("", Some("b")));
        assert_eq!(key.expires_at, None);
        assert_eq!(
            Value::from(key.metadata),
            json!({ "tier": 1, "more": true })
        );
        assert_eq!(key.restrictions.referrers.len(), 1);
    }

    #[test]
    fn an_empty_patch_changes_nothing() {
        let before = spec::validate(&fields().into()).unwrap();
        assert_eq!(apply(fields(), &json!({})).unwrap(), before);
    }

    #[test]
    fn kind_and_environment_can_only_be_repeated() {
        assert!(
            apply(
                fields(),
                &json!({ "kind": "public", "environment": "live" })
            )
            .is_ok()
        );
        assert_eq!(refused(&json!({ "environment": "test" })), ["environment"]);
        assert_eq!(refused(&json!({ "environment": null })), ["environment"]);
        assert_eq!(refused(&json!({ "kind": null })), ["kind"]);
        // Not that a private key has no referrers.
        assert_eq!(refused(&json!({ "kind": "private" })), ["kind"]);
    }

    #[test]
    fn what_is_no_field_that_can_be_patched_is_refused_even_as_null() {
        for field in ["status", "id", "version", "secrets", "nonsense"] {
            assert_eq!(refused(&json!({ field: null })), [field]);
        }
        assert_eq!(refused(&json!([])), ["key"]);
    }

    #[test]
    fn what_comes_out_has_to_be_a_valid_key() {
        assert_eq!(refused(&json!({ "referrers": null })), ["referrers"]);
        assert_eq!(refused(&json!({ "referrers": [] })), ["referrers"]);
        assert_eq!(
            refused(&json!({ "not_before": "2027-01-01T00:00:00Z" })),
            ["expires_at"]
        );
        let other = json!({ "referrers": null, "any_referrer": true });
        assert!(apply(fields(), &other).unwrap().restrictions.any_referrer);
    }
}
