//! A gateway with a KV of one record, for tests that call and look.

use keyward_core::answer::{Asker, Edits};
use keyward_core::gateway::{Answered, Gateway, Outcome};
use keyward_core::keyring::{Entry, Keyring};
use keyward_core::kind::Kind;
use keyward_core::names::record_name;
use keyward_core::record::{Record, SCHEMA, Status};
use keyward_core::records::{Load, Loaded, Stored};
use keyward_core::restrict::Restrictions;
use keyward_core::route::Routes;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use serde_json::Value;

pub(crate) const NOW: Millis = Millis(1_795_262_400_000);
const KEYRING: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

pub(crate) struct Desk {
    pub(crate) gateway: Gateway,
    keyring: Keyring,
    pub(crate) now: Millis,
}

/// What came of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `ok`, or the code of the refusal.
    pub(crate) code: String,
    /// Whether KV was read for it.
    pub(crate) read: bool,
}

impl Desk {
    pub(crate) fn new(routes: &str) -> Self {
        let routes = Routes::compile(&serde_json::from_str(routes).unwrap(), &|_| None).unwrap();
        Self {
            gateway: Gateway::new(routes, keyring(), &|_| None, 1),
            keyring: keyring(),
            now: NOW,
        }
    }

    /// One call with a secret in `X-API-Key`, and what KV holds for that.
    pub(crate) fn call(&mut self, path: &str, secret: &str, held: Option<&Record>) -> Answer {
        let head = format!("GET\nhttps://gate.example{path}\nx-api-key\n{secret}\n");
        self.ask(&head, secret, held)
    }

    /// One call with any head.
    pub(crate) fn ask(&mut self, head: &str, secret: &str, held: Option<&Record>) -> Answer {
        let entry = self.keyring.current();
        let value = held.map(|record| sealed(entry, record, secret));
        let stored = value.as_deref().map_or(Stored::Missing, Stored::Found);
        match self.gateway.handle(head, self.now, None) {
            Outcome::Load(Load { attempt, name, .. }) => {
                assert_eq!(name, record_name(entry, &Digest::of(secret)));
                let loaded = Some(Loaded { attempt, stored });
                answer(&self.gateway.handle(head, self.now, loaded), true)
            }
            outcome => answer(&outcome, false),
        }
    }
}

fn answer(outcome: &Outcome<'_>, read: bool) -> Answer {
    let code = match outcome {
        Outcome::Forward { .. } => "ok".to_owned(),
        Outcome::Respond(response) => {
            let problem: Value = serde_json::from_str(&response.body).unwrap();
            problem["code"].as_str().unwrap().to_owned()
        }
        outcome => panic!("{outcome:?}"),
    };
    Answer { code, read }
}

/// The origin answers what was just let through, and says nothing of its own.
pub(crate) fn answered<'a>(
    gateway: &mut Gateway,
    head: &str,
    asker: Asker<'a>,
    now: Millis,
) -> Edits<'a> {
    let fixed = gateway.fixed(head).unwrap();
    let answered = Answered {
        route: fixed.route,
        kind: fixed.kind,
        account: fixed.account,
        asker,
        secret: "",
        status: 200,
        headers: "",
    };
    gateway.answer(&answered, now).unwrap()
}

pub(crate) fn keyring() -> Keyring {
    Keyring::parse(KEYRING).unwrap()
}

/// What KV holds for a secret.
pub(crate) fn sealed(entry: &Entry, record: &Record, secret: &str) -> String {
    record.seal(entry, &record_name(entry, &Digest::of(secret)))
}

/// A secret of this deployment; another `start` gives another one.
pub(crate) fn native(kind: Kind, start: u8) -> String {
    let mut next = start;
    let mut fill = |bytes: &mut [u8]| {
        for byte in bytes {
            next = next.wrapping_mul(73).wrapping_add(41);
            *byte = next;
        }
    };
    let minted = keyring().mint("kw", kind, "live", &mut fill);
    minted.expose().to_owned()
}

/// A key without restrictions but for what its kind demands.
pub(crate) fn record(kind: Kind, imported: bool) -> Record {
    let restrictions = if kind == Kind::Public {
        r#"{"any_referrer":true}"#
    } else {
        "{}"
    };
    Record {
        schema: SCHEMA,
        project: "acme".into(),
        environment: "live".into(),
        key_id: "key_1".into(),
        secret_id: "sec_1".into(),
        kind,
        version: 1,
        status: Status::Active,
        owner: None,
        not_before: None,
        expires_at: None,
        not_after: None,
        imported,
        restrictions: serde_json::from_str::<Restrictions>(restrictions).unwrap(),
        limits: keyward_core::limits::Limits::default(),
        owner_limits: None,
        revocation: None,
        derivation: None,
    }
}
