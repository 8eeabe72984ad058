//! Schemas of answers, from the types that are shown.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::examples;
use crate::operation::{Answer, Operation};
use crate::view;

/// The response of a success.
pub(super) fn success(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let answer = operation.answer;
    let (media, mut content) = if answer.is_lines() {
        let line = match answer {
            Answer::AuditLines => schema::<view::AuditEntry>(generator),
            _ => json!({"$ref": "#/components/schemas/ImportLine"}),
        };
        let lines = json!({"type": "string", "description": "One JSON object on each line.", "x-line-schema": line});
        ("application/x-ndjson", json!({"schema": lines}))
    } else {
        (
            "application/json",
            json!({"schema": document(answer, generator)}),
        )
    };
    if let Some(example) = examples::answer(answer) {
        content["example"] = example;
    }
    let mut response = json!({"description": operation.summary, "content": {media: content}});
    let headers = headers(operation);
    if headers
        .as_object()
        .is_some_and(|headers| !headers.is_empty())
    {
        response["headers"] = headers;
    }
    response
}

fn headers(operation: &Operation) -> Value {
    let text = |required: bool, description: &str| json!({"required": required, "description": description, "schema": {"type": "string"}});
    let mut headers = json!({});
    if operation.answer.has_version() {
        headers["ETag"] = json!({
            "required": true, "description": "The version, for `If-Match`.",
            "schema": {"type": "string", "pattern": "^\"[0-9]+\"$"},
        });
    }
    if operation.has_location() {
        headers["Location"] = text(true, "The path of what was created.");
    }
    if operation.answer.is_lines() {
        headers["Keyward-Next-Cursor"] =
            text(false, "The `cursor` to go on with, when there is more.");
    }
    if operation.method == crate::operation::Method::Post {
        headers["Idempotency-Replayed"] = json!({
            "required": false, "description": "This is the answer that the same request was given before.",
            "schema": {"type": "string", "enum": ["true"]},
        });
    }
    headers
}

fn document(answer: Answer, generator: &mut SchemaGenerator) -> Value {
    match answer {
        Answer::Whoami => schema::<view::Caller>(generator),
        Answer::Project => schema::<view::Project>(generator),
        Answer::Projects => schema::<view::Page<view::ProjectSummary>>(generator),
        Answer::ProjectChanged => schema::<view::ProjectChanged>(generator),
        Answer::PublicationStatus => schema::<view::PublicationStatus>(generator),
        Answer::Environment => schema::<view::Environment>(generator),
        Answer::Environments => schema::<view::Page<view::Environment>>(generator),
        Answer::EnvironmentChanged => schema::<view::EnvironmentChanged>(generator),
        Answer::Owners => schema::<view::Page<view::Owner>>(generator),
        Answer::OwnerChanged => schema::<view::OwnerChanged>(generator),
        Answer::Key => schema::<view::Key>(generator),
        Answer::Keys => schema::<view::Page<view::Key>>(generator),
        Answer::KeyChanged => schema::<view::KeyChanged>(generator),
        Answer::KeyCreated => schema::<view::KeyCreated>(generator),
        Answer::Where => schema::<view::Where>(generator),
        Answer::KeyLimits => schema::<view::KeyLimits>(generator),
        Answer::Usage => schema::<view::Usage>(generator),
        Answer::ImportReport => schema::<view::ImportReport>(generator),
        Answer::SelfRevoked => schema::<view::SelfRevoked>(generator),
        Answer::Audit => schema::<view::Page<view::AuditEntry>>(generator),
        Answer::Webhook => schema::<view::Webhook>(generator),
        Answer::Webhooks => schema::<view::Page<view::Webhook>>(generator),
        Answer::WebhookCreated => schema::<view::WebhookCreated>(generator),
        Answer::WebhookTested => schema::<view::WebhookTested>(generator),
        Answer::Credentials => schema::<view::Page<view::Credential>>(generator),
        Answer::CredentialChanged => schema::<view::CredentialChanged>(generator),
        Answer::LeakedSecrets => schema::<view::LeakedSecrets>(generator),
        Answer::GithubLabels => schema::<Vec<view::GithubLabel>>(generator),
        Answer::ManagementKey => schema::<view::ManagementKey>(generator),
        Answer::ManagementKeys => schema::<view::Page<view::ManagementKey>>(generator),
        Answer::ManagementKeyChanged => schema::<view::ManagementKeyChanged>(generator),
        Answer::ManagementKeyCreated => schema::<view::ManagementKeyCreated>(generator),
        Answer::KeyLines | Answer::AuditLines => json!({"type": "string"}),
    }
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}
