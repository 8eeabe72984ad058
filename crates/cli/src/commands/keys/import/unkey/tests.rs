use super::*;

type Keys = Vec<(u64, Result<Value, String>)>;

fn keys(text: &str) -> (Keys, Vec<String>) {
    let reading = read(text).unwrap();
    let keys = reading.records.iter().map(|record| {
        let key = record.key.clone().map(Value::Object);
        (record.line, key.map_err(|errors| errors[0].field.clone()))
    });
    (keys.collect(), reading.remarks().collect())
}

#[test]
fn a_migration_is_read_with_its_hashes() {
    let (keys, remarks) = keys(include_str!("../../../../../tests/import/unkey.json"));
    assert_eq!(
        keys[0],
        (
            3,
            Ok(json!({
                "name": "Production", "owner": "user_1234abcd", "environment": "live",
                "scopes": ["documents:read", "documents:*", "*:*"], "expires_at": "2027-01-01T00:00:00Z",
                "metadata": {"plan": "enterprise"},
                "limits": {"rate": [{"name": "requests", "limit": 100, "window_s": 60}]},
                "sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
            }))
        )
    );
    assert_eq!(
        keys[1],
        (
            19,
            Ok(json!({
                "owner": "team_7", "limits": {"credits": {"balance": 0}},
                "metadata": {"unkey_id": "key_2cGKbMxRyIzhCxo1Idjz8q"},
                "secrets": [{"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "redacted": "unkey_32kq\u{2026}", "created_at": "2023-12-01T10:10:00Z"}],
            }))
        )
    );
    let refused: Vec<_> = keys[2..]
        .iter()
        .map(|(line, key)| (*line, key.clone().unwrap_err()))
        .collect();
    let fields = |pairs: &[(u64, &str)]| {
        pairs
            .iter()
            .map(|(line, field)| (*line, (*field).to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        refused,
        fields(&[
            (31, "hash"),
            (32, "hash.variant"),
            (33, "permissions"),
            (34, "environment"),
            (35, "hash"),
            (36, "deletedAt"),
            (37, "key")
        ])
    );
    let all = remarks.join("\n");
    for part in ["line 3: `roles`", "line 3: `colour`"] {
        assert!(all.contains(part), "{part}: {all}");
    }
}

#[test]
fn lines_and_wrapped_lists_are_read_as_well() {
    let key = r#"{"plaintext":"unkey_0123456789abcdef","meta":"{\"a\":1}"}"#;
    let expected = Ok(json!({"metadata": {"a": 1}, "secret": "unkey_0123456789abcdef"}));
    for (text, line) in [
        (format!("{key}\n\n{key}\n"), 1),
        (format!("{{\"keys\":\n[{key}]}}"), 2),
        (format!("{{\"meta\":{{}},\"data\":[\n\n{key}]}}"), 3),
        (format!("{{\"data\":{{\"keys\":[{key}]}}}}"), 1),
    ] {
        assert_eq!(keys(&text).0[0], (line, expected.clone()), "{text}");
    }
    assert!(read("[1,").is_err());
}
