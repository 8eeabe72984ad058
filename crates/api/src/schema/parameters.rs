//! Schemas of parameters in paths, queries and headers.

use serde_json::{Value, json};

use super::fields;
use crate::condition::LONGEST_IDEMPOTENCY_KEY;
use crate::operation::{Method, Operation, Precondition, Who};
use crate::parameter::{Parameter, Values};

/// A position in a list, as it stands in a cursor.
const POSITION: &str = "p(0|[1-9][0-9]{0,14})";

/// Every parameter of an operation.
pub(super) fn of(operation: &Operation) -> Vec<Value> {
    let mut all: Vec<Value> = operation.path_parameters().map(in_path).collect();
    all.extend(operation.query.iter().map(in_query));
    if operation.who == Who::GitHub {
        for (name, description) in [
            (
                "Github-Public-Key-Identifier",
                "Which of its published keys GitHub has signed with.",
            ),
            (
                "Github-Public-Key-Signature",
                "The base64 of the signature in DER.",
            ),
        ] {
            all.push(json!({
                "name": name, "in": "header", "required": true, "description": description,
                "schema": {"type": "string"},
            }));
        }
    }
    if operation.precondition != Precondition::None {
        all.push(json!({
            "name": "If-Match", "in": "header",
            "required": operation.precondition == Precondition::Required,
            "description": "The `ETag` of the version that this change is meant for; `*` for any.",
            "schema": {"type": "string", "pattern": "^(\\*|\"(0|[1-9][0-9]{0,14})\")$"},
            "example": "\"3\"",
        }));
    }
    if operation.method == Method::Post {
        all.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    all
}

/// The parameters that operations share, by name.
pub(super) fn shared() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Repeating a request with the same key within ten minutes gives the same answer, and changes nothing again; a change of credits within 24 hours.",
            "schema": {"type": "string", "pattern": format!("^[!-~]{{1,{LONGEST_IDEMPOTENCY_KEY}}}$")},
        },
    })
}

fn in_path(name: &'static str) -> Value {
    let (pattern, example) = match name {
        "project" => (fields::PROJECT, "acme"),
        "environment" => (fields::ENVIRONMENT, "live"),
        "webhook" => (fields::WEBHOOK, "whk_aaaaaaaaaaaaaaaa"),
        "credential" => (fields::CREDENTIAL, "OPENAI"),
        "secret" => (fields::SECRET, "sec_aaaaaaaaaaaa"),
        _ => (fields::KEY, "key_aaaaaaaaaaaaaaaaaaaa"),
    };
    let mut schema = json!({"type": "string", "pattern": pattern});
    if name == "project" {
        schema["maxLength"] = json!(40);
    }
    json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example})
}

fn in_query(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name, "in": "query", "required": false,
        "description": parameter.summary, "schema": schema(parameter.values),
    })
}

fn schema(values: Values) -> Value {
    match values {
        Values::Limit { default, most } => {
            json!({"type": "integer", "minimum": 1, "maximum": most, "default": default})
        }
        Values::Cursor => json!({"type": "string", "pattern": format!("^{POSITION}$")}),
        Values::AccountCursor => {
            // `p` alone begins with the newest project.
            json!({"type": "string", "pattern": format!("^(p|{POSITION})(\\.[a-z0-9-]{{1,40}}\\.{POSITION})?$")})
        }
        Values::Word(words) => json!({"type": "string", "enum": words}),
        Values::Flag => json!({"type": "boolean"}),
        Values::Duration => json!({"type": "string", "pattern": "^[1-9][0-9]{0,4}[smhd]$"}),
        Values::Time => fields::time(),
        Values::Text(longest) => {
            json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$"})
        }
    }
}
