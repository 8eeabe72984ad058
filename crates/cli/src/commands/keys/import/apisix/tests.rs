use super::*;

type Keys = Vec<(u64, Result<Value, String>)>;

fn keys(text: &str) -> (Keys, String) {
    let reading = read(text, false).unwrap();
    let keys = reading.records.iter().map(|record| {
        let key = record.key.clone().map(Value::Object);
        (record.line, key.map_err(|errors| errors[0].detail.clone()))
    });
    let remarks: Vec<_> = reading.remarks().collect();
    (keys.collect(), remarks.join("\n"))
}

#[test]
fn the_file_of_the_standalone_mode_is_read() {
    let (keys, remarks) = keys(include_str!("../../../../../tests/import/apisix.yaml"));
    assert_eq!(
        keys[0],
        (
            8,
            Ok(json!({
                "owner": "jack", "metadata": {"team": "web", "desc": "The web team"},
                "secret": "auth-one-0123456789-abcd",
            }))
        )
    );
    assert_eq!(
        keys[1],
        (
            19,
            Ok(json!({
                "name": "john-a", "owner": "john_1", "status": "disabled", "secret": "00012345678901234567",
            }))
        )
    );
    assert_eq!(
        keys[2],
        (
            27,
            Ok(json!({
                "name": "key-auth-two", "owner": "jill", "secret": "auth-two-0123456789-abcd",
            }))
        )
    );
    let reasons: Vec<_> = keys[3..]
        .iter()
        .map(|(line, key)| (*line, key.clone().unwrap_err()))
        .collect();
    for ((line, reason), (expected, part)) in reasons.iter().zip([
        (31, "secret manager"),
        (35, "variable"),
        (39, "encrypted"),
        (43, "no key"),
    ]) {
        assert_eq!(*line, expected);
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(reasons.len(), 4);
    assert!(
        remarks.contains("line 8: the plugin `limit-count`"),
        "{remarks}"
    );
}

#[test]
fn answers_of_the_admin_api_are_read() {
    let (keys, _) = keys(include_str!("../../../../../tests/import/apisix.json"));
    assert_eq!(
        keys,
        [
            (
                6,
                Ok(
                    json!({"owner": "jack", "secrets": [{"secret": "auth-one-0123456789-abcd", "created_at": "2024-12-16T06:07:25Z"}]})
                )
            ),
            (
                11,
                Ok(
                    json!({"name": "key-two", "owner": "jack", "secret": "auth-two-0123456789-abcd"})
                )
            ),
        ]
    );
    let one = r#"{"key":"/apisix/consumers/jack","value":{"username":"jack","plugins":{"key-auth":{"key":"auth-one-0123456789-abcd"}}}}"#;
    assert_eq!(self::keys(one).0.len(), 1);
    assert!(read("routes: []\n", false).is_err());
}

#[test]
fn what_looks_encrypted_is_taken_only_as_told() {
    let text =
        "consumers:\n- username: a\n  plugins: {key-auth: {key: 'JLuXQf4Z5gQ0Ec8YdIHQpg=='}}\n";
    assert!(read(text, false).unwrap().records[0].key.is_err());
    assert!(read(text, true).unwrap().records[0].key.is_ok());
}
