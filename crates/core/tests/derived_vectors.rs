//! The vectors of derived keys, by which every client that mints is held to the same text: the file
//! `clients/vectors.json`, written from this crate.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::num::NonZeroU32;

use keyward_core::derived::{Limit, Terms, Token, mint};
use keyward_core::restrict::Restrictions;
use keyward_core::secret::derivation_key;
use keyward_core::time::Millis;
use serde_json::{Map, Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../clients/vectors.json");
const NOW: u64 = 1_795_262_400_000;
const NATIVE: &str = "kw_sk_live_1hZ3kQ9xYt7LmN2bVc5dRf8WgA1sD4eUi";

/// What is asked for, in the names of the clients; times in milliseconds.
fn wanted() -> Vec<(&'static str, Value)> {
    vec![
        ("nothing but its end", json!({ "secret": NATIVE })),
        (
            "everything",
            json!({
                "secret": NATIVE,
                "scopes": ["orders:read", "cart:*"],
                "paths": ["GET,POST /v1/orders/**", "DELETE /v1/cart/*"],
                "referrers": ["https://shop.example.com", "https://*.shop.example.com:8443/app/*"],
                "ips": ["203.0.113.7", "2001:db8::/32"],
                "user": "user-17",
                "limit": { "calls": 60, "window_s": 30 },
                "not_before": NOW + 1_000,
                "expires_in": 86_400_000,
            }),
        ),
        (
            "typical",
            json!({
                "secret": NATIVE,
                "scopes": ["orders:read", "cart:write"],
                "paths": ["GET /v1/orders/**"],
                "referrers": ["https://shop.example.com"],
                "user": "user_8f3a2b1c",
                "limit": { "calls": 60, "window_s": 60 },
            }),
        ),
        (
            "a user outside of ASCII",
            json!({ "secret": NATIVE, "user": "Zoë 7% \u{1F511}" }),
        ),
        (
            "any website",
            json!({ "secret": NATIVE, "any_referrer": true, "ips": ["203.0.113.7"] }),
        ),
        (
            "another vendor and environment",
            json!({
                "secret": "acme2_sk_staging_1hZ3kQ9xYt7LmN2bVc5dRf8WgA1sD4eUi",
                "expires_in": 1,
            }),
        ),
        (
            "a secret from elsewhere",
            json!({ "secret": "Legacy/key+of~28=characters!", "environment": "test" }),
        ),
        (
            "one that begins as keys of Keyward do",
            json!({ "secret": "kw_pk_test_1from-elsewhere" }),
        ),
    ]
}

fn terms(fields: &Value) -> Terms {
    let number = |name: &str| fields[name].as_u64();
    let rules: Map<String, Value> = ["scopes", "paths", "referrers", "any_referrer", "ips"]
        .into_iter()
        .filter(|name| !fields[name].is_null())
        .map(|name| (name.to_owned(), fields[name].clone()))
        .collect();
    let narrow = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    Terms {
        restrictions: serde_json::from_value::<Restrictions>(Value::Object(rules)).unwrap(),
        user: fields["user"].as_str().map(str::to_owned),
        limit: fields.get("limit").map(|limit| Limit {
            calls: NonZeroU32::new(narrow(&limit["calls"])).unwrap(),
            window_s: narrow(&limit["window_s"]),
        }),
        not_before: number("not_before").map(Millis),
        expires_at: Millis(NOW + number("expires_in").unwrap_or(900_000)),
    }
}

fn vectors() -> Value {
    let vectors = wanted().into_iter().map(|(name, fields)| {
        let secret = fields["secret"].as_str().unwrap();
        let terms = terms(&fields);
        let key = mint(
            secret,
            fields["environment"].as_str(),
            &terms,
            None,
            Millis(NOW),
        )
        .unwrap();
        // What is in the file verifies, and says what was asked for.
        let token = Token::parse(&key).unwrap();
        assert_eq!(token.verify(&derivation_key(secret)), Some(terms), "{name}");
        if name == "typical" {
            assert!(key.len() <= 400, "{}", key.len());
        }
        json!({ "name": name, "now": NOW, "fields": fields, "key": *key })
    });
    Value::Array(vectors.collect())
}

/// After a change that is meant, this writes the file and fails once.
#[test]
fn the_file_has_what_this_crate_mints() {
    let text = format!("{}\n", serde_json::to_string_pretty(&vectors()).unwrap());
    if fs::read_to_string(FILE).unwrap_or_default() != text {
        fs::write(FILE, text).unwrap();
        panic!("clients/vectors.json was another; it is written anew");
    }
}
