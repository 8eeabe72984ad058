//! The decision, row by row.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod restrictions;
mod rows;
mod widening;

use keyward_core::decide::{Access, decide};
use keyward_core::record::Record;
use keyward_core::refusal::Refusal;
use keyward_core::request::Facts;
use keyward_core::restrict::path::CheckedPath;
use keyward_core::restrict::scope::Scope;
use keyward_core::spec::validate;
use keyward_core::time::Millis;
use serde_json::{Value, json};

const NOW: Millis = Millis(1_795_262_400_000);
const PAGE: &str = "https://app.example.com";

fn record(fields: &Value) -> Record {
    validate(fields)
        .unwrap()
        .record("acme", "key_a", "sec_a", 1)
}

fn private() -> Record {
    record(&json!({"kind": "private"}))
}

fn public() -> Record {
    record(&json!({"kind": "public", "referrers": ["app.example.com"]}))
}

fn restrict(record: &mut Record, field: &str, value: Value) {
    let mut restrictions = serde_json::to_value(&record.restrictions).unwrap();
    restrictions[field] = value;
    record.restrictions = serde_json::from_value(restrictions).unwrap();
}

fn facts<'a>(path: &'a CheckedPath<'a>) -> Facts<'a> {
    Facts {
        method: "GET",
        path,
        is_exchange: false,
        origin: None,
        referer: None,
        sec_fetch_site: None,
        websocket: false,
        ip: None,
        android_package: None,
        android_cert: None,
        ios_bundle: None,
    }
}

/// The decision about a GET of `/v1/models`, with the facts that `change` sets.
fn decided(
    record: &Record,
    access: &Access,
    change: impl FnOnce(&mut Facts<'_>),
) -> Result<(), Refusal> {
    let path = CheckedPath::parse("/v1/models").unwrap();
    let mut facts = facts(&path);
    change(&mut facts);
    decide(record, access, &facts, NOW)
}

fn alone(record: &Record) -> Result<(), Refusal> {
    decided(record, &Access::everything(), |_| {})
}

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}
