//! The way of a request through the gateway, on the host: what is loaded, refused, forwarded.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use keyward_core::answer::Asker;
use keyward_core::gateway::{Answered, Gateway, Outcome, Work};
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::names::record_name;
use keyward_core::record::{Record, SCHEMA, Status};
use keyward_core::records::{Load, Loaded, Stored};
use keyward_core::restrict::Restrictions;
use keyward_core::route::Routes;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;

const NOW: Millis = Millis(1_795_262_400_000);
const KEYRING: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

const ROUTES: &str = r#"{"route":[
    {"path":"/plain/**","origin":"https://origin.example"},
    {"path":"/llm/**","origin":"https://llm.example/v1","strip_prefix":"/llm","credential":{"secret":"LLM_KEY","header":"authorization","template":"Bearer {secret}"}},
    {"path":"/maps/**","origin":"https://maps.example","key_in":["bearer","query:key"],"credential":{"secret":"MAPS_KEY","query":"key"}},
    {"path":"/gone/**","origin":"https://gone.example","credential":{"secret":"NOT_SET","header":"x-token"}},
    {"path":"/padded/**","origin":"https://gone.example","credential":{"secret":"PADDED","header":"x-token"}},
    {"path":"/private/**","origin":"https://private.example","accepts":["private"],"scopes":["reports:read"],"require":[{"rule":"DELETE /private/**","scopes":["reports:delete"]}]},
    {"path":"/own/**","origin":"https://own.example","key_in":["header:x-my_key"],"projects":["other"]}
]}"#;

struct Desk {
    gateway: Gateway,
    keyring: Keyring,
    key: String,
    record: Record,
}

fn desk(kind: Kind, restrictions: &str) -> Desk {
    let file = serde_json::from_str(ROUTES).unwrap();
    let lookup = |name: &str| match name {
        "LLM_KEY" => Some("llm-secret".to_owned()),
        "MAPS_KEY" => Some("maps secret".to_owned()),
        "PADDED" => Some("padded ".to_owned()),
        _ => None,
    };
    let routes = Routes::compile(&file, &lookup).unwrap();
    let keyring = Keyring::parse(KEYRING).unwrap();
    let mut next = 7_u8;
    let mut fill = |bytes: &mut [u8]| {
        for byte in bytes {
            next = next.wrapping_mul(73).wrapping_add(41);
            *byte = next;
        }
    };
    let key = keyring
        .mint("kw", kind, "live", &mut fill)
        .expose()
        .to_owned();
    let restrictions: Restrictions = serde_json::from_str(restrictions).unwrap();
    let record = Record {
        schema: SCHEMA,
        project: "acme".into(),
        environment: "live".into(),
        key_id: "key_1".into(),
        secret_id: "sec_1".into(),
        kind,
        version: 1,
        status: Status::Active,
        owner: Some("Zoë, 100%".into()),
        not_before: None,
        expires_at: None,
        not_after: None,
        imported: false,
        restrictions,
        limits: keyward_core::limits::Limits::default(),
        owner_limits: None,
        revocation: None,
        derivation: None,
    };
    Desk {
        gateway: Gateway::new(routes, Keyring::parse(KEYRING).unwrap(), &lookup, 1),
        keyring,
        key,
        record,
    }
}

impl Desk {
    fn name(&self) -> String {
        record_name(self.keyring.current(), &Digest::of(&self.key))
    }

    fn value(&self) -> String {
        self.record.seal(self.keyring.current(), &self.name())
    }

    /// Handles a request as the entry does: reads KV when asked to.
    fn call<'a>(&mut self, text: &'a str) -> Outcome<'a> {
        let value = self.value();
        match self.gateway.handle(text, NOW, None) {
            Outcome::Load(Load { attempt, name, .. }) => {
                assert_eq!(name, self.name());
                self.gateway.handle(
                    text,
                    NOW,
                    Some(Loaded {
                        attempt,
                        stored: Stored::Found(&value),
                    }),
                )
            }
            outcome => outcome,
        }
    }

    fn head(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}\n{}\n", value.replace("KEY", &self.key)))
            .collect();
        format!(
            "{method}\nhttps://gate.example{}\n{lines}",
            target.replace("KEY", &self.key)
        )
    }

    fn forwarded(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> (String, Vec<String>, Vec<(String, String)>) {
        let text = self.head(method, target, headers);
        match self.call(&text) {
            Outcome::Forward { forward, .. } => {
                let mut set: Vec<_> = forward
                    .set
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect();
                set.extend(self.gateway.fixed(&text).unwrap().set);
                (
                    forward.url,
                    forward
                        .remove
                        .iter()
                        .map(|name| (*name).to_owned())
                        .collect(),
                    set,
                )
            }
            outcome => panic!("{outcome:?}"),
        }
    }

    fn refused(&mut self, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
        let text = self.head(method, target, headers);
        match self.call(&text) {
            Outcome::Respond(response) => {
                assert!(
                    !response.body.contains(&self.key),
                    "the key is in the answer"
                );
                let problem: serde_json::Value = serde_json::from_str(&response.body).unwrap();
                assert_eq!(problem["status"], response.status);
                format!("{} {}", response.status, problem["code"].as_str().unwrap())
            }
            outcome => panic!("{outcome:?}"),
        }
    }
}

const BEARER: (&str, &str) = ("authorization", "Bearer KEY");

fn value<'a>(set: &'a [(String, String)], name: &str) -> Option<&'a str> {
    set.iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn a_valid_key_is_read_once_and_then_awaits_nothing() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    assert!(matches!(
        desk.gateway.handle(&text, NOW, None),
        Outcome::Load(_)
    ));
    assert!(matches!(
        desk.call(&text),
        Outcome::Forward {
            work: Work { refresh: None, .. },
            ..
        }
    ));
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(9_999), None),
        Outcome::Forward {
            work: Work { refresh: None, .. },
            ..
        }
    ));
}

#[test]
fn an_aging_record_is_refreshed_in_the_background_once() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    desk.call(&text);
    let Outcome::Forward {
        work: Work {
            refresh: Some(load),
            ..
        },
        ..
    } = desk.gateway.handle(&text, NOW.plus(10_000), None)
    else {
        panic!("no refresh")
    };
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(10_001), None),
        Outcome::Forward {
            work: Work { refresh: None, .. },
            ..
        }
    ));
    desk.record.version = 2;
    desk.record.status = Status::Revoked;
    let value = desk.value();
    assert_eq!(
        desk.gateway.refreshed(
            load.digest,
            Loaded {
                attempt: 0,
                stored: Stored::Found(&value)
            },
            NOW.plus(10_100)
        ),
        None
    );
    assert_eq!(
        desk.refused("GET", "/plain/x", &[BEARER]),
        "401 key_revoked"
    );
}

#[test]
fn a_record_of_thirty_seconds_is_read_again_and_serves_only_if_kv_fails() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    desk.call(&text);
    for (seconds, allowed) in [(30, true), (299, true), (301, false)] {
        let now = NOW.plus(seconds * 1000);
        assert!(
            matches!(desk.gateway.handle(&text, now, None), Outcome::Load(_)),
            "{seconds}"
        );
        let outcome = desk.gateway.handle(
            &text,
            now,
            Some(Loaded {
                attempt: 0,
                stored: Stored::Failed,
            }),
        );
        assert_eq!(
            matches!(outcome, Outcome::Forward { .. }),
            allowed,
            "{seconds} s: {outcome:?}"
        );
        if !allowed {
            assert!(matches!(outcome, Outcome::Respond(response) if response.status == 503));
        }
    }
}

#[test]
fn a_refused_call_refreshes_its_record_too() {
    let mut desk = desk(Kind::Private, r#"{"ips":["192.0.2.0/24"]}"#);
    assert_eq!(desk.refused("GET", "/plain/x", &[BEARER]), "403 ip_denied");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let refreshes = |desk: &mut Desk, seconds: u64| match desk.gateway.handle(
        &text,
        NOW.plus(seconds * 1000),
        None,
    ) {
        Outcome::Respond(response) => response.work.refresh.is_some(),
        outcome => panic!("{outcome:?}"),
    };
    let found = [9, 10, 11, 12].map(|seconds| refreshes(&mut desk, seconds));
    assert_eq!(found, [false, true, false, true]);
}

#[test]
fn an_unknown_key_is_remembered_for_ten_seconds() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let missing = Some(Loaded {
        attempt: 0,
        stored: Stored::Missing,
    });
    assert!(
        matches!(desk.gateway.handle(&text, NOW, missing), Outcome::Respond(response) if response.status == 401)
    );
    assert!(
        matches!(desk.gateway.handle(&text, NOW.plus(9_999), None), Outcome::Respond(response) if response.status == 401)
    );
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(10_000), None),
        Outcome::Load(_)
    ));
}

#[test]
fn a_forged_key_costs_no_read() {
    let mut desk = desk(Kind::Private, "{}");
    let genuine = desk.key.clone();
    for position in 0..genuine.len() {
        let mut bytes = genuine.clone().into_bytes();
        bytes[position] = if bytes[position] == b'x' { b'y' } else { b'x' };
        desk.key = String::from_utf8(bytes).unwrap();
        let text = desk.head("GET", "/plain/x", &[BEARER]);
        assert!(
            matches!(desk.gateway.handle(&text, NOW, None), Outcome::Respond(response) if response.status == 401),
            "{position}"
        );
    }
}

#[test]
fn a_record_that_is_altered_moved_or_of_another_kind_is_never_served() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let genuine = desk.value();
    let forged = genuine.replace("\"live\"", "\"test\"");
    let moved = desk.record.seal(desk.keyring.current(), "r/a/elsewhere");
    let unknown = genuine.replace("\"version\":1", "\"version\":1,\"moon_phase\":[]");
    for value in [forged.as_str(), &moved, &unknown, "", "1.a.\n{}"] {
        let outcome = desk.gateway.handle(
            &text,
            NOW,
            Some(Loaded {
                attempt: 0,
                stored: Stored::Found(value),
            }),
        );
        assert!(
            matches!(&outcome, Outcome::Respond(response) if response.status == 503),
            "{value}: {outcome:?}"
        );
    }
    desk.record.kind = Kind::Public;
    assert_eq!(
        desk.refused("GET", "/plain/x", &[BEARER]),
        "401 key_invalid"
    );
}

#[test]
fn an_unreadable_record_ends_what_was_served_before() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    desk.call(&text);
    let Outcome::Forward {
        work: Work {
            refresh: Some(load),
            ..
        },
        ..
    } = desk.gateway.handle(&text, NOW.plus(10_000), None)
    else {
        panic!("no refresh")
    };
    let unknown = desk.value().replace("\"version\":1", "\"version\":2");
    desk.gateway.refreshed(
        load.digest,
        Loaded {
            attempt: 0,
            stored: Stored::Found(&unknown),
        },
        NOW.plus(10_100),
    );
    assert!(matches!(
        desk.gateway.handle(&text, NOW.plus(10_200), None),
        Outcome::Load(_)
    ));
}

#[test]
fn identity_is_added_and_cannot_be_forged() {
    let mut desk = desk(Kind::Private, r#"{"scopes":["a:b","c:*"]}"#);
    let forged = [
        BEARER,
        ("keyward-key-id", "key_boss"),
        ("keyward_key_id", "key_boss"),
        ("keyward-scopes", "*:*"),
        ("keyward-assertion", "x"),
        ("x_api_key", "other"),
        ("x-other", "stays"),
    ];
    let (url, remove, set) = desk.forwarded("GET", "/plain/x?a=1&a=2", &forged);
    assert_eq!(url, "https://origin.example/plain/x?a=1&a=2");
    assert_eq!(
        remove,
        [
            "authorization",
            "keyward-key-id",
            "keyward_key_id",
            "keyward-scopes",
            "keyward-assertion",
            "x_api_key"
        ]
    );
    assert_eq!(value(&set, "keyward-key-id"), Some("key_1"));
    assert_eq!(value(&set, "keyward-scopes"), Some("a:b c:*"));
    assert_eq!(value(&set, "keyward-owner"), Some("Zo%C3%AB, 100%25"));
    assert_eq!(value(&set, "keyward-kind"), Some("private"));
}

#[test]
fn an_absent_identity_value_leaves_no_header() {
    let mut desk = desk(Kind::Private, "{}");
    desk.record.owner = None;
    let (_, _, set) = desk.forwarded("GET", "/plain/x", &[BEARER]);
    assert_eq!(value(&set, "keyward-owner"), None);
    assert_eq!(value(&set, "keyward-scopes"), None);
}

#[test]
fn every_copy_of_the_key_is_stripped() {
    let mut desk = desk(Kind::Public, r#"{"any_referrer":true}"#);
    let headers = [
        BEARER,
        ("x-copy", "a KEY b"),
        ("cookie", "k=KEY"),
        ("referer", "https://page.example/x?key=KEY"),
        ("accept", "*/*"),
    ];
    let (url, remove, set) =
        desk.forwarded("GET", "/maps/x?a=%20b&key=KEY&c=KEY&%6Bey=KEY&d", &headers);
    assert_eq!(
        url,
        "https://maps.example/maps/x?a=%20b&d&key=maps%20secret"
    );
    assert_eq!(remove, ["authorization", "x-copy", "cookie"]);
    assert_eq!(value(&set, "referer"), Some("https://page.example/"));
}

#[test]
fn the_credential_goes_to_the_origin_and_nothing_of_the_client_stays_in_its_place() {
    let mut desk = desk(Kind::Private, "{}");
    let (url, remove, set) = desk.forwarded(
        "POST",
        "/llm/chat?x",
        &[("x-api-key", "KEY"), ("content-type", "a/b")],
    );
    assert_eq!(url, "https://llm.example/v1/chat?x");
    assert_eq!(remove, ["x-api-key"]);
    assert_eq!(value(&set, "authorization"), Some("Bearer llm-secret"));
    let (_, remove, _) = desk.forwarded(
        "POST",
        "/llm/chat",
        &[("x-api-key", "KEY"), ("authorization", "Basic YTpi")],
    );
    assert_eq!(remove, ["x-api-key", "authorization"]);
}

#[test]
fn a_credential_that_does_not_resolve_sends_nothing() {
    let mut desk = desk(Kind::Private, "{}");
    for target in ["/gone/x", "/padded/x"] {
        let refused = desk.refused("GET", target, &[BEARER]);
        assert_eq!(refused, "500 credential_unavailable", "{target}");
    }
}

#[test]
fn what_connection_names_is_removed_before_ours_are_added() {
    let mut desk = desk(Kind::Private, "{}");
    let headers = [
        BEARER,
        ("connection", "close, X-Drop, keyward-key-id"),
        ("x-drop", "1"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
    ];
    let (_, remove, set) = desk.forwarded("GET", "/plain/x", &headers);
    assert_eq!(
        remove,
        ["authorization", "connection", "x-drop", "te", "upgrade"]
    );
    assert_eq!(value(&set, "keyward-key-id"), Some("key_1"));
}

#[test]
fn a_websocket_keeps_its_upgrade() {
    let mut desk = desk(Kind::Private, "{}");
    let headers = [
        BEARER,
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("origin", "https://gate.example"),
    ];
    let (_, remove, _) = desk.forwarded("GET", "/plain/x", &headers);
    assert_eq!(remove, ["authorization", "connection"]);
}

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

fn answered<'a>(route: usize, kind: Kind, asker: Asker<'a>, headers: &'a str) -> Answered<'a> {
    Answered {
        route,
        kind,
        account: 0,
        asker,
        status: 302,
        headers,
    }
}

fn asker(outcome: Outcome<'_>) -> Asker<'_> {
    match outcome {
        Outcome::Forward { forward, .. } => forward.asker,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_is_cleaned() {
    let mut desk = desk(Kind::Public, r#"{"referrers":["https://page.example"]}"#);
    let text = desk.head(
        "GET",
        "/llm/x",
        &[BEARER, ("origin", "https://page.example")],
    );
    let asker = asker(desk.call(&text));
    let route = desk.gateway.fixed(&text).unwrap().route;
    let headers = "x-echo\nBearer llm-secret\nset-cookie\na=b\naccess-control-allow-origin\n*\ncache-control\npublic, max-age=9\nvary\nAccept\nlocation\nhttps://llm.example/v1/next?x=1\nkeyward-key-id\nx\netag\n\"1\"\n";
    let edits = desk
        .gateway
        .answer(&answered(route, Kind::Public, asker, headers), NOW)
        .unwrap();
    assert_eq!(
        edits.remove,
        [
            "x-echo",
            "set-cookie",
            "access-control-allow-origin",
            "keyward-key-id"
        ]
    );
    let set = |name: &str| {
        edits
            .set
            .iter()
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(set("location"), ["https://gate.example/llm/next?x=1"]);
    assert_eq!(set("cache-control"), ["private, max-age=9"]);
    assert_eq!(set("vary"), ["Accept, Origin"]);
    assert_eq!(set("access-control-allow-origin"), ["https://page.example"]);
}

#[test]
fn a_location_on_the_origin_is_mapped_back_whole() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/llm/x", &[BEARER]);
    let asker = asker(desk.call(&text));
    let route = desk.gateway.fixed(&text).unwrap().route;
    for (sent, expected) in [
        ("/v1/next", "https://gate.example/llm/next"),
        (
            "/v1//evil.example/x",
            "https://gate.example/llm//evil.example/x",
        ),
        (
            "/v1/\\evil.example",
            "https://gate.example/llm/\\evil.example",
        ),
        ("https://llm.example:443/v1/x", "https://gate.example/llm/x"),
        ("https://llm.example/v1", "https://gate.example/llm/"),
    ] {
        let headers = format!("location\n{sent}\n");
        let edits = desk
            .gateway
            .answer(&answered(route, Kind::Private, asker, &headers), NOW)
            .unwrap();
        let location = edits.set.iter().find(|(name, _)| *name == "location");
        assert_eq!(
            location.map(|(_, value)| value.as_str()),
            Some(expected),
            "{sent}"
        );
    }
    for sent in [
        "https://llm.example.evil/v1/x",
        "https://llm.example:444/v1/x",
        "/other",
        "//evil.example/v1/x",
    ] {
        let headers = format!("location\n{sent}\n");
        let edits = desk
            .gateway
            .answer(&answered(route, Kind::Private, asker, &headers), NOW)
            .unwrap();
        assert!(
            edits.set.iter().all(|(name, _)| *name != "location"),
            "{sent}"
        );
    }
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

#[test]
fn a_copy_of_the_key_is_stripped_in_every_spelling() {
    let mut desk = desk(Kind::Private, "{}");
    let encoded = desk.key.replace('_', "%5F");
    let referer = format!("https://page.example/?k={encoded}");
    let headers = [
        BEARER,
        ("referer", referer.as_str()),
        ("x-copy", encoded.as_str()),
    ];
    let (_, remove, set) = desk.forwarded("GET", "/plain/x", &headers);
    assert_eq!(remove, ["authorization", "x-copy"]);
    assert_eq!(value(&set, "referer"), Some("https://page.example/"));
}

#[test]
fn an_answer_that_needs_no_edit_is_handed_back_untouched() {
    let mut desk = desk(Kind::Private, "{}");
    let text = desk.head("GET", "/plain/x", &[BEARER]);
    let asker = asker(desk.call(&text));
    let edits = desk
        .gateway
        .answer(
            &answered(
                0,
                Kind::Private,
                asker,
                "cache-control\nno-store\nconnection\nkeep-alive\ncontent-type\na/b\nlocation\nhttps://elsewhere.example/\n",
            ),
            NOW,
        )
        .unwrap();
    assert!(edits.remove.is_empty() && edits.set.is_empty(), "{edits:?}");
}

#[test]
fn a_preflight_is_answered_before_authentication_and_never_forwarded() {
    let mut desk = desk(Kind::Public, r#"{"any_referrer":true}"#);
    let text = desk.head(
        "OPTIONS",
        "/plain/x",
        &[
            ("origin", "https://page.example"),
            ("access-control-request-method", "POST"),
        ],
    );
    assert!(matches!(desk.call(&text), Outcome::Respond(response) if response.status == 204));
}

#[test]
fn a_preflight_succeeds_where_the_request_will_be_refused_for_its_path_so_that_the_page_reads_why()
{
    let mut desk = desk(Kind::Public, r#"{"any_referrer":true}"#);
    for (target, code) in [
        ("/nowhere/x", "404 route_unknown"),
        ("/plain//x", "400 path_ambiguous"),
        ("/plain/%2e%2e/x", "400 path_ambiguous"),
    ] {
        let page = ("origin", "https://page.example");
        let asked = [
            page,
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        let text = desk.head("OPTIONS", target, &asked);
        let Outcome::Respond(response) = desk.call(&text) else {
            panic!("{target} is not answered")
        };
        let value = |name: &str| {
            response
                .headers
                .iter()
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(response.status, 204, "{target}");
        assert_eq!(
            value("access-control-allow-origin"),
            Some("https://page.example")
        );
        assert_eq!(value("access-control-allow-headers"), Some("authorization"));
        assert_eq!(value("access-control-allow-credentials"), None);
        assert_eq!(value("access-control-max-age"), Some("0"));
        assert_eq!(desk.refused("GET", target, &[page, BEARER]), code);
    }
}
