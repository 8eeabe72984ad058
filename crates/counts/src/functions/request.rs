//! What is read of a request before its key is known.

use keyward_core::credential;
use keyward_core::head::Head;
use keyward_core::kind::Kind;
use keyward_core::restrict::path::CheckedPath;

use crate::scene::{PAGE, head, routes, secret};
use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("head: parse", || {
        let text = sample();
        assert!(measure(|| Head::parse(&text)).is_some());
    }),
    ("head: facts", || {
        let text = sample();
        let head = Head::parse(&text).expect("a head");
        let facts = measure(|| head.facts("cf-connecting-ip"));
        assert_eq!(facts.client_ip, Some("192.0.2.7"));
    }),
    ("head: credential", || {
        let (text, routes) = (sample(), routes(1));
        let head = Head::parse(&text).expect("a head");
        let route = routes.get(0).expect("a route");
        let found = measure(|| credential::find(&route.key_in, &head));
        assert!(found.is_ok());
    }),
    ("path: check", || {
        assert!(measure(|| CheckedPath::parse("/v1/gpt/models?a=1")).is_ok());
    }),
    ("route: find, 1", || find(1)),
    ("route: find, 100", || find(100)),
    ("route: find, 1000", || find(1000)),
];

fn sample() -> String {
    head(
        "GET",
        "/v1/gpt/models?a=1",
        Some(&secret(Kind::Public)),
        PAGE,
    )
}

fn find(count: usize) {
    let routes = routes(count);
    let path = CheckedPath::parse("/v1/gpt/models").expect("a path");
    let route = measure(|| routes.find("gate.example", &path));
    assert_eq!(route.map(|route| route.index), Some(count - 1));
}
