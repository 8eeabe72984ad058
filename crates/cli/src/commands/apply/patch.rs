//! What is different, by field, and the JSON merge patch (RFC 7396) that changes it.

use serde_json::{Map, Value};

/// A field that is to change.
#[derive(Debug, PartialEq, serde::Serialize)]
pub(super) struct Change {
    pub(super) field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Value>,
}

/// The fields that differ.
pub(super) fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Change> {
    let mut fields: Vec<_> = before.keys().chain(after.keys()).collect();
    fields.sort();
    fields.dedup();
    fields
        .into_iter()
        .filter(|field| before.get(*field) != after.get(*field))
        .map(|field| Change {
            field: field.clone(),
            before: before.get(field).cloned(),
            after: after.get(field).cloned(),
        })
        .collect()
}

/// The patch that makes the one into the other. Members of objects are patched one by one, as the
/// RFC has it: what is to go is null.
pub(super) fn merge(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (name, value) in after {
        match (before.get(name), value) {
            (Some(old), new) if old == new => {}
            (Some(Value::Object(old)), Value::Object(new)) => {
                patch.insert(name.clone(), Value::Object(merge(old, new)));
            }
            _ => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    patch
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            _ => panic!("an object"),
        }
    }

    /// RFC 7396, section 2.
    fn applied(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else {
            return patch.clone();
        };
        let mut target = match target {
            Value::Object(target) => target,
            _ => Map::new(),
        };
        for (name, value) in patch {
            match value {
                Value::Null => drop(target.remove(name)),
                _ => {
                    let old = target.remove(name).unwrap_or_default();
                    target.insert(name.clone(), applied(old, value));
                }
            }
        }
        Value::Object(target)
    }

    #[test]
    fn a_patch_makes_the_one_into_the_other() {
        for (before, after, expected) in [
            (json!({"a": 1}), json!({"a": 1}), json!({})),
            (
                json!({"a": 1, "b": 2}),
                json!({"b": 3, "c": [1]}),
                json!({"a": null, "b": 3, "c": [1]}),
            ),
            (
                json!({"metadata": {"x": 1, "y": {"z": 1, "w": 2}}}),
                json!({"metadata": {"y": {"z": 2}}}),
                json!({"metadata": {"x": null, "y": {"z": 2, "w": null}}}),
            ),
            (
                json!({"metadata": {"x": 1}}),
                json!({}),
                json!({"metadata": null}),
            ),
            (
                json!({"metadata": {"x": {"y": 1}}}),
                json!({"metadata": {"x": "text"}}),
                json!({"metadata": {"x": "text"}}),
            ),
        ] {
            let patch = Value::Object(merge(&object(before.clone()), &object(after.clone())));
            assert_eq!(patch, expected);
            assert_eq!(applied(before, &patch), after);
        }
    }

    #[test]
    fn changes_are_told_field_by_field() {
        let all = changes(
            &object(json!({"a": 1, "b": 2})),
            &object(json!({"b": 3, "c": 4})),
        );
        let change = |field: &str, before: Option<Value>, after: Option<Value>| Change {
            field: field.to_owned(),
            before,
            after,
        };
        assert_eq!(
            all,
            [
                change("a", Some(json!(1)), None),
                change("b", Some(json!(2)), Some(json!(3))),
                change("c", None, Some(json!(4))),
            ]
        );
    }
}
