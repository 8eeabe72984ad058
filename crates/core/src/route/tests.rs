use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn file(json: &str) -> GatewayFile {
    serde_json::from_str(json).unwrap()
}

fn routes(json: &str) -> Routes {
    Routes::compile(&file(json), &|_| None).unwrap()
}

/// The fields of all errors that are found before a deployment.
fn errors(json: &str) -> Vec<String> {
    check(&file(json))
        .into_iter()
        .filter(|finding| !finding.warning)
        .map(|finding| finding.field)
        .collect()
}

fn warnings(json: &str) -> Vec<String> {
    check(&file(json))
        .into_iter()
        .filter(|finding| finding.warning)
        .map(|finding| finding.field)
        .collect()
}

/// A file with one route with these members besides its origin.
fn one(members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"route":[{{"origin":"https://o.example"{comma}{members}}}]}}"#)
}

#[test]
fn the_most_specific_route_wins_whatever_the_order_in_the_file() {
    let patterns = [
        r#""path":"/**""#,
        r#""path":"/v1/**""#,
        r#""path":"/v1/*""#,
        r#""path":"/v1/users""#,
        r#""path":"/v1/users/*""#,
        r#""path":"/v1/*/avatar""#,
        r#""host":"*.example.com""#,
        r#""host":"*.b.example.com""#,
        r#""host":"api.example.com""#,
        r#""host":"api.example.com","path":"/v1/**""#,
    ];
    let list = |order: Vec<usize>| {
        let tables: Vec<_> = order
            .iter()
            .map(|at| format!(r#"{{"origin":"https://o{at}.example",{}}}"#, patterns[*at]))
            .collect();
        routes(&format!(r#"{{"route":[{}]}}"#, tables.join(",")))
    };
    for routes in [
        list((0..patterns.len()).collect()),
        list((0..patterns.len()).rev().collect()),
    ] {
        for (host, path, expected) in [
            ("other.test", "/", 0),
            ("other.test", "/v1", 0),
            ("other.test", "/v1/a/b", 1),
            ("other.test", "/v1/", 1),
            ("other.test", "/v1/a", 2),
            ("other.test", "/v1/users", 3),
            ("other.test", "/v1/users/7", 4),
            ("other.test", "/v1/users/avatar", 4),
            ("other.test", "/v1/me/avatar", 5),
            ("example.com", "/v1/users", 3),
            ("a.example.com", "/v1/users", 6),
            ("a.b.example.com", "/v1/users", 7),
            ("api.example.com", "/v2", 8),
            ("api.example.com", "/v1/users", 9),
        ] {
            let found = routes
                .find(host, &CheckedPath::parse(path).unwrap())
                .unwrap();
            assert_eq!(
                found.origin,
                format!("https://o{expected}.example"),
                "{host} {path}"
            );
        }
    }
}

proptest! {
    #[test]
    fn the_index_finds_what_a_look_at_every_route_finds(
        patterns in vec((select(&HOSTS[..]), vec(select(&SEGMENTS[..]), 0..4), any::<bool>()), 1..40),
        host in select(&["a.test", "b.a.test", "c.b.a.test", "other.test"][..]),
        path in vec(select(&["a", "b", "c", "d"][..]), 0..6),
        slash in any::<bool>(),
    ) {
        // A file in which two routes are the same is refused.
        let tables: BTreeSet<_> = patterns.iter().map(|(host, segments, rest)| {
            let rest = if *rest { "/**" } else if segments.is_empty() { "/" } else { "" };
            let path = segments.iter().fold(String::new(), |path, segment| path + "/" + segment);
            format!(r#"{{"origin":"https://o.example","path":"{path}{rest}"{host}}}"#)
        }).collect();
        let tables: Vec<_> = tables.into_iter().collect();
        let routes = routes(&format!(r#"{{"route":[{}]}}"#, tables.join(",")));
        let path = format!("/{}{}", path.join("/"), if slash && !path.is_empty() { "/" } else { "" });
        let path = CheckedPath::parse(&path).unwrap();
        let by_each = routes.iter().find(|route| route.host.matches(host) && route.path.matches(&path));
        prop_assert_eq!(routes.find(host, &path).map(|route| route.index), by_each.map(|route| route.index));
    }
}

const HOSTS: [&str; 5] = [
    "",
    r#","host":"a.test""#,
    r#","host":"*.a.test""#,
    r#","host":"*.b.a.test""#,
    r#","host":"*.other.test""#,
];
const SEGMENTS: [&str; 4] = ["a", "b", "c", "*"];

#[test]
fn a_request_that_no_route_names_has_none() {
    let routes = routes(&one(r#""host":"api.example.com","path":"/v1/**""#));
    for (host, path) in [
        ("api.example.com", "/v1"),
        ("example.com", "/v1/a"),
        ("api.example.com.evil.test", "/v1/a"),
    ] {
        assert!(
            routes
                .find(host, &CheckedPath::parse(path).unwrap())
                .is_none(),
            "{host} {path}"
        );
    }
}

#[test]
fn what_is_left_out_has_safe_defaults() {
    let routes = routes(&one(""));
    assert_eq!(routes.settings(), &Settings::default());
    let route = routes.iter().next().unwrap();
    assert_eq!(
        route.key_in,
        [Place::Bearer, Place::Header("x-api-key".to_owned())]
    );
    assert_eq!(
        (
            route.timeout_ms,
            route.cache_origin,
            route.cookies,
            route.allow_ambiguous_paths
        ),
        (None, false, false, false)
    );
    assert_eq!(route.cors, Cors::default());
    assert!(
        route.credential.is_none() && route.requires.is_empty() && route.access.projects.is_none()
    );
}

#[test]
fn the_path_at_the_origin_keeps_everything_but_the_prefix() {
    for (members, path, upstream) in [
        ("", "/", "/"),
        ("", "/a/", "/a/"),
        (
            r#""path":"/openai/**","strip_prefix":"/openai""#,
            "/openai/",
            "/",
        ),
        (
            r#""path":"/openai/**","strip_prefix":"/openai""#,
            "/openai/v1",
            "/v1",
        ),
        (
            r#""path":"/openai","strip_prefix":"/openai""#,
            "/openai",
            "/",
        ),
        (r#""path":"/a/b/**","strip_prefix":"/a""#, "/a/b/c", "/b/c"),
    ] {
        let routes = routes(&one(members));
        let path = CheckedPath::parse(path).unwrap();
        assert_eq!(
            routes.find("h", &path).unwrap().upstream_path(&path),
            upstream,
            "{members}"
        );
    }
    let based = routes(
        r#"{"route":[{"origin":"https://o.example/base/","path":"/x/**","strip_prefix":"/x"}]}"#,
    );
    let path = CheckedPath::parse("/x/y").unwrap();
    assert_eq!(
        based.find("h", &path).unwrap().upstream_path(&path),
        "/base/y"
    );
}

#[test]
fn every_wrong_value_is_named_at_once() {
    let found = errors(
        r#"{"gateway":{"client_ip_header":"x-forwarded-for","memory_records":0},
            "route":[{"host":"a b","path":"x","origin":"ftp://o","projects":["A"],"environments":[],"accepts":["management"],
                      "key_in":["cookie:a"],"scopes":["nothing"],"credential":{"secret":"a-b","header":"host"},
                      "timeout_ms":0,"cache":"public","cors":{"origins":["*"],"max_age_s":100000},
                      "require":[{"rule":"GET /x","scopes":[]}]},
                     {"origin":"https://ok.example"}]}"#,
    );
    let expected = [
        "gateway.client_ip_header",
        "gateway.memory_records",
        "route[0].host",
        "route[0].path",
        "route[0].origin",
        "route[0].projects[0]",
        "route[0].environments",
        "route[0].accepts[0]",
        "route[0].scopes[0]",
        "route[0].key_in[0]",
        "route[0].credential.secret",
        "route[0].credential.header",
        "route[0].timeout_ms",
        "route[0].cache",
        "route[0].cors.origins[0]",
        "route[0].cors.max_age_s",
        "route[0].require[0].scopes",
    ];
    assert_eq!(found, expected);
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (members, field) in [
        (
            r#""path":"/openai/**","strip_prefix":"/open""#,
            "strip_prefix",
        ),
        (
            r#""path":"/openai/**","strip_prefix":"/openai/""#,
            "strip_prefix",
        ),
        (r#""path":"/*/x","strip_prefix":"/a""#, "strip_prefix"),
        (r#""strip_prefix":"/a""#, "strip_prefix"),
        (r#""path":"/_keyward/**""#, "path"),
        (r#""path":"/_keyward/v1/projects""#, "path"),
        (
            r#""accepts":["private"],"key_in":["query:key"]"#,
            "key_in[0]",
        ),
        (r#""key_in":["bearer","bearer"]"#, "key_in[1]"),
        (r#""credential":{"secret":"S"}"#, "credential"),
        (
            r#""credential":{"secret":"S","header":"a","query":"b"}"#,
            "credential",
        ),
        (
            r#""credential":{"secret":"KEYWARD_SECRET","header":"a"}"#,
            "credential.secret",
        ),
        (
            r#""credential":{"secret":"S","header":"a","template":"Bearer"}"#,
            "credential.template",
        ),
        (
            r#""path":"/openai/**","require":[{"rule":"POST /v1/chat","scopes":["a:b"]}]"#,
            "require[0].rule",
        ),
    ] {
        assert_eq!(
            errors(&one(members)),
            [format!("route[0].{field}")],
            "{members}"
        );
    }
    let twins = r#"{"route":[{"origin":"https://a.example","path":"/x"},{"origin":"https://b.example","path":"/x"}]}"#;
    assert_eq!(errors(twins), ["route[1].path"]);
}

#[test]
fn what_works_but_is_unwise_is_a_warning() {
    assert_eq!(
        warnings(&one(r#""credential":{"secret":"S","query":"key"}"#)),
        ["route[0].credential.query"]
    );
    assert_eq!(
        warnings(r#"{"route":[{"origin":"http://o.example"}]}"#),
        ["route[0].origin"]
    );
    assert_eq!(
        warnings(r#"{"route":[{"origin":"http://127.0.0.1:9000"}]}"#),
        [""; 0]
    );
    assert_eq!(warnings("{}"), ["route"]);
    assert!(
        Routes::compile(
            &file(r#"{"route":[{"origin":"http://o.example"}]}"#),
            &|_| None
        )
        .is_ok()
    );
}

#[test]
fn variables_are_taken_by_the_worker_and_only_spelt_before() {
    let json = r#"{"route":[{"host":"${HOST}","origin":"${ORIGIN}/base","accepts":["${KIND}"]}]}"#;
    assert_eq!(errors(json), [""; 0]);
    let lookup = |name: &str| match name {
        "HOST" => Some("api.example.com".to_owned()),
        "ORIGIN" => Some("https://o.example".to_owned()),
        "KIND" => Some("private".to_owned()),
        _ => None,
    };
    let routes = Routes::compile(&file(json), &lookup).unwrap();
    let route = routes
        .find("api.example.com", &CheckedPath::parse("/").unwrap())
        .unwrap();
    assert_eq!(
        (route.origin.as_str(), route.base_path.as_str()),
        ("https://o.example", "/base")
    );

    let error = Routes::compile(&file(json), &|_| None).unwrap_err();
    assert_eq!(
        (error.field.as_str(), error.detail.as_str()),
        ("route[0].host", "the Worker variable HOST is not set")
    );
    assert_eq!(
        errors(r#"{"route":[{"origin":"${KEYWARD_SECRET}"}]}"#),
        ["route[0].origin"]
    );
}

#[test]
fn a_field_that_this_version_does_not_know_is_never_ignored() {
    for json in [
        r#"{"routes":[]}"#,
        r#"{"route":[{"origin":"https://o.example","price":2}]}"#,
        r#"{"route":[{"origin":"https://o.example","cors":{"credentials":true}}]}"#,
    ] {
        assert!(serde_json::from_str::<GatewayFile>(json).is_err(), "{json}");
    }
}

#[test]
fn what_the_build_embeds_is_what_was_written() {
    let written = file(&one(
        r#""path":"/x/**","credential":{"secret":"S","header":"a"},"cookies":true,"cors":{"max_age_s":1}"#,
    ));
    assert_eq!(file(&serde_json::to_string(&written).unwrap()), written);
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_is_compiled_or_named(text in "[\\PC]{0,40}", scheme in "(https?://)?") {
        let list = || Some(vec![text.clone()]);
        let mut route = RouteFile {
            host: Some(text.clone()),
            path: Some(format!("/{text}")),
            origin: format!("{scheme}{text}"),
            strip_prefix: Some(text.clone()),
            key_in: list(),
            scopes: list(),
            cors: Some(CorsFile { origins: list(), allow_headers: list(), ..CorsFile::default() }),
            ..RouteFile::default()
        };
        for _ in 0..2 {
            let file = GatewayFile { routes: vec![route.clone()], ..GatewayFile::default() };
            let named = check(&file).iter().any(|finding| !finding.warning);
            let taken = text.contains("${");
            proptest::prop_assert!(taken || named != Routes::compile(&file, &|_| None).is_ok());
            // Once more with nothing but the origin, which may well be right.
            route = RouteFile { origin: route.origin, ..RouteFile::default() };
        }
    }
}
