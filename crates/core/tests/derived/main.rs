//! Derived keys: they only narrow, and none that was forged is one.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../desk/mod.rs"]
mod desk;
mod lasting;
mod limits;
mod minting;
mod narrowing;
mod pages;
mod verifying;

use keyward_core::derived::{Terms, mint, seal};
use keyward_core::kind::Kind;
use keyward_core::record::Record;
use keyward_core::restrict::Restrictions;
use keyward_core::secret::{Digest, derivation_key};
use serde_json::Value;

use crate::desk::{Desk, NOW, keyring, record};

const ROUTES: &str =
    r#"{"route":[{"accepts":["public","private","derived"],"origin":"https://o.example"}]}"#;

/// What KV holds of a private key that derives.
fn parent(secret: &str) -> Record {
    let mut parent = record(Kind::Private, false);
    let digest = Digest::of(secret);
    let key = derivation_key(secret);
    let text = seal(keyring().current(), "acme", "key_1", &digest, &key);
    parent.derivation = Some(text);
    parent
}

fn rules(value: Value) -> Restrictions {
    serde_json::from_value(value).unwrap()
}

fn terms(value: Value) -> Terms {
    Terms {
        restrictions: rules(value),
        ..Terms::until(NOW.plus(60_000))
    }
}

fn minted(secret: &str, terms: &Terms) -> String {
    mint(secret, None, terms, None, NOW).unwrap().to_string()
}

/// One call with a derived key; `held` is what KV holds for its parent's secret.
fn call(desk: &mut Desk, key: &str, secret: &str, held: Option<&Record>) -> desk::Answer {
    let head = format!("GET\nhttps://gate.example/x\nx-api-key\n{key}\n");
    desk.ask(&head, secret, held)
}
