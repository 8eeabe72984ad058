//! The way of a request through the gateway, on the host: what is loaded, refused, forwarded.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod answers;
mod forwarding;
mod records;
mod refusals;

use keyward_core::gateway::{Gateway, Outcome};
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
