//! What the management API answers, as far as it is shown.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A page of a list.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// A project.
#[derive(Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) created_at: String,
}

/// A key in a list.
#[derive(Deserialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) environment: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) created_at: String,
}

/// The answer to a new key. The only one that holds a secret.
#[derive(Deserialize)]
pub(crate) struct Created {
    pub(crate) key: Map<String, Value>,
    pub(crate) secret: String,
    #[serde(default)]
    pub(crate) publication: String,
}

/// The answer to a changed key.
#[derive(Deserialize)]
pub(crate) struct Changed {
    pub(crate) key: Map<String, Value>,
    #[serde(default)]
    pub(crate) publication: String,
}

/// The fields in which a key is shown; what a later gateway adds follows them.
const ORDER: [&str; 20] = [
    "id",
    "project",
    "name",
    "kind",
    "environment",
    "owner",
    "status",
    "version",
    "scopes",
    "referrers",
    "any_referrer",
    "ips",
    "apps",
    "paths",
    "not_before",
    "expires_at",
    "metadata",
    "secrets",
    "created_at",
    "updated_at",
];

/// A key's fields as rows of name and text.
pub(crate) fn rows(key: &Map<String, Value>) -> Vec<Vec<String>> {
    let known = ORDER.iter().filter_map(|name| key.get_key_value(*name));
    let new = key
        .iter()
        .filter(|(name, _)| !ORDER.contains(&name.as_str()));
    known
        .chain(new)
        .map(|(name, value)| vec![name.clone(), text(value)])
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        // A secret of a key: what it looks like says more than how it is stored.
        Value::Object(object) => match (object.get("redacted"), object.get("id")) {
            (Some(Value::String(redacted)), Some(Value::String(id))) => {
                format!("{redacted} ({id})")
            }
            _ => value.to_string(),
        },
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_in_one_order_and_nothing_of_it_is_left_out() {
        let key = serde_json::json!({"a_new_field": 1, "referrers": ["a.example", "b.example"], "id": "key_1",
            "secrets": [{"id": "sec_1", "redacted": "kw_pk_live_…wxyz"}]});
        let Value::Object(key) = key else {
            panic!("an object")
        };
        let lines: Vec<_> = rows(&key).iter().map(|row| row.join("=")).collect();
        assert_eq!(
            lines,
            [
                "id=key_1",
                "referrers=a.example, b.example",
                "secrets=kw_pk_live_…wxyz (sec_1)",
                "a_new_field=1"
            ]
        );
    }
}
