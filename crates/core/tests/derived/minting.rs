//! What is minted, and what is not.

use keyward_core::derived::{DeriveError, Limit, Terms, mint};
use keyward_core::kind::Kind;
use keyward_core::restrict::Restrictions;
use keyward_core::time::Millis;
use serde_json::json;

use crate::desk::{NOW, native};
use crate::{minted, rules, terms};

const DAY: u64 = 24 * 60 * 60 * 1000;

#[test]
fn nothing_is_minted_that_would_be_refused() {
    let secret = native(Kind::Private, 1);
    let good = terms(json!({"scopes": ["a:read"]}));
    let parent = rules(json!({"scopes": ["a:*"]}));
    let refused = |terms: &Terms, parent: Option<&Restrictions>| {
        mint(&secret, None, terms, parent, NOW).err()
    };
    assert_eq!(refused(&good, Some(&parent)), None);
    assert_eq!(
        refused(&good, Some(&rules(json!({"scopes": ["b:*"]})))),
        Some(DeriveError::Wider)
    );
    let until = |millis| Terms::until(Millis(millis));
    for (terms, expected) in [
        (until(NOW.0), DeriveError::Over),
        (until(0), DeriveError::Over),
        (until(NOW.0 + DAY + 1), DeriveError::TooLong),
        (until(u64::MAX), DeriveError::TooLong),
        (
            Terms {
                not_before: Some(NOW.plus(1)),
                ..until(NOW.0 + 1)
            },
            DeriveError::Over,
        ),
        (
            Terms {
                user: Some(String::new()),
                ..good.clone()
            },
            DeriveError::User,
        ),
        (
            Terms {
                user: Some("a\nsb:read".to_owned()),
                ..good.clone()
            },
            DeriveError::User,
        ),
        (
            Terms {
                limit: Some(Limit {
                    calls: 1.try_into().unwrap(),
                    window_s: 0,
                }),
                ..good.clone()
            },
            DeriveError::Limit,
        ),
        (
            terms(json!({"any_referrer": true, "referrers": ["https://a.example"]})),
            DeriveError::Restriction,
        ),
        (
            terms(json!({"apps": {"ios": ["a.b"]}})),
            DeriveError::Restriction,
        ),
        (
            terms(json!({"scopes": vec![format!("{}:read", "a".repeat(60)); 9]})),
            DeriveError::TooLarge,
        ),
    ] {
        assert_eq!(refused(&terms, None), Some(expected), "{terms:?}");
    }
    assert_eq!(refused(&until(NOW.0 + DAY), None), None);
    let derived = minted(&secret, &good);
    for secret in [
        derived.as_str(),
        &native(Kind::Public, 1),
        &native(Kind::Management, 1),
        "short",
        "",
    ] {
        let error = mint(secret, None, &good, None, NOW).err();
        assert_eq!(error, Some(DeriveError::Parent), "{secret}");
    }
    for environment in ["test", "Live", ""] {
        let error = mint(&secret, Some(environment), &good, None, NOW).err();
        assert_eq!(error, Some(DeriveError::Environment));
    }
}
