//! Calls that are proven to the origin: by an assertion, or by a signature of each request.

use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;
use serde_json::{Value, json};

use crate::scene::{NOW, Scene, head, record, secret};
use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("call: asserted key", || {
        call(&json!({"assertion": true}), false);
    }),
    ("call: signed for the origin, HMAC", || {
        let signature = json!({"algorithm": "hmac-sha256", "secret": "SIGNING_SECRET"});
        call(&json!({ "signature": signature }), true);
    }),
    ("assertion: to be signed", assertion),
];

/// A gateway whose route wants that, and what is sent to it.
fn prepared(wanted: &Value) -> (Scene, String) {
    let mut route = json!({"path": "/v1/**", "origin": "https://origin.example"});
    for (name, value) in wanted.as_object().expect("an object") {
        route[name] = value.clone();
    }
    let secret = secret(Kind::Private);
    let fields = json!({"owner": "ann", "restrictions": {"scopes": ["files:*"]}});
    let record = record(Kind::Private, &fields);
    let mut scene = Scene::with(route, (&secret, &record));
    let head = head("GET", "/v1/gpt/models?a=1", Some(&secret), "");
    for _ in 0..30 {
        let outcome = scene.call(&head);
        assert!(matches!(outcome, Outcome::Forward { .. }), "{outcome:?}");
    }
    (scene, head)
}

/// What the module does for a warm call: where there is an assertion, the entry has it.
fn call(wanted: &Value, signed: bool) {
    let (mut scene, head) = prepared(wanted);
    let outcome = measure(|| scene.gateway.handle(&head, NOW, None));
    let Outcome::Forward { forward, .. } = outcome else {
        panic!("{outcome:?}")
    };
    let has = forward.set.iter().any(|(name, _)| *name == "signature");
    assert_eq!(has, signed);
    let fixed = scene.gateway.fixed(&head).expect("a registered plan");
    assert_eq!(fixed.assertion.is_some(), !signed);
}

/// What is signed once a minute.
fn assertion() {
    let (mut scene, head) = prepared(&json!({"assertion": true}));
    let fixed = scene.gateway.fixed(&head).expect("a registered plan");
    let claims = fixed.assertion.expect("claims");
    let unsigned = measure(|| scene.gateway.assertion(&claims, NOW));
    assert!(unsigned.is_some());
}
