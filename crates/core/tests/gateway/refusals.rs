//! What is refused on the way, and what no route reaches.

use keyward_core::gateway::Outcome;
use keyward_core::kind::Kind;

use crate::{BEARER, desk, value};

#[test]
fn a_loop_ends_by_cdn_loop_and_by_via() {
    let mut desk = desk(Kind::Private, "{}");
    let (_, _, set) = desk.forwarded(
        "GET",
        "/plain/x",
        &[BEARER, ("cdn-loop", "cloudflare; loops=1")],
    );
    let own = value(&set, "cdn-loop").unwrap().to_owned();
    assert!(own.starts_with("cloudflare; loops=1, keyward-"), "{own}");
    assert_eq!(
        desk.refused("GET", "/plain/x", &[BEARER, ("cdn-loop", &own)]),
        "508 loop_detected"
    );
    let token = own.rsplit(' ').next().unwrap();
    assert_eq!(
        desk.refused(
            "GET",
            "/plain/x",
            &[BEARER, ("via", &format!("2 other, 1.1 {token}"))]
        ),
        "508 loop_detected"
    );
}

#[test]
fn each_refusal_of_the_way_has_its_code() {
    let mut private = desk(
        Kind::Private,
        r#"{"scopes":["reports:read"],"ips":["192.0.2.0/24"]}"#,
    );
    let ip = ("cf-connecting-ip", "192.0.2.7");
    for (method, target, headers, expected) in [
        ("GET", "/nowhere", vec![BEARER, ip], "404 route_unknown"),
        (
            "GET",
            "/plain/%2e%2e/x",
            vec![BEARER, ip],
            "400 path_ambiguous",
        ),
        (
            "TRACE",
            "/plain/x",
            vec![BEARER, ip],
            "405 method_not_allowed",
        ),
        ("GET", "/plain/x", vec![ip], "401 key_missing"),
        (
            "GET",
            "/plain/x",
            vec![BEARER, ("x-api-key", "other"), ip],
            "400 key_ambiguous",
        ),
        ("GET", "/plain/x", vec![BEARER], "403 ip_denied"),
        (
            "GET",
            "/plain/x",
            vec![BEARER, ip, ("origin", "https://page.example")],
            "403 private_key_in_browser",
        ),
        (
            "GET",
            "/own/x",
            vec![("x-my_key", "KEY"), ip],
            "401 key_invalid",
        ),
        ("GET", "/maps/x?key=KEY", vec![ip], "403 kind_not_accepted"),
        (
            "DELETE",
            "/private/x",
            vec![BEARER, ip],
            "403 scope_missing",
        ),
        (
            "GET",
            "/_keyward/nothing",
            vec![BEARER, ip],
            "404 endpoint_unknown",
        ),
        (
            "POST",
            "/_keyward/healthz",
            vec![],
            "405 method_not_allowed",
        ),
    ] {
        assert_eq!(
            private.refused(method, target, &headers),
            expected,
            "{method} {target} {headers:?}"
        );
    }
    let mut public = desk(Kind::Public, r#"{"referrers":["https://page.example"]}"#);
    assert_eq!(
        public.refused("GET", "/private/x", &[BEARER]),
        "403 kind_not_accepted"
    );
    assert_eq!(
        public.refused("GET", "/plain/x", &[BEARER]),
        "403 referrer_denied"
    );
}

#[test]
fn the_management_api_cannot_be_reached_by_another_spelling() {
    let mut desk = desk(Kind::Private, "{}");
    for target in [
        "/_keyward/v1/projects",
        "/%5Fkeyward/v1/projects",
        "/_%6beyward/v1/projects",
    ] {
        let text = desk.head("GET", target, &[]);
        assert_eq!(desk.call(&text), Outcome::Management, "{target}");
    }
    assert_eq!(
        desk.refused("GET", "/_keyward/v1/../v1/projects", &[]),
        "400 path_ambiguous"
    );
}

#[test]
fn the_description_of_the_management_api_is_only_read() {
    let mut desk = desk(Kind::Private, "{}");
    for method in ["GET", "HEAD"] {
        let text = desk.head(method, "/_keyward/openapi.json", &[]);
        let Outcome::Document(response) = desk.call(&text) else {
            panic!("{method} is not answered with the document");
        };
        assert_eq!((response.status, response.body.as_str()), (200, ""));
        assert!(
            response
                .headers
                .contains(&("content-type", "application/json".to_owned()))
        );
    }
    assert_eq!(
        desk.refused("POST", "/_keyward/openapi.json", &[]),
        "405 method_not_allowed"
    );
}

#[test]
fn a_requirement_also_covers_the_folder_of_its_route() {
    let mut desk = desk(Kind::Private, r#"{"scopes":["reports:read"]}"#);
    for target in ["/private/", "/private/x"] {
        assert_eq!(
            desk.refused("DELETE", target, &[BEARER]),
            "403 scope_missing",
            "{target}"
        );
    }
}
