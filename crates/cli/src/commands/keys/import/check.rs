//! What can be said of a line before it is sent: its secrets are of a form that Keyward takes.

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding as _};
use keyward_core::secret::Digest;
use keyward_core::spec::FieldError;
use serde_json::{Value, json};

use super::record::{Key, error};

/// A shorter secret can be guessed, and its digest found again.
const SHORTEST_SECRET: usize = 20;
const LONGEST_SECRET: usize = 512;
/// The largest line, so that any fits a call with its line end.
const LARGEST_LINE: usize = super::batch::LARGEST - 1;
const MOST_SECRETS: usize = 2;
/// How references to stores of secrets begin (Kong, APISIX): the text of one is nobody's secret.
const REFERENCES: [&str; 3] = ["{vault://", "$secret://", "$env://"];

/// What is done to every line.
pub(super) struct Finish<'a> {
    /// The environment of keys that name none.
    pub(super) environment: Option<&'a str>,
    /// Whether secrets are hashed here.
    pub(super) hash: bool,
}

impl Finish<'_> {
    /// The line as it is sent.
    pub(super) fn line(&self, mut key: Key) -> Result<String, Vec<FieldError>> {
        if let Some(environment) = self.environment
            && !key.contains_key("environment")
        {
            key.insert("environment".to_owned(), json!(environment));
        }
        let given = ["secret", "sha256", "secrets"].map(|name| key.contains_key(name));
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(error(
                "secret",
                "give exactly one of `secret`, `sha256` and `secrets`",
            ));
        }
        match key.get_mut("secrets") {
            None => self.material(&mut key, "")?,
            Some(Value::Array(all)) if (1..=MOST_SECRETS).contains(&all.len()) => {
                for (index, one) in all.iter_mut().enumerate() {
                    let place = format!("secrets[{index}]");
                    let Value::Object(one) = one else {
                        return Err(error(&place, "must be an object"));
                    };
                    if one.contains_key("secret") == one.contains_key("sha256") {
                        return Err(error(&place, "give exactly one of `secret` and `sha256`"));
                    }
                    self.material(one, &format!("{place}."))?;
                }
            }
            Some(_) => return Err(error("secrets", "must be a list of one or two secrets")),
        }
        let line = Value::Object(key).to_string();
        if line.len() > LARGEST_LINE {
            return Err(error("key", format!("has more than {LARGEST_LINE} bytes")));
        }
        Ok(line)
    }

    fn material(&self, fields: &mut Key, place: &str) -> Result<(), Vec<FieldError>> {
        let text = |value: &Value, field: &str| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(error(&format!("{place}{field}"), "must be a string")),
        };
        if let Some(value) = fields.get("sha256") {
            let Some(digest) = digest(&text(value, "sha256")?) else {
                return Err(error(
                    &format!("{place}sha256"),
                    "must be a SHA-256: 64 hexadecimal digits, or base64 of 32 bytes",
                ));
            };
            fields.insert("sha256".to_owned(), json!(hex(&digest)));
        }
        if let Some(value) = fields.get("secret") {
            let secret = text(value, "secret")?;
            acceptable(&secret).map_err(|detail| error(&format!("{place}secret"), detail))?;
            if self.hash {
                fields.remove("secret");
                fields.insert("sha256".to_owned(), json!(Digest::of(&secret).to_hex()));
            }
        }
        Ok(())
    }
}

/// A SHA-256, in any of the forms that people keep them in.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() == 64 {
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let at = index.checked_mul(2)?;
            *byte = u8::from_str_radix(text.get(at..at.checked_add(2)?)?, 16).ok()?;
        }
        return text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(bytes);
    }
    let bytes = Base64::decode_vec(text)
        .or_else(|_| Base64Unpadded::decode_vec(text))
        .or_else(|_| Base64Url::decode_vec(text))
        .or_else(|_| Base64UrlUnpadded::decode_vec(text))
        .ok()?;
    bytes.try_into().ok()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn acceptable(secret: &str) -> Result<(), String> {
    let length = secret.chars().count();
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("may only have visible ASCII characters".to_owned())
    } else if length < SHORTEST_SECRET {
        Err(format!(
            "has {length} characters, and {SHORTEST_SECRET} are the fewest: a shorter one can be guessed; give its holder a new key"
        ))
    } else if length > LONGEST_SECRET {
        Err(format!(
            "has {length} characters, and {LONGEST_SECRET} are the most"
        ))
    } else if REFERENCES.iter().any(|begin| secret.starts_with(begin)) {
        Err("is a reference to a store of secrets: write the secret that stands there".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "legacy-0123456789-abcdef";

    fn line(hash: bool, key: Value) -> Result<Value, String> {
        let finish = Finish {
            environment: Some("test"),
            hash,
        };
        let Value::Object(key) = key else {
            panic!("an object")
        };
        finish
            .line(key)
            .map(|line| serde_json::from_str(&line).unwrap())
            .map_err(|errors| format!("{}: {}", errors[0].field, errors[0].detail))
    }

    #[test]
    fn digests_are_read_in_every_form_and_sent_in_one() {
        let digest = Digest::of(SECRET).to_hex();
        for text in [
            digest.clone(),
            digest.to_uppercase(),
            Base64::encode_string(&self::digest(&digest).unwrap()),
            Base64UrlUnpadded::encode_string(&self::digest(&digest).unwrap()),
        ] {
            let sent = line(false, json!({ "sha256": text })).unwrap();
            assert_eq!(sent, json!({"sha256": digest, "environment": "test"}));
        }
        let short = digest.get(1..).unwrap();
        for text in ["", "abc", short, &format!("+{short}")] {
            assert!(line(false, json!({ "sha256": text })).is_err(), "{text}");
        }
    }

    #[test]
    fn with_hash_no_secret_is_left_in_the_line() {
        let key = json!({"secret": SECRET, "environment": "live"});
        assert_eq!(line(false, key.clone()).unwrap(), key);
        let digest = Digest::of(SECRET).to_hex();
        let sent = line(true, key).unwrap();
        assert_eq!(sent, json!({"sha256": digest, "environment": "live"}));
        let sent = line(
            true,
            json!({"secrets": [{"secret": SECRET, "created_at": "t"}]}),
        );
        let secrets = json!([{"sha256": digest, "created_at": "t"}]);
        assert_eq!(sent.unwrap()["secrets"], secrets);
    }

    #[test]
    fn what_is_no_secret_is_refused_with_its_place() {
        for (key, place) in [
            (json!({}), "secret"),
            (json!({"secret": SECRET, "sha256": "x"}), "secret"),
            (json!({"secret": "short"}), "secret"),
            (json!({"secret": 5}), "secret"),
            (
                json!({"secret": "with blanks in it, so no header has it"}),
                "secret",
            ),
            (json!({"secret": "x".repeat(513)}), "secret"),
            (json!({"secrets": []}), "secrets"),
            (json!({"secrets": "x"}), "secrets"),
            (json!({"secrets": [{}]}), "secrets[0]"),
            (json!({"secrets": [{"sha256": "00"}]}), "secrets[0].sha256"),
            (
                json!({"secret": SECRET, "metadata": {"x": "y".repeat(1_100_000)}}),
                "key",
            ),
        ] {
            let message = line(false, key.clone()).unwrap_err();
            assert!(
                message.starts_with(&format!("{place}: ")),
                "{key}: {message}"
            );
            assert!(!message.contains("blanks in it"));
        }
    }
}
