//! Records in KV: what is sealed opens, and nothing else does.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod minting;

use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::names::record_name;
use keyward_core::record::{Record, RecordError, SCHEMA, Status};
use keyward_core::secret::{Digest, Shape};
use keyward_core::time::Millis;
use minting::{FIRST, SECOND, hmac, keyring};
use proptest::prelude::*;
use serde_json::{Value, json};

fn record() -> Record {
    Record {
        schema: SCHEMA,
        project: "acme".to_owned(),
        environment: "live".to_owned(),
        key_id: "key_aaaaaaaaaaaaaaaaaaaa".to_owned(),
        secret_id: "sec_aaaaaaaaaaaa".to_owned(),
        kind: Kind::Private,
        version: 7,
        status: Status::Active,
        owner: Some("ada@example.com".to_owned()),
        not_before: None,
        expires_at: Some(Millis(1_795_262_400_000)),
        not_after: None,
        imported: false,
        restrictions: serde_json::from_value(json!({
            "ips": ["192.0.2.7"],
            "paths": ["GET,POST /v1/**"],
            "scopes": ["chat:write"],
        }))
        .unwrap(),
        limits: keyward_core::limits::Limits::default(),
        owner_limits: None,
        revocation: None,
        derivation: None,
    }
}

fn name(keyring: &Keyring) -> String {
    record_name(keyring.current(), &Digest::of("a secret"))
}

/// What somebody who holds the first entry can write: any text under any schema.
fn sealed_by_hand(schema: u32, name: &str, json: &str) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    let ikm: Vec<u8> = (0..32).collect();
    let key = hmac(&hmac(b"keyward/1", &ikm), b"keyward/record/1\x01");
    let length = u64::try_from(name.len()).unwrap().to_be_bytes();
    let mac = hmac(
        &key,
        &[
            &schema.to_be_bytes()[..],
            &length,
            name.as_bytes(),
            json.as_bytes(),
        ]
        .concat(),
    );
    format!(
        "{schema}.k1.{}\n{json}",
        Base64UrlUnpadded::encode_string(&mac)
    )
}

#[test]
fn the_sealed_form_is_the_documented_one() {
    let keyring = keyring(FIRST);
    let (record, name) = (record(), name(&keyring));
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(
        record.seal(keyring.current(), &name),
        sealed_by_hand(1, &name, &json)
    );
}

#[test]
fn every_change_of_a_byte_is_refused() {
    let both = keyring(&format!("{FIRST},{SECOND}"));
    let name = name(&both);
    let value = record().seal(both.current(), &name);
    assert_eq!(Record::open(&value, &name, &both), Ok(record()));

    let mut tried = 0;
    for (is_name, text) in [(true, &name), (false, &value)] {
        for place in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                let opened = if is_name {
                    Record::open(&value, &changed, &both)
                } else {
                    Record::open(&changed, &name, &both)
                };
                assert!(opened.is_err(), "{changed}");
                tried += 1;
            }
            let (before, after) = text.split_at(place);
            for changed in [
                before,
                after.get(1..).unwrap(),
                &format!("{before}0{after}"),
            ] {
                let opened = Record::open(
                    if is_name { &value } else { changed },
                    if is_name { changed } else { &name },
                    &both,
                );
                assert!(opened.is_err() || changed == text, "{changed}");
            }
        }
    }
    assert!(tried > 2000);
}

#[test]
fn a_record_cannot_be_moved_to_another_name_or_entry() {
    let both = keyring(&format!("{FIRST},{SECOND}"));
    let name = name(&both);
    let value = record().seal(both.current(), &name);

    let other = record_name(both.current(), &Digest::of("another secret"));
    assert_eq!(
        Record::open(&value, &other, &both),
        Err(RecordError::Forged)
    );
    let renamed = value.replacen("k1", "k2", 1);
    assert_eq!(
        Record::open(&renamed, &name, &both),
        Err(RecordError::Forged)
    );
    let unknown = value.replacen("k1", "k3", 1);
    assert_eq!(
        Record::open(&unknown, &name, &both),
        Err(RecordError::Forged)
    );
}

#[test]
fn a_retired_entry_opens_no_record() {
    let old = keyring(FIRST);
    let name = name(&old);
    let value = record().seal(old.current(), &name);
    let rotating = keyring(&format!("{SECOND},{FIRST}"));
    assert!(Record::open(&value, &name, &rotating).is_ok());
    let retired = keyring(&format!("{SECOND},-{FIRST}"));
    assert_eq!(
        Record::open(&value, &name, &retired),
        Err(RecordError::Forged)
    );
}

#[test]
fn what_this_version_does_not_know_is_never_ignored() {
    let keyring = keyring(FIRST);
    let name = name(&keyring);
    let open = |value: &str| Record::open(value, &name, &keyring);

    let good = serde_json::to_value(record()).unwrap();
    assert!(open(&sealed_by_hand(1, &name, &good.to_string())).is_ok());

    let changed = |pointer: &str, field: &str, value: Value| {
        let mut json = good.clone();
        json.pointer_mut(pointer).unwrap()[field] = value;
        open(&sealed_by_hand(1, &name, &json.to_string()))
    };
    for (pointer, field, value) in [
        ("", "schema", json!(2)),
        ("", "schema", json!(0)),
        ("", "limits", json!({"quota": 5})),
        ("", "status", json!("paused")),
        ("", "kind", json!("session")),
        ("", "expires_at", json!("2026-11-21T12:00:00Z")),
        ("", "version", json!(-1)),
        ("/restrictions", "countries", json!(["DE"])),
        ("/restrictions", "paths", json!(["GET /**/secret"])),
        ("/restrictions", "paths", json!(["GET /a", 7])),
        ("/restrictions", "ips", json!(["010.0.0.1"])),
        ("/restrictions", "scopes", json!(["chat"])),
        ("/restrictions", "apps", json!({"windows": ["app"]})),
        ("/restrictions", "any_referrer", json!("yes")),
    ] {
        let opened = changed(pointer, field, value.clone());
        assert_eq!(opened, Err(RecordError::Unknown), "{field}: {value}");
    }
    for json in ["", "{}", "[]", "null", "{", &format!("{good} ,")] {
        let value = sealed_by_hand(1, &name, json);
        assert_eq!(open(&value), Err(RecordError::Unknown), "{json}");
    }
}

#[test]
fn a_later_schema_is_unknown_whatever_its_mac() {
    let keyring = keyring(FIRST);
    let name = name(&keyring);
    let later = Record {
        schema: 2,
        ..record()
    }
    .seal(keyring.current(), &name);
    assert!(later.starts_with("2.k1."));
    for value in [later.as_str(), "2.\n", "17.something else\n{}"] {
        assert_eq!(
            Record::open(value, &name, &keyring),
            Err(RecordError::Unknown),
            "{value}"
        );
    }
    for value in [
        "",
        "1",
        "1\n",
        "1.k1\n{}",
        "1.k1.\n{}",
        "+1.k1.\n{}",
        "01.k1.\n{}",
        "0.k1.\n{}",
        "-1.k1.\n",
        "x.k1.\n",
        "99999999999.k1.\n",
    ] {
        assert_eq!(
            Record::open(value, &name, &keyring),
            Err(RecordError::Forged),
            "{value}"
        );
    }
}

#[test]
fn the_prefix_of_a_secret_must_agree_with_its_record() {
    let agrees = |secret: &str| record().agrees_with(&Shape::parse(secret).unwrap());
    assert!(agrees("kw_sk_live_1abcdefghijklmnopqrstuvwx01234567"));
    assert!(!agrees("kw_pk_live_1abcdefghijklmnopqrstuvwx01234567"));
    assert!(!agrees("kw_sk_test_1abcdefghijklmnopqrstuvwx01234567"));
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        owner in proptest::option::of(".*"),
        project in ".*",
        version: u64,
        expires_at in proptest::option::of(any::<u64>()),
        not_after in proptest::option::of(any::<u64>()),
        name in ".*",
        status in prop_oneof![Just(Status::Active), Just(Status::Disabled), Just(Status::Revoked), Just(Status::Suspended)],
    ) {
        let record = Record {
            owner,
            project,
            version,
            status,
            expires_at: expires_at.map(Millis),
            not_after: not_after.map(Millis),
            ..record()
        };
        let keyring = keyring(FIRST);
        let value = record.seal(keyring.current(), &name);
        prop_assert_eq!(Record::open(&value, &name, &keyring), Ok(record));
    }

    #[test]
    fn opening_never_panics(value in "(1\\.k1\\.)?[ -~\né]*", name in ".*") {
        prop_assert!(Record::open(&value, &name, &keyring(FIRST)).is_err());
    }
}
