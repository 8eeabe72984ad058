//! Responses of refusals: one for each status, with the codes that it may carry.

use std::collections::BTreeMap;

use keyward_core::refusal::Refusal;
use serde_json::{Map, Value, json};

use crate::operation::Operation;

/// The refusals of all operations, each set of codes described once.
#[derive(Default)]
pub(super) struct Responses {
    described: BTreeMap<String, Value>,
}

impl Responses {
    /// References to the responses of an operation's refusals, by status.
    pub(super) fn of(&mut self, operation: &Operation) -> Map<String, Value> {
        self.of_refusals(operation.refusals())
    }

    /// References to the responses of these refusals, by status.
    pub(super) fn of_refusals(
        &mut self,
        refusals: impl IntoIterator<Item = Refusal>,
    ) -> Map<String, Value> {
        let mut by_status: BTreeMap<u16, Vec<Refusal>> = BTreeMap::new();
        for refusal in refusals {
            by_status.entry(refusal.status()).or_default().push(refusal);
        }
        by_status
            .into_iter()
            .map(|(status, refusals)| {
                let name = self.name(status, &refusals);
                let reference = json!({"$ref": format!("#/components/responses/{name}")});
                (status.to_string(), reference)
            })
            .collect()
    }

    /// All of them, for the components.
    pub(super) fn into_components(self) -> Map<String, Value> {
        self.described.into_iter().collect()
    }

    fn name(&mut self, status: u16, refusals: &[Refusal]) -> String {
        let codes: Vec<_> = refusals.iter().map(|refusal| refusal.code()).collect();
        let name = format!("{status}-{}", codes.join("-"));
        self.described
            .entry(name.clone())
            .or_insert_with(|| response(status, refusals, &codes));
        name
    }
}

fn response(status: u16, refusals: &[Refusal], codes: &[&str]) -> Value {
    let titles: Vec<_> = refusals.iter().map(|refusal| refusal.title()).collect();
    let schema = json!({
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"status": {"const": status}, "code": {"enum": codes}}},
        ],
    });
    let mut response = json!({
        "description": titles.join(" · "),
        "content": {"application/problem+json": {"schema": schema}},
    });
    let header = |description: &str, required: bool| json!({"required": required, "description": description, "schema": {"type": "string"}});
    let mut headers = Map::new();
    match status {
        401 => headers.insert(
            "WWW-Authenticate".to_owned(),
            header("RFC 6750, section 3.", true),
        ),
        405 => headers.insert(
            "Allow".to_owned(),
            header("The methods that there are.", true),
        ),
        503 => headers.insert("Retry-After".to_owned(), header("Seconds.", true)),
        _ => None,
    };
    if !headers.is_empty() {
        response["headers"] = Value::Object(headers);
    }
    response
}
