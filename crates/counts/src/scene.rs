//! A gateway, its keys and their records: what functions are prepared with. Nothing is random.

use keyward_core::derived::seal;
use keyward_core::gateway::{Ask, Gateway, Outcome, Reply, Waited};
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::lease::ASKS_PER_S;
use keyward_core::lease::meter::Meter;
use keyward_core::metering::{Exchanged, MeterCall, MeterCommand, MeterReply};
use keyward_core::names::record_name;
use keyward_core::record::Record;
use keyward_core::records::{Loaded, Stored};
use keyward_core::route::Routes;
use keyward_core::secret::{Digest, derivation_key};
use keyward_core::time::Millis;
use serde_json::{Value, json};

pub(crate) const NOW: Millis = Millis(1_795_262_400_000);

/// What the platform and every client add to a request.
const COMMON: &str = "accept\n*/*\naccept-encoding\ngzip, br\ncf-connecting-ip\n192.0.2.7\ncf-ipcountry\nNZ\ncf-ray\n8f2a1b3c4d5e6f70-AKL\nhost\ngate.example\nuser-agent\nMozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\n";
/// What a browser adds for a page.
pub(crate) const PAGE: &str = "origin\nhttps://www.example.com\nreferer\nhttps://www.example.com/app\nsec-fetch-mode\ncors\nsec-fetch-site\ncross-site\n";
/// The headers of a plain answer that no shared cache may keep.
pub(crate) const ANSWER: &str = "cache-control\nprivate\ncontent-length\n20\ncontent-type\napplication/json\ndate\nSat, 21 Nov 2026 19:00:00 GMT\nserver\nnginx\n";

pub(crate) fn keyring() -> Keyring {
    Keyring::parse("a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").expect("a keyring")
}

/// What KV holds of a private key that derives.
pub(crate) fn parent(secret: &str, fields: &Value) -> Record {
    let mut parent = record(Kind::Private, fields);
    let (digest, key) = (Digest::of(secret), derivation_key(secret));
    let text = seal(keyring().current(), "acme", "key_1", &digest, &key);
    parent.derivation = Some(text);
    parent
}

/// So many routes; those of calls come last in the file, so that none is found by its place.
pub(crate) fn routes(count: usize) -> Routes {
    let last = json!({"path": "/v1/**", "origin": "https://origin.example"});
    compiled(count, last, &json!({}))
}

fn compiled(count: usize, last: Value, gateway: &Value) -> Routes {
    let other = |number: usize| json!({"path": format!("/service-{number}/**"), "origin": "https://other.example"});
    let mut routes: Vec<Value> = (1..count).map(other).collect();
    routes.push(last);
    let file = json!({"gateway": gateway, "route": routes});
    let file = serde_json::from_value(file).expect("routes of the right form");
    Routes::compile(&file, &|_| None).expect("valid routes")
}

pub(crate) fn secret(kind: Kind) -> String {
    let mut next = 7_u8;
    let mut fill = |bytes: &mut [u8]| {
        for byte in bytes {
            next = next.wrapping_mul(73).wrapping_add(41);
            *byte = next;
        }
    };
    keyring()
        .mint("kw", kind, "live", &mut fill)
        .expose()
        .to_owned()
}

/// The same secret with another last character: its checksum is wrong.
pub(crate) fn misspelt(secret: &str) -> String {
    let (start, last) = secret.split_at(secret.len() - 1);
    format!("{start}{}", if last == "A" { "B" } else { "A" })
}

/// A key's record; `fields` replace those of a key that may do anything its kind may.
pub(crate) fn record(kind: Kind, fields: &Value) -> Record {
    let mut record = json!({
        "schema": 1, "project": "acme", "environment": "live", "key_id": "key_1", "secret_id": "sec_1",
        "kind": kind, "version": 1, "status": "active",
    });
    for (name, value) in fields.as_object().expect("an object") {
        record[name] = value.clone();
    }
    serde_json::from_value(record).expect("a record")
}

/// What KV holds for a secret.
pub(crate) fn sealed(record: &Record, secret: &str) -> String {
    let keyring = keyring();
    let name = record_name(keyring.current(), &Digest::of(secret));
    record.seal(keyring.current(), &name)
}

pub(crate) fn head(method: &str, path: &str, secret: Option<&str>, more: &str) -> String {
    let key = secret.map_or(String::new(), |secret| {
        format!("authorization\nBearer {secret}\n")
    });
    format!("{method}\nhttps://gate.example{path}\n{key}{COMMON}{more}")
}

/// An isolate's gateway, KV with one record, and the meter of its key.
pub(crate) struct Scene {
    pub(crate) gateway: Gateway,
    kv: Option<String>,
    meter: Meter,
}

impl Scene {
    /// `held`: the secret that KV knows, and its record.
    pub(crate) fn new(held: Option<(&str, &Record)>) -> Self {
        Self::of(routes(10), held)
    }

    /// The same, with another last route.
    pub(crate) fn with(last: Value, held: (&str, &Record)) -> Self {
        let gateway = json!({"issuer": "https://gate.example"});
        Self::of(compiled(10, last, &gateway), Some(held))
    }

    fn of(routes: Routes, held: Option<(&str, &Record)>) -> Self {
        let limits = held.map(|(_, record)| record.limits.clone());
        let signing = |_: &str| Some("a-secret-that-both-sides-share-0123".to_owned());
        Self {
            gateway: Gateway::new(routes, keyring(), &signing, 1),
            kv: held.map(|(secret, record)| sealed(record, secret)),
            meter: Meter::new(limits.unwrap_or_default(), ASKS_PER_S, NOW),
        }
    }

    /// Makes a call with all that it waits for.
    pub(crate) fn call<'a>(&mut self, head: &'a str) -> Outcome<'a> {
        let mut outcome = self.gateway.handle(head, NOW, None);
        loop {
            outcome = match outcome {
                Outcome::Load(load) => {
                    let stored = self.kv.as_deref().map_or(Stored::Missing, Stored::Found);
                    let attempt = load.attempt;
                    let loaded = Some(Loaded { attempt, stored });
                    self.gateway.handle(head, NOW, loaded)
                }
                Outcome::Ask(ask) => self.ask(head, &ask),
                outcome => return outcome,
            };
        }
    }

    fn ask<'a>(&mut self, head: &'a str, ask: &Ask) -> Outcome<'a> {
        let question = ask.questions.first().expect("a question");
        let call: MeterCall = serde_json::from_str(&question.body).expect("a call of a meter");
        let MeterCommand::Exchange(exchange) = call.command else {
            panic!("{}", question.body)
        };
        let reply = MeterReply::Exchanged(Box::new(Exchanged {
            answer: self.meter.take(&exchange.ask, NOW),
            news: None,
            usage: exchange.usage.map(|report| report.number),
        }));
        let text = serde_json::to_string(&reply).expect("a reply");
        let reply = Reply {
            account: question.account,
            number: question.number,
            text: &text,
        };
        let waited = Waited {
            patience: ask.patience,
            replies: &[reply],
            ..Waited::default()
        };
        self.gateway.resume(head, NOW, waited)
    }
}
