//! The secrets of a line: given themselves, or by their SHA-256.

use keyward_core::secret::Digest;
use keyward_core::spec::FieldError;
use keyward_core::spec::reader::Reader;
use keyward_core::time::Millis;
use serde_json::{Map, Value};

use super::within;

/// The shortest secret that can be imported, in characters: shorter ones could be guessed.
pub const SHORTEST_SECRET: usize = 20;
/// The longest.
pub const LONGEST_SECRET: usize = 512;
/// The longest redacted form, in characters.
pub const LONGEST_REDACTED: usize = 64;

/// A secret that was made elsewhere.
#[derive(Debug)]
pub struct ImportSecret {
    /// What is given of it.
    pub origin: Origin,
    /// How it is shown.
    pub redacted: String,
    /// It is valid from here on.
    pub not_before: Option<Millis>,
    /// It is valid until just before.
    pub not_after: Option<Millis>,
    /// When it was made.
    pub created_at: Option<Millis>,
}

/// What is given of a secret. `Debug` shows nothing of it.
pub enum Origin {
    /// The secret itself.
    Raw(String),
    /// Its SHA-256.
    Digest(Digest),
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Origin(…)")
    }
}

impl Origin {
    /// SHA-256 of the secret.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Raw(secret) => Digest::of(secret),
            Self::Digest(digest) => *digest,
        }
    }
}

/// A secret as it is shown: its prefix, when it has one of short lower-case words as `sk_live_`
/// and enough is left, and its last four characters.
#[must_use]
pub fn redacted(secret: &str) -> String {
    let mut prefix = 0;
    for word in secret.split_inclusive(['_', '-']).take(3) {
        let letters = word.trim_end_matches(['_', '-']);
        let is_word = (2..=10).contains(&letters.len())
            && letters.len() + 1 == word.len()
            && letters.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_word || secret.len() < prefix + word.len() + SHORTEST_SECRET {
            break;
        }
        prefix += word.len();
    }
    let shown = secret.get(..prefix).unwrap_or_default();
    let last = secret
        .len()
        .checked_sub(4)
        .and_then(|at| secret.get(at..))
        .unwrap_or_default();
    format!("{shown}…{last}")
}

/// The secrets, from whichever of the three fields is given.
pub(super) fn list(
    read: &mut Reader<'_>,
    own: &Map<String, Value>,
) -> (Vec<ImportSecret>, Vec<FieldError>) {
    let given = ["secret", "sha256", "secrets"].map(|field| read.has(field));
    if given.iter().filter(|given| **given).count() != 1 {
        read.refuse(
            "secret",
            "write exactly one of `secret`, `sha256` and `secrets`",
        );
        return (Vec::new(), Vec::new());
    }
    let list = match own.get("secrets") {
        None => {
            let origin = origin(read);
            let secret = origin.map(plain);
            return (secret.into_iter().collect(), Vec::new());
        }
        Some(Value::Array(list)) if (1..=2).contains(&list.len()) => list,
        Some(_) => {
            read.refuse("secrets", "must be a list of one or two secrets");
            return (Vec::new(), Vec::new());
        }
    };
    let (mut secrets, mut errors) = (Vec::new(), Vec::new());
    for (index, entry) in list.iter().enumerate() {
        let place = format!("secrets[{index}]");
        let Value::Object(entry) = entry else {
            read.refuse(&place, "must be an object");
            continue;
        };
        let mut read = Reader::new(entry);
        secrets.extend(secret(&mut read));
        errors.extend(within(&place, read.into_errors()));
    }
    if let [first, second] = secrets.as_slice()
        && first.origin.digest() == second.origin.digest()
    {
        read.refuse("secrets", "the two are the same");
    }
    (secrets, errors)
}

fn secret(read: &mut Reader<'_>) -> Option<ImportSecret> {
    let origin = origin(read);
    let redacted = read.text("redacted", LONGEST_REDACTED);
    let not_before = read.time("not_before");
    let not_after = read.time("not_after");
    let created_at = read.time("created_at");
    if let (Some(start), Some(end)) = (not_before, not_after)
        && end <= start
    {
        read.refuse("not_after", "must be later than `not_before`");
    }
    read.refuse_unknown(
        "a secret",
        &[
            "secret",
            "sha256",
            "redacted",
            "not_before",
            "not_after",
            "created_at",
        ],
    );
    let origin = origin?;
    if redacted
        .as_ref()
        .is_some_and(|shown| Digest::of(shown) == origin.digest())
    {
        read.refuse("redacted", "this is the secret itself");
    }
    let plain = plain(origin);
    Some(ImportSecret {
        redacted: redacted.unwrap_or(plain.redacted),
        not_before,
        not_after,
        created_at,
        ..plain
    })
}

fn plain(origin: Origin) -> ImportSecret {
    ImportSecret {
        redacted: match &origin {
            Origin::Raw(secret) => redacted(secret),
            Origin::Digest(_) => "…".to_owned(),
        },
        origin,
        not_before: None,
        not_after: None,
        created_at: None,
    }
}

/// `secret` or `sha256`, one of the two.
fn origin(read: &mut Reader<'_>) -> Option<Origin> {
    if read.has("secret") == read.has("sha256") {
        read.refuse("secret", "write `secret` or `sha256`");
        return None;
    }
    if let Some(secret) = read.word("secret") {
        let visible = secret.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&secret.len()) {
            read.refuse("secret", "must have 20 to 512 visible ASCII characters");
            return None;
        }
        return Some(Origin::Raw(secret.to_owned()));
    }
    let digest = Digest::from_text(read.word("sha256")?);
    if digest.is_none() {
        read.refuse(
            "sha256",
            "must be 32 bytes in hexadecimal, base64 or base64url",
        );
    }
    digest.map(Origin::Digest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::ImportLine;

    fn read(line: Value) -> Result<ImportLine, Vec<FieldError>> {
        ImportLine::read(line, |_| {})
    }

    #[test]
    fn a_secret_is_given_in_one_of_three_ways() {
        let hex = "ab".repeat(32);
        for line in [
            json!({"secret": "x".repeat(20)}),
            json!({"sha256": hex}),
            json!({"secrets": [{"sha256": hex, "redacted": "sk_…1234"}, {"secret": "y".repeat(512), "not_after": "2027-01-01T00:00:00Z"}]}),
        ] {
            let shown = line.to_string();
            assert!(read(line).is_ok(), "{shown}");
        }
        let line = read(json!({"secrets": [{"sha256": hex, "redacted": "sk_…1234"}]})).unwrap();
        assert_eq!(line.secrets[0].redacted, "sk_…1234");
        assert_eq!(line.secrets[0].origin.digest().to_hex(), hex);
    }

    #[test]
    fn only_prefixes_of_words_are_shown() {
        for (secret, shown) in [
            ("sk_live_0123456789abcdefghijKLMN", "sk_live_…KLMN"),
            ("ghp_0123456789abcdefghijKLMN", "ghp_…KLMN"),
            (
                "sk-proj-ab-cd-ef-0123456789abcdefghijKLMN",
                "sk-proj-ab-…KLMN",
            ),
            ("sk_live_0123456789", "…6789"),
            ("0123456789abcdefghijKLMN", "…KLMN"),
            ("aB_0123456789abcdefghijKLMN", "…KLMN"),
            ("__0123456789abcdefghijKLMN", "…KLMN"),
        ] {
            assert_eq!(redacted(secret), shown);
        }
    }
}
