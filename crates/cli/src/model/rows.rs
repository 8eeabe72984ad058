//! A key or a project as rows of field and text.

use serde_json::{Map, Value};

use crate::commands::limits;

/// The order in which the fields of a key or a project are shown; what a later gateway adds
/// follows them.
const ORDER: [&str; 39] = [
    "type",
    "id",
    "project",
    "name",
    "kind",
    "environment",
    "owner",
    "status",
    "suspended_by",
    "suspended_at",
    "archived_at",
    "revoked",
    "deleted_at",
    "purge_at",
    "note",
    "version",
    "scopes",
    "referrers",
    "any_referrer",
    "ips",
    "apps",
    "paths",
    "not_before",
    "expires_at",
    "expires_soon",
    "pages",
    "limits",
    "attention",
    "delete_protection",
    "metadata",
    "environments",
    "secrets",
    "max_age_s",
    "warn_s",
    "revocation",
    "on_leak",
    "browser_end_s",
    "created_at",
    "updated_at",
];

/// The fields of a key or a project as rows of name and text. Each secret has a row.
pub(crate) fn rows(object: &Map<String, Value>) -> Vec<Vec<String>> {
    let known = ORDER.iter().filter_map(|name| object.get_key_value(*name));
    let new = object
        .iter()
        .filter(|(name, _)| !ORDER.contains(&name.as_str()));
    known
        .chain(new)
        .flat_map(|(name, value)| match value {
            Value::Array(items) if name == "secrets" => items
                .iter()
                .map(|item| vec![name.clone(), text(item)])
                .collect(),
            _ if name == "limits" => vec![vec![name.clone(), limits::brief(Some(value))]],
            _ => vec![vec![name.clone(), text(value)]],
        })
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(object) => {
            let word = |field: &str| object.get(field).and_then(Value::as_str);
            let revoked = object.get("revoked").map(text);
            match (word("redacted"), word("id"), word("at")) {
                // A secret: what it looks like says more than how it is stored.
                (Some(redacted), Some(id), _) => {
                    let state = [word("status"), revoked.as_deref()];
                    let times = [("from", word("not_before")), ("until", word("not_after"))];
                    let mut words = vec![id.to_owned()];
                    if let Some(leaked) = object.get("leaked").and_then(Value::as_object) {
                        let part = |field: &str| leaked.get(field).and_then(Value::as_str);
                        let (at, source) = (part("at"), part("source"));
                        words.extend(
                            at.zip(source)
                                .map(|(at, source)| format!("leaked {at} ({source})")),
                        );
                    }
                    words.extend(state.into_iter().flatten().map(str::to_owned));
                    words.extend(
                        times
                            .into_iter()
                            .filter_map(|(name, time)| Some(format!("{name} {}", time?))),
                    );
                    format!("{redacted} ({})", words.join(", "))
                }
                // A page that has sent a private key.
                (None, None, None) if word("origin").is_some() => {
                    let [origin, first, last] = ["origin", "first_at", "last_at"]
                        .map(|name| word(name).unwrap_or_default());
                    format!("{origin} (first {first}, last {last})")
                }
                // An environment.
                (None, Some(id), _) => match word("status") {
                    None | Some("active") => id.to_owned(),
                    Some(status) => format!("{id} ({status})"),
                },
                // What happened or will happen, and why.
                (None, None, Some(at)) => {
                    let why = [word("reason"), word("cause"), word("note")];
                    let why: Vec<_> = why.into_iter().flatten().collect();
                    format!("{at} ({})", why.join(": "))
                }
                _ => value.to_string(),
            }
        }
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

    #[test]
    fn what_has_parts_is_shown_as_a_sentence_would_name_it() {
        for (value, expected) in [
            (
                serde_json::json!({"id": "sec_1", "redacted": "kw_sk_live_…", "status": "revoked", "revoked": {"at": "t", "reason": "superseded"}}),
                "kw_sk_live_… (sec_1, revoked, t (superseded))",
            ),
            (
                serde_json::json!({"id": "sec_2", "redacted": "kw_sk_live_…", "status": "live", "not_after": "t"}),
                "kw_sk_live_… (sec_2, live, until t)",
            ),
            (
                serde_json::json!([{"id": "live", "status": "active"}, {"id": "test", "status": "archived"}]),
                "live, test (archived)",
            ),
            (
                serde_json::json!({"at": "t", "cause": "max_age"}),
                "t (max_age)",
            ),
            (
                serde_json::json!({"at": "t", "reason": "superseded", "note": "n"}),
                "t (superseded: n)",
            ),
            (serde_json::json!({"team": "a"}), r#"{"team":"a"}"#),
        ] {
            assert_eq!(text(&value), expected);
        }
    }
}
