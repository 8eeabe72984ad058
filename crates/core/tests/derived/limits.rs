//! The limit that a derived key brings along, and what it is told of limits.

use keyward_core::derived::{Limit, seal};
use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;
use keyward_core::secret::{Digest, derivation_key};
use serde_json::{Value, json};

use crate::desk::{Desk, NOW, answered, keyring, native};
use crate::{ROUTES, call, minted, parent, terms};

#[test]
fn an_own_limit_counts_calls_that_are_let_through() {
    let secret = native(Kind::Private, 1);
    let mut desk = Desk::new(ROUTES);
    let mut terms = terms(json!({}));
    terms.limit = Some(Limit {
        calls: 2.try_into().unwrap(),
        window_s: 16,
    });
    let key = minted(&secret, &terms);
    let held = parent(&secret);
    for expected in ["ok", "ok", "rate_limited", "rate_limited"] {
        assert_eq!(call(&mut desk, &key, &secret, Some(&held)).code, expected);
    }
    desk.now = NOW.plus(18_000);
    assert_eq!(call(&mut desk, &key, &secret, Some(&held)).code, "ok");
}

#[test]
fn so_many_keys_take_bounded_memory_and_push_no_parent_out() {
    let secret = native(Kind::Private, 1);
    let mut desk = Desk::new(ROUTES);
    let held = parent(&secret);
    for number in 0..6_000 {
        let mut terms = terms(json!({}));
        terms.user = Some(format!("user-{number}"));
        let key = minted(&secret, &terms);
        let answer = call(&mut desk, &key, &secret, Some(&held));
        assert_eq!((answer.code.as_str(), answer.read), ("ok", number == 0));
    }
}

/// A key of a user, or of nobody, that expires after so many milliseconds.
fn limited(secret: &str, user: Option<&str>, (calls, window_s): (u32, u32), life: u64) -> String {
    let mut terms = terms(json!({}));
    terms.user = user.map(str::to_owned);
    terms.limit = Some(Limit {
        calls: calls.try_into().unwrap(),
        window_s,
    });
    terms.expires_at = NOW.plus(life);
    minted(secret, &terms)
}

#[test]
fn keys_of_one_user_share_their_limit_and_those_of_nobody_have_each_its_own() {
    let (one, two) = (native(Kind::Private, 1), native(Kind::Private, 9));
    let mut desk = Desk::new(ROUTES);
    let mut other = parent(&two);
    other.key_id = "key_2".to_owned();
    let digest = Digest::of(&two);
    let key = derivation_key(&two);
    other.derivation = Some(seal(keyring().current(), "acme", "key_2", &digest, &key));
    let mut ask = |key: &str, secret: &str| {
        let held = if secret == one {
            parent(&one)
        } else {
            other.clone()
        };
        call(&mut desk, key, secret, Some(&held)).code
    };
    let ann = |life| limited(&one, Some("ann"), (2, 60), life);
    assert_eq!(ask(&ann(50_000), &one), "ok");
    assert_eq!(ask(&ann(50_001), &one), "ok");
    for life in [50_000, 50_001, 50_002] {
        assert_eq!(ask(&ann(life), &one), "rate_limited", "{life}");
    }
    // One with more room counts what was called with the others.
    let wide = limited(&one, Some("ann"), (3, 60), 50_000);
    assert_eq!([ask(&wide, &one), ask(&wide, &one)], ["ok", "rate_limited"]);
    // Another user, another parent, another window, nobody: others.
    for (key, secret) in [
        (limited(&one, Some("bob"), (1, 60), 50_000), &one),
        (limited(&two, Some("ann"), (1, 60), 50_000), &two),
        (limited(&one, Some("ann"), (1, 61), 50_000), &one),
        (limited(&one, None, (1, 60), 50_000), &one),
        (limited(&one, None, (1, 60), 50_001), &one),
    ] {
        assert_eq!(
            [ask(&key, secret), ask(&key, secret)],
            ["ok", "rate_limited"]
        );
    }
}

/// The headers of limits in the answer to a call that is let through, or that refuses it.
fn told(desk: &mut Desk, head: &str) -> Vec<(&'static str, String)> {
    let headers = match desk.gateway.handle(head, NOW, None) {
        Outcome::Forward { forward, .. } => {
            answered(&mut desk.gateway, head, forward.asker, NOW).set
        }
        Outcome::Respond(response) => {
            let problem: Value = serde_json::from_str(&response.body).unwrap();
            assert_eq!(
                (response.status, &problem["code"]),
                (429, &json!("rate_limited"))
            );
            let limit = problem["limit"].as_str().unwrap_or("none").to_owned();
            let mut headers = response.headers;
            headers.push(("limit", limit));
            headers
        }
        outcome => panic!("{outcome:?}"),
    };
    let about =
        |name: &str| name.starts_with("ratelimit") || ["limit", "retry-after"].contains(&name);
    headers
        .into_iter()
        .filter(|(name, _)| about(name))
        .collect()
}

#[test]
fn it_is_told_of_its_own_limit_and_of_no_other() {
    let secret = native(Kind::Private, 1);
    let mut held = parent(&secret);
    // Limits that are counted here and now, so that no meter has to be asked.
    held.limits = serde_json::from_value(json!({
        "rate": [{"name": "derived", "limit": 4, "window_s": 16, "per": "ip"}],
    }))
    .unwrap();
    let mut desk = Desk::new(ROUTES);
    let head = |key: &str| {
        format!("GET\nhttps://gate.example/x\nx-api-key\n{key}\ncf-connecting-ip\n192.0.2.7\n")
    };
    let own = head(&limited(&secret, Some("ann"), (2, 16), 50_000));
    let bare = head(&minted(&secret, &terms(json!({}))));
    assert_eq!(desk.ask(&bare, &secret, Some(&held)).code, "ok");
    let policy = ("ratelimit-policy", r#""derived";q=2;w=16"#.to_owned());
    for left in [1, 0] {
        let state = format!(r#""derived";r={left};t=17"#);
        assert_eq!(
            told(&mut desk, &own),
            [policy.clone(), ("ratelimit", state)]
        );
    }
    let refused = told(&mut desk, &own);
    let expected = ["retry-after", "ratelimit-policy", "ratelimit", "limit"];
    assert!(
        refused.iter().map(|(name, _)| *name).eq(expected),
        "{refused:?}"
    );
    assert_eq!((&refused[1], &*refused[3].1), (&policy, "derived"));
    assert_eq!(told(&mut desk, &bare), []);
    // The fifth call is over the parent's limit: when to come back, and nothing else.
    let refused = told(&mut desk, &bare);
    assert_eq!(refused[0].0, "retry-after");
    assert_eq!(refused[1..], [("limit", "none".to_owned())]);
}
