//! The assertion: a JWT (RFC 7519) signed with Ed25519 (RFC 8037) by which an origin knows that a
//! call came through this deployment, and whose key it was.
//!
//! What is asserted, for how long and under which key is decided here; the signature itself is the
//! runtime's. An assertion is reused for every call of the same claims, so it is not bound to one
//! request: who has seen one can send it for as long as it holds. [`crate::signature`] binds.
//!
//! The oldest entry in force of `KEYWARD_SECRET` signs, so that the key of a new entry has been in the
//! key set for as long as the old one stays in force before the first assertion carries it.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::Serialize;

use crate::derived::Terms;
use crate::keyring::{Entry, Keyring};
use crate::kind::Kind;
use crate::record::Record;
use crate::time::Millis;

/// For how many seconds an assertion holds.
pub const LIFE_S: u64 = 120;
/// After how many seconds another one is made in the background.
pub const RENEWED_S: u64 = 60;
/// After how many seconds it is not sent any more, so that it has not ended on its way.
pub const SENT_S: u64 = 100;
/// For how many seconds the public key of an entry stays in the key set once it is retired: for the
/// deployment that follows, its way to all locations, and the last assertions and signatures.
pub const LISTED_S: u64 = 900;
/// What the header says that the token is (RFC 8725 section 3.11): no other of its issuer's JWTs.
pub const TYPE: &str = "keyward-assertion+jwt";

/// The claims that are the same for every assertion of one key for one origin and user. Those that
/// are absent are left out.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    project: &'a str,
    environment: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
}

/// The claims of a key for an origin, as JSON, but for the times. Equal claims share one assertion.
/// `terms` are those of a derived key.
#[must_use]
pub fn claims(issuer: &str, origin: &str, record: &Record, terms: Option<&Terms>) -> String {
    let held = terms.map_or(&record.restrictions, |terms| {
        terms.scopes(&record.restrictions)
    });
    let kind = terms.map_or(record.kind, |_| Kind::Derived);
    let claims = Claims {
        iss: issuer,
        aud: origin,
        sub: &record.key_id,
        project: &record.project,
        environment: &record.environment,
        kind: kind.as_str(),
        owner: record.owner.as_deref(),
        scopes: held.scopes.iter().map(ToString::to_string).collect(),
        user: terms.and_then(|terms| terms.user.as_deref()),
    };
    // Strings under fixed names: there is nothing in it that JSON could not write.
    serde_json::to_string(&claims).unwrap_or_default()
}

/// An assertion that lacks its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// What is signed (RFC 7515 section 5.1); the assertion is this, a dot and the signature.
    pub input: String,
    /// When it was made.
    pub made: Millis,
    /// From when on another one is to be made in the background.
    pub renewed: Millis,
    /// From when on it must not be sent.
    pub ended: Millis,
}

/// The entry whose key signs: the oldest one in force.
#[must_use]
pub fn signer(keyring: &Keyring) -> &Entry {
    keyring
        .in_force()
        .last()
        .unwrap_or_else(|| keyring.current())
}

/// What to sign for [`claims`]; `None` when they are none.
#[must_use]
pub fn unsigned(claims: &str, key_id: &str, now: Millis) -> Option<Unsigned> {
    let open = claims.strip_suffix('}')?;
    let issued = now.0 / 1000;
    let header = format!(r#"{{"alg":"EdDSA","typ":"{TYPE}","kid":"{key_id}"}}"#);
    let payload = format!(r#"{open},"iat":{issued},"exp":{}}}"#, issued + LIFE_S);
    let encoded = Base64UrlUnpadded::encode_string;
    Some(Unsigned {
        input: format!(
            "{}.{}",
            encoded(header.as_bytes()),
            encoded(payload.as_bytes())
        ),
        made: now,
        renewed: now.plus(RENEWED_S * 1000),
        ended: now.plus(SENT_S * 1000),
    })
}

/// The key set (RFC 7517 section 5): of every entry in force, so that no origin meets a key that it
/// could not have read before, and of those that were retired just now, so that what they signed last
/// is believed to its end. `public_keys` are base64url, in the order of [`Keyring::signing`].
#[must_use]
pub fn key_set<'a>(
    keyring: &Keyring,
    public_keys: impl Iterator<Item = &'a str>,
    now: Millis,
) -> String {
    let mut text = String::from("{\"keys\":[");
    let all = keyring.signing().zip(public_keys);
    let listed = all.filter(|(entry, _)| entry.is_listed(now));
    for (number, (entry, x)) in listed.enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(r#"{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":""#);
        text.push_str(entry.assertion_key_id());
        text.push_str(r#"","x":""#);
        text.push_str(x);
        text.push_str("\"}");
    }
    text.push_str("]}\n");
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "b2:YW5vdGhlci1lbnRyeS1vZi0zMi1ieXRlcy1hbmQtbW9yZQ,a1:dGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQ";

    fn record(fields: &Value) -> Record {
        let mut value = json!({
            "schema": 1, "project": "acme", "environment": "live", "key_id": "key_1",
            "secret_id": "sec_1", "kind": "private", "version": 1, "status": "active",
        });
        for (name, field) in fields.as_object().unwrap() {
            value[name] = field.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    fn decoded(input: &str) -> (Value, Value) {
        let part = |text| {
            let bytes = Base64UrlUnpadded::decode_vec(text).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        let (header, payload) = input.split_once('.').unwrap();
        (part(header), part(payload))
    }

    #[test]
    fn an_assertion_says_who_calls_whom_and_for_how_long() {
        let record = record(&json!({
            "owner": "Zoë \"the\" owner", "restrictions": {"scopes": ["files:read", "chat:*"]},
        }));
        let claims = claims(
            "https://gate.example",
            "https://o.example:8443",
            &record,
            None,
        );
        let unsigned = unsigned(&claims, "the-key", Millis(1_700_000_000_999)).unwrap();
        let (header, payload) = decoded(&unsigned.input);
        assert_eq!(
            header,
            json!({"alg": "EdDSA", "typ": "keyward-assertion+jwt", "kid": "the-key"})
        );
        assert_eq!(
            payload,
            json!({
                "iss": "https://gate.example", "aud": "https://o.example:8443", "sub": "key_1",
                "project": "acme", "environment": "live", "kind": "private",
                "owner": "Zoë \"the\" owner", "scopes": ["files:read", "chat:*"],
                "iat": 1_700_000_000, "exp": 1_700_000_120,
            })
        );
        let ages = [unsigned.made, unsigned.renewed, unsigned.ended]
            .map(|at| at.since(Millis(1_700_000_000_999)));
        assert_eq!(ages, [0, 60_000, 100_000]);
    }

    #[test]
    fn what_is_absent_is_left_out_and_a_derived_key_says_its_own() {
        let parent = record(&json!({"restrictions": {"scopes": ["chat:*"]}}));
        let plain = claims("i", "o", &record(&json!({})), None);
        for name in ["owner", "scopes", "user"] {
            assert!(!plain.contains(name), "{plain}");
        }
        let terms = |scopes: Value| Terms {
            user: Some("u-7".to_owned()),
            restrictions: serde_json::from_value(scopes).unwrap(),
            ..Terms::until(Millis(1))
        };
        for (scopes, expected) in [
            (json!({"scopes": ["chat:read"]}), json!(["chat:read"])),
            (json!({}), json!(["chat:*"])),
        ] {
            let bound = claims("i", "o", &parent, Some(&terms(scopes)));
            let (_, payload) = decoded(&unsigned(&bound, "k", Millis(0)).unwrap().input);
            assert_eq!(payload["user"], "u-7");
            assert_eq!(payload["kind"], "derived");
            assert_eq!(payload["scopes"], expected);
        }
        assert_eq!(unsigned("", "k", Millis(0)), None);
    }

    #[test]
    fn the_oldest_entry_in_force_signs_and_the_set_has_all_of_them() {
        let keyring = Keyring::parse(SECRET).unwrap();
        assert_eq!(signer(&keyring).id(), "a1");
        let set: Value =
            serde_json::from_str(&key_set(&keyring, ["new", "old"].into_iter(), Millis(0)))
                .unwrap();
        let kids: Vec<_> = keyring.in_force().map(Entry::assertion_key_id).collect();
        assert_eq!(kids.len(), 2);
        assert_ne!(kids[0], kids[1]);
        for (number, x) in ["new", "old"].into_iter().enumerate() {
            assert_eq!(
                set["keys"][number],
                json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                    "kid": kids[number], "x": x,
                })
            );
        }
        let retired = Keyring::parse(&SECRET.replace("a1:", "-a1:")).unwrap();
        assert_eq!(signer(&retired).id(), "b2");
        assert!(!key_set(&retired, ["new", "old"].into_iter(), Millis(0)).contains(kids[1]));
    }

    #[test]
    fn a_retired_entry_signs_nothing_and_stays_in_the_set_until_its_time() {
        let keyring = Keyring::parse(&SECRET.replace("a1:", "-a1@1700000000:")).unwrap();
        assert_eq!(signer(&keyring).id(), "b2");
        let ids: Vec<_> = keyring.signing().map(Entry::id).collect();
        assert_eq!(ids, ["b2", "a1"]);
        for (now, keys) in [(1_699_999_999_999, 2), (1_700_000_000_000, 1)] {
            let set = key_set(&keyring, ["new", "old"].into_iter(), Millis(now));
            assert_eq!(set.matches("\"kid\"").count(), keys, "{set}");
            assert!(set.contains(r#""x":"new""#));
        }
    }
}
