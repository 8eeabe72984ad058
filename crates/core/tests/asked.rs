//! Who asks about a call is told what the call itself would be: one decision, in three forms.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod desk;

use keyward_core::gateway::{Gateway, Outcome};
use keyward_core::kind::Kind;
use keyward_core::record::{Record, RevocationMode, Status};
use keyward_core::records::{Load, Loaded, Stored};
use keyward_core::route::Routes;
use keyward_core::time::Millis;
use keyward_core::verify::VerifyKeys;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::desk::{NOW, keyring, native, record, sealed};

const ASKER: &str = "0123456789abcdef0123456789abcdef";
const ROUTES: &str = r#"{"route":[
    {"host":"api.example","path":"/v1/**","origin":"https://origin.example","require":[{"rule":"POST /v1/**","scopes":["a:write"]}]},
    {"host":"api.example","path":"/live/**","origin":"https://origin.example","environments":["test"]},
    {"path":"/servers/**","origin":"https://origin.example","accepts":["private"],"projects":["acme"]},
    {"path":"/session/**","origin":"https://origin.example","accepts":["session","private"]},
    {"path":"/odd/**","origin":"https://origin.example","allow_ambiguous_paths":true}
]}"#;

const METHODS: &[&str] = &["GET", "POST", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
const HOSTS: &[&str] = &[
    "api.example",
    "API.Example",
    "other.example",
    "api.example:8443",
];
const TARGETS: &[&str] = &[
    "/",
    "/v1/x",
    "/v1/%7Ex?y=/servers/x",
    "/v1/../servers/x",
    "/v1/a%2Fb",
    "/v1//x",
    "/v1/x;y",
    "/live/x",
    "/servers/x",
    "/session/x",
    "/odd/a%2Fb",
    "/odd/../v1/x",
    "/elsewhere",
    "/_keyward/healthz",
    "/%5Fkeyward/v1/projects",
    "/v1/%ff",
    "/v1/%252e",
];
const ORIGINS: &[&str] = &[
    "",
    "https://app.example",
    "https://evil.example",
    "null",
    "x",
];
const ADDRESSES: &[&str] = &["192.0.2.1", "198.51.100.1", "2001:db8::1"];
const RESTRICTIONS: &[&str] = &[
    r#"{"any_referrer":true}"#,
    r#"{"referrers":["https://app.example"]}"#,
    r#"{"any_referrer":true,"ips":["192.0.2.0/24"]}"#,
    r#"{"any_referrer":true,"paths":["GET /v1/**","POST /odd/**"]}"#,
    r#"{"any_referrer":true,"scopes":["a:*"]}"#,
];

struct Desk {
    gateway: Gateway,
    value: String,
    key: String,
}

fn desk(kind: Kind, restrictions: &str, status: Status, expires_at: Option<Millis>) -> Desk {
    let routes = Routes::compile(&serde_json::from_str(ROUTES).unwrap(), &|_| None).unwrap();
    let key = native(kind, 7);
    let held = Record {
        status,
        expires_at,
        restrictions: serde_json::from_str(restrictions).unwrap(),
        revocation: Some(RevocationMode::Eventual),
        ..record(kind, false)
    };
    let keys = format!("acme:{ASKER},other:{ASKER}{ASKER}");
    Desk {
        value: sealed(keyring().current(), &held, &key),
        key,
        gateway: Gateway::new(routes, keyring(), &|_| None, 1)
            .with_verify_keys(VerifyKeys::parse(&keys).unwrap()),
    }
}

impl Desk {
    /// The code of the answer to a request; `ok` where it is let through.
    fn code(&mut self, text: &str, said: impl Fn(&str) -> Option<String>) -> String {
        let outcome = match self.gateway.handle(text, NOW, None) {
            Outcome::Load(Load { attempt, .. }) => {
                let stored = Stored::Found(&self.value);
                let loaded = Loaded { attempt, stored };
                self.gateway.handle(text, NOW, Some(loaded))
            }
            outcome => outcome,
        };
        match outcome {
            Outcome::Forward { .. } => "ok".to_owned(),
            Outcome::Respond(response) => said(&response.body).unwrap_or_else(|| "ok".to_owned()),
            other => panic!("{other:?}"),
        }
    }
}

fn code_of(body: &str) -> Option<String> {
    let document: Value = serde_json::from_str(body).ok()?;
    Some(document["code"].as_str()?.to_owned())
}

/// A call as a client sends it.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    host: &'static str,
    target: &'static str,
    origin: &'static str,
    address: &'static str,
}

impl Sent {
    fn url(&self) -> String {
        format!("https://{}{}", self.host, self.target)
    }

    fn proxied(&self, key: &str) -> String {
        let Self {
            method,
            origin,
            address,
            ..
        } = self;
        let url = self.url();
        format!(
            "{method}\n{url}\ncf-connecting-ip\n{address}\nx-api-key\n{key}\norigin\n{origin}\n"
        )
    }

    fn forwarded(&self, key: &str, asker: &str) -> String {
        let Self {
            method,
            host,
            target,
            origin,
            address,
        } = self;
        format!(
            "GET\nhttps://gate.example/_keyward/v1/forward-auth\nkeyward-verify-key\n{asker}\nx-forwarded-method\n{method}\nx-forwarded-uri\n{target}\nx-forwarded-host\n{host}\nx-forwarded-proto\nhttps\nx-forwarded-for\n{address}\nx-api-key\n{key}\norigin\n{origin}\n"
        )
    }

    fn inquired(&self, key: &str, asker: &str) -> String {
        let question = json!({
            "key": key, "method": self.method, "url": self.url(),
            "headers": {"origin": self.origin}, "ip": self.address,
        });
        format!(
            "POST\nhttps://gate.example/_keyward/v1/verify\nkeyward-verify-key\n{asker}\ncontent-type\napplication/json\n:body\n {question}\n"
        )
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    use prop::sample::select;
    let parts = (
        select(METHODS),
        select(HOSTS),
        select(TARGETS),
        select(ORIGINS),
        select(ADDRESSES),
    );
    parts.prop_map(|(method, host, target, origin, address)| Sent {
        method,
        host,
        target,
        origin,
        address,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn who_asks_is_told_what_the_call_would_be(
        sent in sent(),
        public in any::<bool>(),
        restrictions in prop::sample::select(RESTRICTIONS),
        status in prop::sample::select(&[Status::Active, Status::Active, Status::Disabled, Status::Revoked, Status::Deleted][..]),
        expired in prop::option::of(any::<bool>()),
    ) {
        let kind = if public { Kind::Public } else { Kind::Private };
        let expires_at = expired.map(|expired| if expired { NOW } else { NOW.plus(1) });
        let mut desk = desk(kind, restrictions, status, expires_at);
        let key = desk.key.clone();
        let asked = desk.code(&sent.forwarded(&key, ASKER), code_of);
        let inquired = desk.code(&sent.inquired(&key, ASKER), |body| {
            code_of(body).filter(|code| code != "ok")
        });
        prop_assert_eq!(&asked, &inquired);
        let own = sent.target.contains("eyward");
        if own {
            prop_assert!(asked != "ok");
        } else {
            prop_assert_eq!(&asked, &desk.code(&sent.proxied(&key), code_of));
        }
        // Another project's asker learns no more than of a key that does not exist.
        let elsewhere = format!("{ASKER}{ASKER}");
        let told = desk.code(&sent.forwarded(&key, &elsewhere), code_of);
        let of_none = desk.code(&sent.forwarded("rubbish", &elsewhere), code_of);
        prop_assert_eq!(told, of_none);
    }

    #[test]
    fn nothing_that_is_said_of_a_call_panics(
        values in prop::collection::vec("[ -~é]{0,30}", 8),
        body in "[ -~é]{0,80}",
    ) {
        let mut desk = desk(Kind::Private, "{}", Status::Active, None);
        let names = ["x-forwarded-method", "x-forwarded-uri", "x-original-url", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "cf-connecting-ip", "origin"];
        let lines: String = names.iter().zip(&values).map(|(name, value)| format!("{name}\n{value}\n")).collect();
        let text = format!("GET\nhttps://gate.example/_keyward/v1/forward-auth/{}\nkeyward-verify-key\n{ASKER}\n{lines}", values[0].replace(' ', "/"));
        prop_assert!(desk.code(&text, code_of) != "ok");
        let text = format!("POST\nhttps://gate.example/_keyward/v1/verify\nkeyward-verify-key\n{ASKER}\ncontent-type\napplication/json\n:body\n {body}\n");
        prop_assert!(desk.code(&text, code_of) != "ok");
    }
}

#[test]
fn no_preflight_is_let_through_that_is_to_be_refused() {
    const PREFLIGHT: &str = "origin\nhttps://app.example\naccess-control-request-method\nGET\n";
    let mut desk = desk(Kind::Private, "{}", Status::Active, None);
    let sent = Sent {
        method: "OPTIONS",
        host: "api.example",
        target: "/v1/x",
        origin: "https://app.example",
        address: "192.0.2.1",
    };
    let asks = |asker: &str| {
        let ask = sent.forwarded("", asker).replacen("GET", "OPTIONS", 1);
        ask.replace("origin\nhttps://app.example\n", PREFLIGHT)
    };
    let large = format!("{}x-large\n{}\n", asks(ASKER), "x".repeat(200_000));
    let elsewhere = asks("x").replace("v1/forward-auth", "v1/forward%2Dauth/more");
    let verify = asks("x").replace("v1/forward-auth", "v1/verify");
    for (ask, status) in [
        (asks("x"), 401),
        (asks(ASKER), 401),
        (elsewhere, 401),
        (verify, 401),
        (large, 431),
    ] {
        match desk.gateway.handle(&ask, NOW, None) {
            Outcome::Respond(response) => assert_eq!(response.status, status, "{response:?}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Answers the read of the record, if there is one.
fn served<'a>(desk: &mut Desk, text: &'a str, now: Millis) -> Outcome<'a> {
    match desk.gateway.handle(text, now, None) {
        Outcome::Load(Load { attempt, .. }) => {
            let stored = Stored::Found(&desk.value);
            desk.gateway
                .handle(text, now, Some(Loaded { attempt, stored }))
        }
        outcome => outcome,
    }
}

#[test]
fn a_question_that_costs_nothing_keeps_in_touch_with_the_meter_all_the_same() {
    let mut desk = desk(Kind::Private, "{}", Status::Active, None);
    let question = json!({"key": desk.key, "cost": 0});
    let text = format!(
        "POST\nhttps://gate.example/_keyward/v1/verify\nkeyward-verify-key\n{ASKER}\ncontent-type\napplication/json\n:body\n {question}\n"
    );
    let Outcome::Respond(response) = served(&mut desk, &text, NOW) else {
        panic!("no answer");
    };
    assert_eq!(response.status, 200);
    assert!(response.work.key.iter().any(Option::is_some));
}

#[test]
fn an_exchange_loses_no_background_work() {
    let restrictions = r#"{"referrers":["https://app.example"]}"#;
    let mut desk = desk(Kind::Public, restrictions, Status::Active, None);
    let text = format!(
        "POST\nhttps://gate.example/_keyward/v1/session\nauthorization\nBearer {}\norigin\nhttps://app.example\n",
        desk.key
    );
    for (now, refreshed) in [(NOW, false), (NOW.plus(20_000), true)] {
        let Outcome::Respond(response) = served(&mut desk, &text, now) else {
            panic!("no answer");
        };
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.work.refresh.is_some(), refreshed);
    }
}

#[test]
fn a_made_up_key_is_read_nowhere_for_an_exchange() {
    let mut desk = desk(Kind::Public, "{}", Status::Active, None);
    let altered = format!("{}0", &desk.key[..desk.key.len() - 1]);
    let derived = format!("kw_dk_live_1{}", "A".repeat(120));
    for key in [
        altered.as_str(),
        &derived,
        "an-imported-key-of-many-characters",
    ] {
        let text = format!(
            "POST\nhttps://gate.example/_keyward/v1/session\nauthorization\nBearer {key}\norigin\nhttps://app.example\n"
        );
        match desk.gateway.handle(&text, NOW, None) {
            Outcome::Respond(response) => assert!(response.status >= 400, "{key}"),
            other => panic!("{key}: {other:?}"),
        }
    }
}
