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
#[path = "../desk/mod.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod desk;
mod forwarding;
mod records;
mod refusals;

use keyward_core::gateway::{Gateway, Outcome};
use keyward_core::head::Head;
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::names::record_name;
use keyward_core::record::Record;
use keyward_core::records::{Load, Loaded, Stored};
use keyward_core::route::Routes;
use keyward_core::secret::Digest;

use self::desk::{NOW, keyring, native, record};

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
    let record = Record {
        owner: Some("Zoë, 100%".into()),
        restrictions: serde_json::from_str(restrictions).unwrap(),
        ..record(kind, false)
    };
    Desk {
        gateway: Gateway::new(routes, keyring(), &lookup, 1),
        keyring: keyring(),
        key: native(kind, 7),
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

    /// The URL, the client's headers that do not stay as they were, and those that are set.
    fn forwarded(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> (String, Vec<String>, Vec<(String, String)>) {
        let text = self.head(method, target, headers);
        match self.call(&text) {
            Outcome::Forward { forward, .. } => {
                let fixed = self.gateway.fixed(&text).unwrap();
                let head = Head::parse(&text).unwrap();
                let url = forward.url;
                let url = url.unwrap_or_else(|| format!("{}{}", fixed.origin, head.target));
                // As the entry sets them: the last of a name stands.
                let mut set = fixed.set;
                for (name, value) in forward.set {
                    set.retain(|(other, _)| other != name);
                    set.push((name.to_owned(), value));
                }
                // What of the client's headers does not stay as it was.
                let goes = |name: &str| {
                    let set = set.iter().any(|(other, _)| other == name);
                    set || fixed.remove.iter().any(|other| other == name)
                        || forward.remove.contains(&name)
                };
                let names = head.headers().map(|(name, _)| name);
                let remove = names.filter(|name| goes(name)).map(str::to_owned).collect();
                (url, remove, set)
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
