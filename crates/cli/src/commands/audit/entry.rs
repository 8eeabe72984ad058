//! An entry of the audit log, as a row.

use serde::Deserialize;
use serde_json::Value;

/// An entry, as far as it is shown.
#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    at: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    actor: Actor,
    project: Option<String>,
    key: Option<String>,
    target: Option<String>,
    #[serde(default)]
    ip: String,
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Default, Deserialize)]
struct Actor {
    #[serde(default, rename = "type")]
    kind: String,
    id: Option<String>,
}

#[derive(Deserialize)]
struct Change {
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Entry {
    /// Under AT, ACTION, TARGET, BY, FROM and CHANGES.
    pub(super) fn cells(self) -> Vec<String> {
        let mut targets: Vec<_> = [self.key, self.target].into_iter().flatten().collect();
        targets.dedup();
        if targets.is_empty() {
            targets.extend(self.project);
        }
        let changes: Vec<_> = self.changes.iter().map(Change::sentence).collect();
        vec![
            self.at,
            self.action,
            targets.join(" "),
            self.actor.id.unwrap_or(self.actor.kind),
            self.ip,
            changes.join("; "),
        ]
    }
}

impl Change {
    fn sentence(&self) -> String {
        let Self { field, .. } = self;
        match (given(self.before.as_ref()), given(self.after.as_ref())) {
            (None, Some(after)) => format!("{field}: {after}"),
            (Some(before), None) => format!("{field}: {before} → none"),
            (Some(before), Some(after)) => format!("{field}: {before} → {after}"),
            (None, None) => field.clone(),
        }
    }
}

fn given(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| given(Some(item)).unwrap_or_default())
                .collect();
            Some(items.join(", "))
        }
        // A secret: what it looks like and how it stands say more than how it is stored.
        Value::Object(fields) if fields.contains_key("redacted") => {
            let said = ["redacted", "status"].map(|name| given(fields.get(name)));
            Some(said.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn an_entry_is_a_row() {
        let entry = json!({
            "id": "aud_7", "at": "t", "actor": {"type": "management_key", "id": "key_m"},
            "action": "key.update", "project": "acme", "key": "key_1", "target": "key_1",
            "changes": [
                {"field": "name", "before": "Old", "after": "New"},
                {"field": "ips", "after": ["a", "b"]},
                {"field": "owner", "before": "o"},
                {"field": "secrets.sec_1", "after": {"id": "sec_1", "redacted": "kw_sk_live_…wxyz", "status": "live"}},
            ],
            "ip": "203.0.113.7", "request_id": "r",
        });
        assert_eq!(
            from_value::<Entry>(entry).unwrap().cells(),
            [
                "t",
                "key.update",
                "key_1",
                "key_m",
                "203.0.113.7",
                "name: Old → New; ips: a, b; owner: o → none; secrets.sec_1: kw_sk_live_…wxyz, live"
            ]
        );
    }

    #[test]
    fn what_an_entry_lacks_is_empty() {
        let entry =
            json!({"action": "project.suspend", "project": "acme", "actor": {"type": "keyward"}});
        assert_eq!(
            from_value::<Entry>(entry).unwrap().cells(),
            ["", "project.suspend", "acme", "keyward", "", ""]
        );
        assert!(from_value::<Entry>(json!({})).is_ok());
    }
}
