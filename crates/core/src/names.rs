//! The words that name things: vendors, environments, projects, keys, secrets; and the names of
//! records in KV.

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::base62;
use crate::keyring::Entry;
use crate::kind::Kind;
use crate::secret::Digest;

/// The vendor of secrets where the deployment names no other.
pub const DEFAULT_VENDOR: &str = "kw";
/// The environment of keys that name no other.
pub const DEFAULT_ENVIRONMENT: &str = "live";
/// The environments of a project from its beginning.
pub const FIRST_ENVIRONMENTS: &[&str] = &[DEFAULT_ENVIRONMENT, "test"];

const KEY_ID: (&str, usize) = ("key_", 20);
const SECRET_ID: (&str, usize) = ("sec_", 12);
const WEBHOOK_ID: (&str, usize) = ("whk_", 16);
const MESSAGE_ID: (&str, usize) = ("msg_", 24);
/// The most characters of the name of a project's credential.
pub const LONGEST_CREDENTIAL: usize = 64;
/// The most characters of a project's id.
pub const LONGEST_PROJECT_ID: usize = 40;

/// The name in KV of the record of a secret: `r/<entry id>/<base64url>` of
/// `HMAC(look-up key, SHA-256(secret))`. It carries the whole digest, so that no two secrets
/// share a name (LiteLLM CVE-2026-35030), and who reads KV's names learns no digest.
#[must_use]
pub fn record_name(entry: &Entry, digest: &Digest) -> String {
    let mut name = format!("r/{}/", entry.id());
    name.push_str(&Base64UrlUnpadded::encode_string(&entry.look_up(digest)));
    name
}

/// The name in KV of a project's credential: `c/<entry id>/<base64url>` of
/// `HMAC(look-up key, SHA-256(project and name))`: who reads KV's names learns neither. No secret of a
/// key is digested to the same, because none begins like this.
#[must_use]
pub fn credential_name(entry: &Entry, project: &str, name: &str) -> String {
    let digest = Digest::of(&format!("keyward/credential/1\n{project}\n{name}"));
    let mut text = format!("c/{}/", entry.id());
    text.push_str(&Base64UrlUnpadded::encode_string(&entry.look_up(&digest)));
    text
}

/// Whether the text can name a project's credential: `[A-Z][A-Z0-9_]{0,63}`.
#[must_use]
pub fn is_credential(text: &str) -> bool {
    let of_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    (1..=LONGEST_CREDENTIAL).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(of_name)
}

/// Draws a key id, `key_` and 20 characters: it survives rotation and may be logged. `fill` fills
/// a buffer from the platform's CSPRNG.
#[must_use]
pub fn mint_key_id(fill: &mut dyn FnMut(&mut [u8])) -> String {
    mint(KEY_ID, fill)
}

/// Draws a secret id, `sec_` and 12 characters: it names one secret of a key and may be logged.
#[must_use]
pub fn mint_secret_id(fill: &mut dyn FnMut(&mut [u8])) -> String {
    mint(SECRET_ID, fill)
}

/// Draws a webhook's id, `whk_` and 16 characters.
#[must_use]
pub fn mint_webhook_id(fill: &mut dyn FnMut(&mut [u8])) -> String {
    mint(WEBHOOK_ID, fill)
}

/// Draws the id of a webhook's message, `msg_` and 24 characters: it stays the same over retries.
#[must_use]
pub fn mint_message_id(fill: &mut dyn FnMut(&mut [u8])) -> String {
    mint(MESSAGE_ID, fill)
}

/// The id of a message that may be written more than once: what tells it from every other.
#[must_use]
pub fn message_id_of(identity: &Digest) -> String {
    let mut id = identity.to_hex();
    id.truncate(24);
    id.insert_str(0, "msg_");
    id
}

/// Whether the text is of the form of [`mint_key_id`].
#[must_use]
pub fn is_key_id(text: &str) -> bool {
    is_id(KEY_ID, text)
}

/// Whether the text is of the form of [`mint_secret_id`].
#[must_use]
pub fn is_secret_id(text: &str) -> bool {
    is_id(SECRET_ID, text)
}

/// Whether the text is of the form of [`mint_webhook_id`].
#[must_use]
pub fn is_webhook_id(text: &str) -> bool {
    is_id(WEBHOOK_ID, text)
}

/// Whether the text can be a project's id: lower-case letters and digits, single hyphens inside,
/// at most 40 characters.
#[must_use]
pub fn is_project_id(text: &str) -> bool {
    text.len() <= LONGEST_PROJECT_ID
        && text
            .split('-')
            .all(|word| is_word(word, 1, LONGEST_PROJECT_ID))
}

/// Whether the text can name an environment: 1 to 12 lower-case letters and digits.
#[must_use]
pub fn is_environment(text: &str) -> bool {
    is_word(text, 1, 12)
}

/// Whether the text can begin a secret: 2 to 10 lower-case letters and digits, and none of the
/// kinds, because `sk_live_` alone is Stripe's shape and scanners report it to Stripe.
#[must_use]
pub fn is_vendor(text: &str) -> bool {
    is_word(text, 2, 10) && Kind::from_prefix(text).is_none()
}

/// Whether the text can name an entry of `KEYWARD_SECRET`.
pub(crate) fn is_entry_id(text: &str) -> bool {
    is_word(text, 1, 12)
}

fn is_word(text: &str, shortest: usize, longest: usize) -> bool {
    (shortest..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn mint((prefix, length): (&str, usize), fill: &mut dyn FnMut(&mut [u8])) -> String {
    let mut id = prefix.to_owned();
    id.push_str(&base62::random(length, fill));
    id
}

fn is_id((prefix, length): (&str, usize), text: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == length && base62::is_base62(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_recognised_by_prefix_and_length() {
        let mut fill = |buffer: &mut [u8]| buffer.fill(36);
        assert_eq!(mint_key_id(&mut fill), "key_aaaaaaaaaaaaaaaaaaaa");
        assert_eq!(mint_secret_id(&mut fill), "sec_aaaaaaaaaaaa");
        assert!(is_key_id("key_aaaaaaaaaaaaaaaaaaaa"));
        assert!(is_secret_id("sec_aaaaaaaaaaaa"));
        for text in [
            "",
            "key_",
            "key_aaaaaaaaaaaaaaaaaaa",
            "key_aaaaaaaaaaaaaaaaaaaaa",
            "key_aaaaaaaaaaaaaaaaaaa-",
        ] {
            assert!(!is_key_id(text), "{text}");
        }
        assert!(!is_key_id("sec_aaaaaaaaaaaa"));
    }

    #[test]
    fn projects_are_words_with_single_hyphens() {
        for text in ["a", "acme", "acme-2", "a-b-c", "0", &"a".repeat(40)] {
            assert!(is_project_id(text), "{text}");
        }
        for text in [
            "",
            "-",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a.b",
            "é",
            "a/b",
            &"a".repeat(41),
        ] {
            assert!(!is_project_id(text), "{text}");
        }
    }

    #[test]
    fn environments_are_short_words() {
        for text in ["live", "test", "x", "0", "abcdefghijkl"] {
            assert!(is_environment(text), "{text}");
        }
        for text in ["", "Live", "a-b", "a_b", "abcdefghijklm", "é"] {
            assert!(!is_environment(text), "{text}");
        }
    }

    #[test]
    fn a_vendor_is_none_of_the_kinds() {
        assert!(is_vendor("kw") && is_vendor("acme2") && is_vendor("skk"));
        for text in ["", "a", "pk", "sk", "mk", "dk", "KW", "abcdefghijk", "a_b"] {
            assert!(!is_vendor(text), "{text}");
        }
    }
}
