//! The document as a whole.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::responses::Responses;
use super::{bodies, operations, parameters};

/// The OpenAPI 3.1 document of the management API, in this version of it.
#[must_use]
pub fn document(version: &str) -> Value {
    let mut generator = generator();
    let mut responses = Responses::default();
    generator.subschema_for::<Problem>();
    let paths = operations::paths(&mut generator, &mut responses);
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    for (name, schema) in bodies::schemas() {
        schemas.insert(name.to_owned(), schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyward management API",
            "version": version,
            "summary": "Projects, API keys and management keys of a Keyward gateway.",
            "description": "Changes are durable when they are answered. `publication` says whether the edge has them already: `published`, or `pending`, and then the registry goes on until it has.\n\nEvery refusal is a problem document (RFC 9457) with a stable `code`. What a caller may not see is answered as what does not exist.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/_keyward/v1"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": "Projects"}, {"name": "Keys"}, {"name": "Management keys"}, {"name": "Webhooks"}, {"name": "Credentials"}, {"name": "Leaks"}, {"name": "Audit log"}, {"name": "Asking"},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "A management key, `kw_mk_live_1…`.",
                },
                "verifyKey": {
                    "type": "apiKey", "in": "header", "name": "Keyward-Verify-Key",
                    "description": "A key of the Worker secret `KEYWARD_VERIFY_KEY`.",
                },
            },
            "parameters": parameters::shared(),
            "responses": responses.into_components(),
            "schemas": schemas,
        },
    })
}

/// Schemas of what is written, with names where OpenAPI looks for them.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Every `$ref` below a value.
    fn references<'a>(value: &'a Value, found: &mut HashSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        let document = document("1.0.0");
        let mut found = HashSet::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        for kind in ["schemas", "responses", "parameters"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let own = format!("#/components/{kind}/{name}");
                assert!(found.contains(own.as_str()), "{own} is not used");
            }
        }
    }

    #[test]
    fn every_operation_is_described() {
        let document = document("1.0.0");
        let described: usize = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|path| path.as_object().unwrap().len())
            .sum();
        let of_table = crate::operation::Op::ALL.len();
        assert_eq!(described, of_table + super::super::asking::OPERATIONS);
    }
}
