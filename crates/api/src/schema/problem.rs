//! The problem document (RFC 9457) that every refusal is.

use schemars::JsonSchema;

use super::words;

/// Why a request is refused (RFC 9457).
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Problem {
    /// The address of the code's page.
    r#type: String,
    /// A few words, the same for every occurrence.
    title: String,
    /// The HTTP status.
    status: u16,
    /// Stable, and never renamed.
    #[schemars(schema_with = "words::code")]
    code: String,
    /// What is wrong, for people.
    detail: String,
    /// Names this request in answer and log.
    request_id: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Field>,
}

/// A field that is wrong.
#[derive(JsonSchema)]
#[schemars(rename = "FieldError")]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Field {
    /// The field, with its place in a list: `referrers[0]`.
    field: String,
    /// What is wrong with it, and what to write instead.
    detail: String,
}
