//! Operations as OpenAPI describes them.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::responses::Responses;
use super::{answers, asking, bodies, parameters};
use crate::operation::{Operation, Who};
use crate::table;

/// The paths with their operations.
pub(super) fn paths(generator: &mut SchemaGenerator, responses: &mut Responses) -> Value {
    let mut paths = Map::new();
    for operation in table::all() {
        let path = paths
            .entry(format!("/{}", operation.path))
            .or_insert_with(|| json!({}));
        let method = operation.method.as_str().to_ascii_lowercase();
        path[method] = described(operation, generator, responses);
    }
    paths.extend(asking::paths(responses));
    Value::Object(paths)
}

fn described(
    operation: &Operation,
    generator: &mut SchemaGenerator,
    responses: &mut Responses,
) -> Value {
    let mut all = responses.of(operation);
    let success = answers::success(operation, generator);
    all.insert(operation.status.to_string(), success);
    let mut described = json!({
        "operationId": operation.op.id(),
        "summary": operation.summary,
        "description": who(operation),
        "tags": [tag(operation)],
        "responses": all,
    });
    if operation.who == Who::GitHub {
        described["security"] = json!([]);
    }
    let parameters = parameters::of(operation);
    if !parameters.is_empty() {
        described["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = bodies::described(operation.body) {
        described["requestBody"] = body;
    }
    described
}

fn who(operation: &Operation) -> String {
    let holder = match operation.who {
        Who::Holder => return "The credential is the secret that is to be revoked.".to_owned(),
        Who::GitHub => {
            return "No key: GitHub signs the body as it is sent, by ECDSA over P-256 with SHA-256.".to_owned();
        }
        Who::Account => "A management key of the account",
        Who::Key => "A management key",
        Who::KeyOrBootstrap => "A management key, or the bootstrap secret while there is none",
    };
    match operation.scope {
        Some(scope) => format!("{holder}, with the scope `{}`.", scope.word()),
        None => format!("{holder}, with any scope."),
    }
}

fn tag(operation: &Operation) -> &'static str {
    let path = operation.path;
    if path.contains("audit") {
        "Audit log"
    } else if path.starts_with("leaks") {
        "Leaks"
    } else if path.contains("webhooks") {
        "Webhooks"
    } else if path.contains("credentials") {
        "Credentials"
    } else if path.starts_with("management-keys") || path == "whoami" {
        "Management keys"
    } else if path.contains("keys") {
        "Keys"
    } else {
        "Projects"
    }
}
