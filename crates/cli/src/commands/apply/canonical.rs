//! A key's fields as the management API shows them, however they were written.

use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::spec::{self, FieldError, ValidKey};
use serde_json::{Map, Value, json};

use crate::punycode;

/// A key in the one form in which two can be compared.
#[derive(Clone, Debug)]
pub(super) struct Canonical {
    pub(super) name: String,
    pub(super) environment: String,
    pub(super) kind: Kind,
    /// What can be changed; what is absent is left out, lists are sorted.
    pub(super) fields: Map<String, Value>,
}

impl Canonical {
    /// Of fields as somebody wrote them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn of(mut fields: Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        if let Some(Value::Array(rules)) = fields.get_mut("referrers") {
            for rule in rules {
                if let Value::String(text) = rule {
                    *text = punycode::rule(text).into_owned();
                }
            }
        }
        spec::validate(&Value::Object(fields)).map(Self::from)
    }

    /// Of a key as the management API shows it.
    ///
    /// # Errors
    /// When it has something that this version of the command does not know.
    pub(super) fn of_view(view: &Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let known = view
            .iter()
            // The status is compared apart: a file may leave it alone.
            .filter(|(name, _)| *name != "status" && spec::FIELDS.contains(&name.as_str()));
        Self::of(
            known
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    /// The body that creates it.
    pub(super) fn to_new(&self, status: Option<Status>) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("name".to_owned(), json!(self.name));
        fields.insert("environment".to_owned(), json!(self.environment));
        fields.insert("kind".to_owned(), json!(self.kind));
        if status == Some(Status::Disabled) {
            fields.insert("status".to_owned(), json!(Status::Disabled));
        }
        Value::Object(fields)
    }
}

impl From<ValidKey> for Canonical {
    fn from(key: ValidKey) -> Self {
        let mut fields = match serde_json::to_value(&key.restrictions) {
            Ok(Value::Object(restrictions)) => restrictions,
            _ => Map::new(),
        };
        for list in fields.values_mut() {
            sort(list);
        }
        let mut add = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        if !key.limits.is_empty()
            && let Ok(mut limits) = serde_json::to_value(&key.limits)
        {
            sort(&mut limits);
            add("limits", Some(limits));
        }
        add("owner", key.owner.map(Value::String));
        add(
            "not_before",
            key.not_before.map(|time| json!(time.to_string())),
        );
        add(
            "expires_at",
            key.expires_at.map(|time| json!(time.to_string())),
        );
        add(
            "metadata",
            (!key.metadata.is_empty()).then_some(Value::Object(key.metadata)),
        );
        add(
            "delete_protection",
            key.delete_protection.then_some(Value::Bool(true)),
        );
        Self {
            name: key.name,
            environment: key.environment,
            kind: key.kind,
            fields,
        }
    }
}

/// Restrictions are alternatives, and limits have names: their order says nothing, nor does the
/// repetition of a restriction.
fn sort(value: &mut Value) {
    match value {
        Value::Array(entries) => {
            entries.sort_by_cached_key(Value::to_string);
            entries.dedup();
        }
        Value::Object(lists) => lists.values_mut().for_each(sort),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_written_differently_is_the_same() {
        let written = json!({
            "name": "Shop", "referrers": ["https://B\u{fc}cher.example/", "*.Example.com", "*.example.com"],
            "ips": ["2001:DB8:0::/32", "10.0.0.0/8", "192.0.2.1/32"], "scopes": ["b:read", "a:read"],
            "expires_at": "2027-01-01T01:00:00+01:00", "metadata": {"b": 1, "a": 2}, "owner": null,
        });
        let shown = json!({
            "id": "key_0123456789ABCDEFGHIJ", "kind": "public", "status": "active", "version": 3,
            "name": "Shop", "environment": "live", "referrers": ["*.example.com", "https://xn--bcher-kva.example/"],
            "ips": ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"], "scopes": ["a:read", "b:read"],
            "expires_at": "2027-01-01T00:00:00Z", "metadata": {"a": 2, "b": 1}, "secrets": [],
        });
        let (Value::Object(written), Value::Object(shown)) = (written, shown) else {
            panic!("objects")
        };
        let (written, shown) = (
            Canonical::of(written).unwrap(),
            Canonical::of_view(&shown).unwrap(),
        );
        assert_eq!(written.fields, shown.fields);
        assert_eq!((written.kind, &*written.environment), (shown.kind, "live"));
        // What it creates is the same again.
        let Value::Object(new) = written.to_new(None) else {
            panic!("an object")
        };
        assert_eq!(Canonical::of(new).unwrap().fields, written.fields);
    }

    #[test]
    fn limits_are_the_same_whether_what_follows_by_itself_is_written_or_not() {
        let limits = |limits: Value| {
            let Value::Object(key) = json!({ "name": "Job", "limits": limits }) else {
                panic!("an object")
            };
            (
                Canonical::of(key.clone()).unwrap(),
                Canonical::of_view(&key).unwrap(),
            )
        };
        let (written, _) = limits(json!({
            "rate": [{"limit": 100, "window_s": 60}, {"limit": 5, "window_s": 1, "per": "ip"}],
            "quota": {"limit": 9, "period": "month", "reset_day": 15}, "credits": 500, "on_meter_error": "deny",
        }));
        let (_, shown) = limits(json!({
            "rate": [{"name": "ip-1s", "limit": 5, "window_s": 1, "per": "ip"}, {"name": "60s", "limit": 100, "window_s": 60}],
            "quota": [{"name": "month", "limit": 9, "period": "month", "reset_day": 15}], "credits": {"balance": 500},
        }));
        assert_eq!(written.fields, shown.fields);
        let Value::Object(new) = written.to_new(None) else {
            panic!("an object")
        };
        assert_eq!(Canonical::of(new).unwrap().fields, shown.fields);
        let (other, _) = limits(json!({"quota": {"limit": 9, "period": "month"}}));
        assert_ne!(other.fields, shown.fields);
    }
}
