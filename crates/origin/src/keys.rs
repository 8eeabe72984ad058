//! The gateway's key set (RFC 7517), kept and renewed.
//!
//! - After five minutes it is read again in the background, while calls go on with what is known.
//! - After ten minutes nothing is accepted by it any more: it is read first. So no key that was taken
//!   out of it in the meantime comes to life again after a pause, or while it cannot be read.
//! - A key that is not in it is looked for at most once a minute, whoever asks.
//! - A key that is gone from the set is gone: the gateway lists one that was retired until what it signed
//!   last has ended.

use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::VerifyingKey;
use serde::Deserialize;

use crate::Reason;

const FRESH: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_secs(60);
/// As long as nothing may be accepted at all.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LIFE: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    x: String,
}

impl Jwk {
    /// Keys of other kinds are passed over (RFC 7517 section 5).
    fn key(self) -> Option<(String, VerifyingKey)> {
        if self.kty != "OKP" || self.crv != "Ed25519" || self.kid.is_empty() {
            return None;
        }
        let bytes = Base64UrlUnpadded::decode_vec(&self.x).ok()?;
        let key = VerifyingKey::from_bytes(bytes.as_slice().try_into().ok()?).ok()?;
        (!key.is_weak()).then_some((self.kid, key))
    }
}

/// The keys of a key set; `None` when it is none, or has no key to verify with.
pub(crate) fn parse(text: &str) -> Option<Vec<(String, VerifyingKey)>> {
    let document: Document = serde_json::from_str(text).ok()?;
    let keys: Vec<_> = document.keys.into_iter().filter_map(Jwk::key).collect();
    (!keys.is_empty()).then_some(keys)
}

/// What is known of the key set.
#[derive(Default)]
pub(crate) struct Keys {
    known: Vec<(String, VerifyingKey)>,
    read: Option<Instant>,
    tried: Option<Instant>,
}

/// What is to be done for a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Key(VerifyingKey),
    /// It is known, and the set is to be read again in the background.
    Renew(VerifyingKey),
    /// The set is to be read first.
    Read,
    Refused(Reason),
}

impl Keys {
    pub(crate) fn find(&self, id: &str, now: Instant) -> Found {
        let age = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        let (read, tried) = (age(self.read), age(self.tried));
        let usable = read.is_some_and(|age| age < LIFE);
        let pause = if usable { PAUSE } else { FIRST_PAUSE };
        let may_read = tried.is_none_or(|age| age >= pause);
        let mut known = self.known.iter().filter(|_| usable);
        let known = known.find(|(known, _)| known == id).map(|(_, key)| *key);
        match (known, may_read) {
            (Some(key), true) if read.is_some_and(|age| age >= FRESH) => Found::Renew(key),
            (Some(key), _) => Found::Key(key),
            (None, true) => Found::Read,
            (None, false) if usable => Found::Refused(Reason::UnknownKey),
            (None, false) => Found::Refused(Reason::KeysUnavailable),
        }
    }

    /// The set is about to be read.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.tried = Some(now);
    }

    /// Takes in what was read.
    pub(crate) fn renew(&mut self, keys: Vec<(String, VerifyingKey)>, now: Instant) {
        self.known = keys;
        self.read = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use serde_json::json;

    use super::*;

    fn key(seed: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[seed; 32]).verifying_key()
    }

    fn set(seeds: &[u8]) -> Vec<(String, VerifyingKey)> {
        seeds
            .iter()
            .map(|seed| (format!("k{seed}"), key(*seed)))
            .collect()
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn jwk(key: &VerifyingKey) -> serde_json::Value {
        let x = Base64UrlUnpadded::encode_string(key.as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "k1", "x": x})
    }

    #[test]
    fn a_key_set_is_read_and_keys_of_other_kinds_are_passed_over() {
        let mut others = vec![
            jwk(&key(1)),
            json!({"kty": "RSA", "kid": "r", "n": "x", "e": "AQAB"}),
        ];
        for (name, value) in [
            ("x", json!("AAAA")),
            ("kid", json!("")),
            ("crv", json!("X25519")),
        ] {
            let mut other = jwk(&key(2));
            other[name] = value;
            others.push(other);
        }
        assert_eq!(parse(&json!({"keys": others}).to_string()), Some(set(&[1])));
        for text in [
            "",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"RSA"}]}"#,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_point_under_which_many_signatures_verify_is_no_key() {
        let mut weak = jwk(&key(1));
        weak["x"] = json!(Base64UrlUnpadded::encode_string(&[0; 32]));
        assert_eq!(parse(&json!({"keys": [weak]}).to_string()), None);
    }

    #[test]
    fn an_unknown_key_is_looked_for_at_most_once_a_minute() {
        let start = Instant::now();
        let mut keys = Keys::default();
        assert_eq!(keys.find("k1", start), Found::Read);
        keys.begin(start);
        assert_eq!(
            keys.find("k1", start),
            Found::Refused(Reason::KeysUnavailable)
        );
        keys.renew(set(&[1]), start);
        assert_eq!(keys.find("k1", start), Found::Key(key(1)));
        assert_eq!(
            keys.find("k2", start + s(59)),
            Found::Refused(Reason::UnknownKey)
        );
        assert_eq!(keys.find("k2", start + s(60)), Found::Read);
        keys.begin(start + s(60));
        assert_eq!(
            keys.find("k2", start + s(119)),
            Found::Refused(Reason::UnknownKey)
        );
        assert_eq!(keys.find("k1", start + s(119)), Found::Key(key(1)));
    }

    #[test]
    fn what_cannot_be_read_leaves_what_is_known_for_ten_minutes() {
        let start = Instant::now();
        let mut keys = Keys::default();
        keys.begin(start);
        assert_eq!(
            keys.find("k1", start + s(5)),
            Found::Read,
            "a first failure is soon repaired"
        );
        keys.renew(set(&[1]), start);
        assert_eq!(keys.find("k1", start + s(299)), Found::Key(key(1)));
        assert_eq!(keys.find("k1", start + s(300)), Found::Renew(key(1)));
        keys.begin(start + s(300));
        assert_eq!(keys.find("k1", start + s(301)), Found::Key(key(1)));
        assert_eq!(keys.find("k1", start + s(360)), Found::Renew(key(1)));
        let end = start + s(600);
        keys.begin(end - s(1));
        assert_eq!(keys.find("k1", end - s(1)), Found::Key(key(1)));
        assert_eq!(
            keys.find("k1", end),
            Found::Refused(Reason::KeysUnavailable)
        );
        assert_eq!(keys.find("k1", end + s(4)), Found::Read);
    }

    #[test]
    fn after_a_pause_a_retired_key_is_not_accepted_once_more() {
        let start = Instant::now();
        let mut keys = Keys::default();
        keys.begin(start);
        keys.renew(set(&[1, 2]), start);
        let later = start + s(3 * 60 * 60);
        assert_eq!(keys.find("k1", later), Found::Read);
        keys.begin(later);
        assert_eq!(
            keys.find("k1", later),
            Found::Refused(Reason::KeysUnavailable),
            "who asks meanwhile waits for the same reading"
        );
        keys.renew(set(&[2]), later);
        assert_eq!(keys.find("k2", later), Found::Key(key(2)));
        assert_eq!(
            keys.find("k1", later),
            Found::Refused(Reason::UnknownKey),
            "what it signs is believed no more"
        );
    }

    #[test]
    fn a_key_that_is_gone_from_the_set_is_gone() {
        let start = Instant::now();
        let mut keys = Keys::default();
        keys.begin(start);
        keys.renew(set(&[1, 2]), start);
        let later = start + s(300);
        assert_eq!(keys.find("k1", later), Found::Renew(key(1)));
        keys.begin(later);
        keys.renew(set(&[2]), later);
        assert_eq!(keys.find("k2", later), Found::Key(key(2)));
        let unknown = Found::Refused(Reason::UnknownKey);
        assert_eq!(keys.find("k1", later), unknown);
    }
}
