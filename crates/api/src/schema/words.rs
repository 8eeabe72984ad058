//! Schemas of the core's enumerations, from the lists that read them.

use keyward_core::management::Scope;
use keyward_core::refusal::Refusal;
use keyward_core::revocation::Reason;
use keyward_core::webhook::Event;
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::view::{ACTIONS, Time};

fn one_of(words: &[&str]) -> Schema {
    json_schema!({"type": "string", "enum": words})
}

/// The kinds of keys that are created.
pub fn kind(_: &mut SchemaGenerator) -> Schema {
    one_of(&["public", "private"])
}

/// The statuses of a key.
pub fn status(_: &mut SchemaGenerator) -> Schema {
    one_of(&["active", "disabled", "revoked", "suspended", "deleted"])
}

/// The statuses of a management key.
pub fn management_status(_: &mut SchemaGenerator) -> Schema {
    one_of(&["active", "disabled", "revoked"])
}

/// The one status of what was revoked.
pub fn revoked(_: &mut SchemaGenerator) -> Schema {
    one_of(&["revoked"])
}

/// Reasons for a revocation.
pub fn reason(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<_> = Reason::ALL.iter().map(|(word, _)| *word).collect();
    one_of(&words)
}

/// How soon changes of keys hold.
pub fn revocation_mode(_: &mut SchemaGenerator) -> Schema {
    one_of(&["strict", "eventual"])
}

/// What becomes of a secret that has leaked.
pub fn on_leak(_: &mut SchemaGenerator) -> Schema {
    one_of(&["revoke", "flag"])
}

/// The kinds of keys, management keys among them.
pub fn any_kind(_: &mut SchemaGenerator) -> Schema {
    one_of(&["public", "private", "management"])
}

/// What GitHub is told of a match.
pub fn label(_: &mut SchemaGenerator) -> Schema {
    one_of(&["true_positive", "false_positive"])
}

/// How long a span of counts is.
pub fn span(_: &mut SchemaGenerator) -> Schema {
    one_of(&["minute", "hour", "day"])
}

/// A list of scopes of a management key.
pub fn management_scopes(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<_> = Scope::ALL.iter().map(|(word, _)| *word).collect();
    json_schema!({"type": "array", "items": {"type": "string", "enum": words}})
}

/// Events that endpoints are told of.
pub fn events(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<_> = Event::ALL.iter().map(|(word, _)| *word).collect();
    json_schema!({"type": "array", "items": {"type": "string", "enum": words}})
}

/// What an audit log notes.
pub fn action(_: &mut SchemaGenerator) -> Schema {
    one_of(ACTIONS)
}

/// Who acts.
pub fn actor(_: &mut SchemaGenerator) -> Schema {
    one_of(&["management_key", "bootstrap", "holder", "github", "keyward"])
}

/// Every code of a problem document.
pub fn code(_: &mut SchemaGenerator) -> Schema {
    let codes: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    one_of(&codes)
}

impl schemars::JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}
