//! `Gateway::handle` of keys that are derived from a private key.

use keyward_core::derived::{Limit, Terms, mint};
use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;
use serde_json::{Value, json};

use crate::scene::{NOW, PAGE, Scene, head, parent, secret};
use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("call: derived key", || warm(&said(false))),
    ("call: derived key, own limit", || warm(&said(true))),
    ("call: derived key, seen first", first),
    ("call: expired derived key", expired),
];

/// Its parent's record is fresh for longer.
const LIFE_MS: u64 = 5_000;

fn route() -> Value {
    json!({"path": "/v1/**", "origin": "https://origin.example", "accepts": ["private", "derived"]})
}

/// What a page is given for its user.
fn said(limited: bool) -> Terms {
    let rules = json!({"scopes": ["files:read"], "referrers": ["https://*.example.com"]});
    let limit = || Limit {
        calls: 1_000_000.try_into().expect("more than none"),
        window_s: 60,
    };
    Terms {
        restrictions: serde_json::from_value(rules).expect("rules"),
        user: Some("user-17".to_owned()),
        limit: limited.then(limit),
        ..Terms::until(NOW.plus(LIFE_MS))
    }
}

/// A gateway that knows the parent's record, and what is sent with a key that says so.
fn prepared(terms: &Terms) -> (Scene, String) {
    let secret = secret(Kind::Private);
    let fields = json!({"restrictions": {"scopes": ["files:*"]}});
    let mut scene = Scene::with(route(), (&secret, &parent(&secret, &fields)));
    let key = mint(&secret, None, terms, None, NOW).expect("a derived key");
    let head = head("GET", "/v1/gpt/models?a=1", Some(&key), PAGE);
    scene.call(&head_of_parent(&secret));
    (scene, head)
}

fn head_of_parent(secret: &str) -> String {
    head("GET", "/v1/x", Some(secret), "")
}

fn warm(terms: &Terms) {
    let (mut scene, head) = prepared(terms);
    for _ in 0..30 {
        let outcome = scene.call(&head);
        assert!(matches!(outcome, Outcome::Forward { .. }), "{outcome:?}");
    }
    let outcome = measure(|| scene.gateway.handle(&head, NOW, None));
    assert!(matches!(outcome, Outcome::Forward { .. }), "{outcome:?}");
}

/// Its MAC is verified, under a derivation key that is opened for it.
fn first() {
    let (mut scene, head) = prepared(&said(false));
    let outcome = measure(|| scene.gateway.handle(&head, NOW, None));
    assert!(matches!(outcome, Outcome::Forward { .. }), "{outcome:?}");
}

/// As every time: nothing of it is kept.
fn expired() {
    let (mut scene, head) = prepared(&said(false));
    let later = NOW.plus(LIFE_MS);
    let outcome = measure(|| scene.gateway.handle(&head, later, None));
    let Outcome::Respond(response) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(response.body.contains("key_expired"), "{}", response.body);
}
