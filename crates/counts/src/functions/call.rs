//! `Gateway::handle`: the whole of a call, but for what the entry does.

use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;
use keyward_core::record::Record;
use keyward_core::records::{Loaded, Stored};
use serde_json::{Value, json};

use crate::scene::{NOW, PAGE, Scene, head, misspelt, record, sealed, secret};
use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("call: private key", || {
        allowed(Kind::Private, "", &json!({}))
    }),
    ("call: public key, website", || {
        allowed(Kind::Public, PAGE, &public());
    }),
    ("call: restricted private key", || {
        allowed(Kind::Private, "", &restricted());
    }),
    ("call: limited key", || {
        allowed(Kind::Private, "", &limited())
    }),
    ("call: limited by address", || {
        allowed(Kind::Private, "", &limited_by_address());
    }),
    ("call: cold key", cold),
    ("call: forged key, checksum", || {
        refused(&misspelt(&secret(Kind::Private)), None, "key_invalid");
    }),
    ("call: forged key, unknown", || {
        refused(&secret(Kind::Private), None, "key_invalid");
    }),
    ("call: expired key", || {
        let expired = record(Kind::Private, &json!({"expires_at": 1}));
        refused(&secret(Kind::Private), Some(&expired), "key_expired");
    }),
    ("call: preflight", preflight),
    ("call: no route", || {
        let secret = secret(Kind::Private);
        answered(&head("GET", "/nowhere", Some(&secret), ""), 404);
    }),
];

pub(super) fn public() -> Value {
    json!({"restrictions": {"referrers": ["shop.example.org", "https://*.example.com"]}})
}

fn restricted() -> Value {
    json!({"restrictions": {
        "ips": ["2001:db8::/32", "192.0.2.0/24"],
        "paths": ["POST /v1/**", "GET /v1/*/models"],
        "scopes": ["files:read", "chat:*"],
    }})
}

pub(super) fn limited() -> Value {
    json!({
        "revocation": "strict",
        "limits": {
            "rate": [{"name": "r", "limit": 1_000_000, "window_s": 60}],
            "credits": {"balance": 1_000_000},
        },
    })
}

fn limited_by_address() -> Value {
    json!({"limits": {"rate": [{"name": "a", "limit": 1_000_000, "window_s": 60, "per": "ip"}]}})
}

/// A call of a key that memory knows.
fn allowed(kind: Kind, more: &str, fields: &Value) {
    let (secret, record) = (secret(kind), record(kind, fields));
    let mut scene = Scene::new(Some((&secret, &record)));
    let head = head("GET", "/v1/gpt/models?a=1", Some(&secret), more);
    for _ in 0..30 {
        let outcome = scene.call(&head);
        assert!(matches!(outcome, Outcome::Forward { .. }), "{outcome:?}");
    }
    let outcome = measure(|| scene.gateway.handle(&head, NOW, None));
    assert!(matches!(outcome, Outcome::Forward { .. }), "{outcome:?}");
}

/// The second half of the first call of a key: KV has answered.
fn cold() {
    let (secret, record) = (secret(Kind::Public), record(Kind::Public, &public()));
    let (head, value) = (
        head("GET", "/v1/x", Some(&secret), PAGE),
        sealed(&record, &secret),
    );
    let mut scene = Scene::new(None);
    let loaded = Some(Loaded {
        attempt: 0,
        stored: Stored::Found(&value),
    });
    let outcome = measure(|| scene.gateway.handle(&head, NOW, loaded));
    assert!(matches!(outcome, Outcome::Forward { .. }), "{outcome:?}");
}

fn refused(secret: &str, held: Option<&Record>, code: &str) {
    let held = held.map(|record| (secret, record));
    let mut scene = Scene::new(held);
    let head = head("GET", "/v1/x", Some(secret), "");
    scene.call(&head);
    let outcome = measure(|| scene.gateway.handle(&head, NOW, None));
    let Outcome::Respond(response) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(response.body.contains(code), "{}", response.body);
}

fn preflight() {
    let asks = format!(
        "{PAGE}access-control-request-method\nGET\naccess-control-request-headers\nauthorization\n"
    );
    let head = head("OPTIONS", "/v1/x", None, &asks);
    answered(&head, 204);
}

fn answered(head: &str, status: u16) {
    let mut scene = Scene::new(None);
    scene.call(head);
    let outcome = measure(|| scene.gateway.handle(head, NOW, None));
    let Outcome::Respond(response) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(response.status, status);
}
