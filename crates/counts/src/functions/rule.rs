//! The rules of a key's restrictions, of which the last one allows the call.

use keyward_core::restrict::path::{CheckedPath, PathRule};
use keyward_core::restrict::referrer::{self, ReferrerRule};
use keyward_core::restrict::scope::Scope;

use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("path rule: 1", || paths(1)),
    ("path rule: 100", || paths(100)),
    ("referrer rule: 1", || referrers(1)),
    ("referrer rule: 500", || referrers(500)),
    ("scope: 1", || scopes(1)),
    ("scope: 200", || scopes(200)),
];

fn paths(count: usize) {
    let mut rules: Vec<PathRule> = (1..count)
        .map(|number| format!("GET /service-{number}/**").parse().expect("a rule"))
        .collect();
    rules.push("GET,POST /v1/*/models".parse().expect("a rule"));
    let path = CheckedPath::parse("/v1/gpt/models").expect("a path");
    assert!(measure(|| rules
        .iter()
        .any(|rule| rule.matches("GET", &path))));
}

fn referrers(count: usize) {
    let mut rules: Vec<ReferrerRule> = (1..count)
        .map(|number| {
            format!("https://*.shop-{number}.example.org")
                .parse()
                .expect("a rule")
        })
        .collect();
    rules.push("https://*.example.com/app/*".parse().expect("a rule"));
    let (origin, page) = ("https://www.example.com", "https://www.example.com/app/x");
    let check = || referrer::check(&rules, false, Some(origin), Some(page));
    assert!(measure(check));
}

fn scopes(count: usize) {
    let mut scopes: Vec<Scope> = (1..count)
        .map(|number| format!("service-{number}:*").parse().expect("a scope"))
        .collect();
    scopes.push("chat:*".parse().expect("a scope"));
    let required: Scope = "chat:write".parse().expect("a scope");
    assert!(measure(|| scopes
        .iter()
        .any(|scope| scope.grants(&required))));
}
