use super::*;

type Keys = Vec<(u64, Result<Value, String>)>;

fn keys(text: &str) -> (Keys, String) {
    let reading = read(text).unwrap();
    let keys = reading.records.iter().map(|record| {
        let key = record.key.clone().map(Value::Object);
        (record.line, key.map_err(|errors| errors[0].field.clone()))
    });
    let remarks: Vec<_> = reading.remarks().collect();
    (keys.collect(), remarks.join("\n"))
}

#[test]
fn credentials_of_consumers_and_at_the_top_are_read() {
    let (keys, remarks) = keys(include_str!("../../../../../tests/import/kong.yaml"));
    assert_eq!(
        keys[0],
        (
            14,
            Ok(json!({
                "owner": "mobile-app", "secret": "mobile-api-key-0123456789",
                "metadata": {"kong_custom_id": "mobile-client-001", "tags": ["ios", "v2"]},
            }))
        )
    );
    assert_eq!(
        keys[1],
        (
            16,
            Ok(json!({
                "owner": "mobile-app", "expires_at": "2024-12-16T07:07:25Z",
                "metadata": {"kong_custom_id": "mobile-client-001"},
                "secrets": [{"secret": "00012345678901234567890123456789", "created_at": "2024-12-16T06:07:25Z"}],
            }))
        )
    );
    assert_eq!(
        keys[2..6]
            .iter()
            .map(|(line, key)| (*line, key.clone().unwrap_err()))
            .collect::<Vec<_>>(),
        [
            (19, "key".to_owned()),
            (20, "ttl".to_owned()),
            (22, "key".to_owned()),
            (23, "key".to_owned())
        ]
    );
    assert_eq!(
        keys[6],
        (
            34,
            Ok(json!({
                "owner": "web", "metadata": {"kong_id": "6b9443ae-73f0-4db6-af00-4f1e3a415dbb"}, "expires_at": "2027-01-01T00:00:00Z",
                "secrets": [{"secret": "4174348a-9222-4e81-b33e-5d72d2fd7f1e", "created_at": "2024-12-16T06:07:25Z"}],
            }))
        )
    );
    assert_eq!(
        keys[7].1,
        Ok(json!({"owner": "web", "secret": "by-name-of-the-consumer-1"}))
    );
    assert_eq!(
        keys[8].1,
        Ok(json!({"secret": "of-a-consumer-elsewhere-1"}))
    );
    assert_eq!(keys.len(), 9);
    for part in [
        "line 11: `acls`",
        "line 11: `plugins`",
        "no consumer for it",
    ] {
        assert!(remarks.contains(part), "{part}: {remarks}");
    }
}

#[test]
fn json_is_read_as_well() {
    let text = "{\"_format_version\": \"3.0\",\n\t\"consumers\": [{\"username\": \"\\ud83d\\ude00\",\n\t\"keyauth_credentials\": [\n\t{\"key\": \"0123456789-0123456789\"}]}]}";
    let expected = json!({"owner": "\u{1f600}", "secret": "0123456789-0123456789"});
    assert_eq!(keys(text).0, [(4, Ok(expected))]);
}

#[test]
fn what_is_no_configuration_is_refused_and_not_repeated() {
    for text in [
        "consumers: []\n",
        "_format_version: '3.0'\nconsumers: secret-0123456789\n",
        "_format_version: [\n",
        "",
    ] {
        let message = read(text).map(|_| ()).unwrap_err();
        assert!(!message.contains("secret-0123456789"), "{message}");
    }
}
