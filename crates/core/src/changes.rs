//! What a change has changed, field by field, for the audit log.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One field before and after; absent where it was not, or is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's name.
    pub field: String,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The top-level fields that differ, in the order of their names. What is no object has no
/// fields, so that `null` on one side stands for something that was not there, or is gone.
#[must_use]
pub fn diff(before: &Value, after: &Value) -> Vec<FieldChange> {
    let none = Map::new();
    let before = before.as_object().unwrap_or(&none);
    let after = after.as_object().unwrap_or(&none);
    let gone = before.keys().filter(|field| !after.contains_key(*field));
    let mut fields: Vec<_> = gone.chain(after.keys()).collect();
    fields.sort_unstable();
    fields
        .into_iter()
        .filter(|field| before.get(*field) != after.get(*field))
        .map(|field| FieldChange {
            field: field.clone(),
            before: before.get(field).cloned(),
            after: after.get(field).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn change(field: &str, before: Option<Value>, after: Option<Value>) -> FieldChange {
        FieldChange {
            field: field.to_owned(),
            before,
            after,
        }
    }

    #[test]
    fn only_fields_that_differ_are_named_each_with_what_it_was_and_is() {
        let before = json!({ "a": 1, "b": [1], "c": "same" });
        let after = json!({ "b": [2], "c": "same", "d": null });
        let expected = [
            change("a", Some(json!(1)), None),
            change("b", Some(json!([1])), Some(json!([2]))),
            change("d", None, Some(json!(null))),
        ];
        assert_eq!(diff(&before, &after), expected);
    }

    #[test]
    fn what_was_not_there_before_is_all_new() {
        let after = json!({ "a": 1 });
        assert_eq!(
            diff(&Value::Null, &after),
            [change("a", None, Some(json!(1)))]
        );
        assert_eq!(
            diff(&after, &Value::Null),
            [change("a", Some(json!(1)), None)]
        );
    }

    proptest! {
        #[test]
        fn applying_the_changes_to_what_was_gives_what_is(
            before in prop::collection::btree_map("[a-d]", 0..3_u8, 0..4),
            after in prop::collection::btree_map("[a-d]", 0..3_u8, 0..4),
        ) {
            let changes = diff(&json!(before), &json!(after));
            let mut applied: Map<String, Value> = json!(before).as_object().unwrap().clone();
            for change in &changes {
                prop_assert_eq!(applied.get(&change.field), change.before.as_ref());
                match &change.after {
                    Some(value) => applied.insert(change.field.clone(), value.clone()),
                    None => applied.remove(&change.field),
                };
            }
            prop_assert_eq!(Value::Object(applied), json!(after));
            prop_assert_eq!(changes.is_empty(), before == after);
        }
    }
}
