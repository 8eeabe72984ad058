//! A derived key may do no more than its parent.

use keyward_core::decide::{Access, decide, decide_derived};
use keyward_core::derived::Terms;
use keyward_core::kind::Kind;
use keyward_core::refusal::Refusal;
use keyward_core::request::Facts;
use keyward_core::restrict::Restrictions;
use keyward_core::restrict::path::CheckedPath;
use proptest::prelude::*;
use serde_json::json;

use crate::desk::{NOW, record};
use crate::rules;

/// Texts of which some are rules that overlap.
fn some_rules() -> impl Strategy<Value = Restrictions> {
    let pick = |all: &'static [&'static str]| prop::sample::subsequence(all, 0..=2);
    (
        pick(&["orders:read", "orders:*", "cart:write", "*:*"]),
        pick(&[
            "GET /v1/**",
            "GET /v1/a",
            "* /v1/*",
            "POST /v1/a",
            "GET /**",
        ]),
        pick(&["192.0.2.0/24", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32"]),
        pick(&["https://a.example", "*.a.example", "https://a.example/x/*"]),
    )
        .prop_map(|(scopes, paths, ips, referrers)| {
            rules(json!({"scopes": scopes, "paths": paths, "ips": ips, "referrers": referrers}))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_derived_key_may_do_nothing_that_its_parent_may_not(
        of_parent in some_rules(),
        of_key in some_rules(),
        required in prop::sample::subsequence(vec!["orders:read", "orders:write", "cart:write"], 0..=2),
        path in prop::sample::select(vec!["/v1/a", "/v1/b", "/v1/a/b", "/x"]),
        method in prop::sample::select(vec!["GET", "HEAD", "POST", "DELETE"]),
        ip in prop::option::of(prop::sample::select(vec!["192.0.2.7", "192.0.2.8", "198.51.100.1"])),
        origin in prop::option::of(prop::sample::select(vec!["https://a.example", "https://b.a.example", "https://evil.example"])),
    ) {
        let mut parent = record(Kind::Private, false);
        parent.restrictions = Restrictions { referrers: Vec::new(), ..of_parent };
        let terms = Terms { restrictions: of_key, ..Terms::until(NOW.plus(1)) };
        let access = Access {
            scopes: required.iter().map(|scope| scope.parse().unwrap()).collect(),
            ..Access::everything()
        };
        let path = CheckedPath::parse(path).unwrap();
        let facts = |origin| Facts {
            method,
            path: &path,
            is_exchange: false,
            origin,
            referer: None,
            sec_fetch_site: None,
            websocket: false,
            ip: ip.map(|ip| ip.parse().unwrap()),
            android_package: None,
            android_cert: None,
            ios_bundle: None,
        };
        let derived = decide_derived(&parent, &terms, &access, &facts(origin), NOW);
        // A page may not send the parent itself; a server may.
        let own = decide(&parent, &access, &facts(None), NOW);
        if derived.is_ok() {
            prop_assert_eq!(own, Ok(()));
        }
        // What is said beside it can only refuse more, but for the pages that may use it.
        let bare = Terms::until(NOW.plus(1));
        let mut open = bare.clone();
        open.restrictions.any_referrer = true;
        let said = |terms| decide_derived(&parent, terms, &access, &facts(origin), NOW);
        if derived.is_ok() {
            prop_assert_eq!(said(&open), Ok(()));
            prop_assert_eq!(said(&bare), if origin.is_some() { Err(Refusal::ReferrerDenied) } else { Ok(()) });
        }
    }
}
