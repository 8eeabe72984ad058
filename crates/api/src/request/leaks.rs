//! Secrets that were found where they must not be.

use keyward_core::derived::Token;
use keyward_core::leak::{LONGEST_URL, MOST_AT_ONCE};
use keyward_core::secret::Digest;
use keyward_core::spec::FieldError;
use serde_json::Value;

use super::object;

/// The largest report of GitHub's, in bytes.
pub const LARGEST_REPORT: usize = 1024 * 1024;
/// The longest name of where something was found.
pub const LONGEST_SOURCE: usize = 100;

/// A secret that was found, by its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In hexadecimal.
    pub digest: String,
    /// In what it was found.
    pub source: String,
    /// Where.
    pub url: Option<String>,
}

/// Reads `sha256`, a list, and where all of them were found: `source` and `url`.
///
/// # Errors
/// Every field that is wrong.
pub fn found(body: &Value) -> Result<Vec<Found>, Vec<FieldError>> {
    let known = ["sha256", "source", "url"];
    object(body, ("body", "a report of leaks"), &known, |read| {
        read.require("sha256");
        let source = read.text("source", LONGEST_SOURCE);
        let source = source.unwrap_or_else(|| "report".to_owned());
        let url = read.text("url", LONGEST_URL);
        let digests = match read.value("sha256") {
            Some(value) => read.entries("sha256", value, MOST_AT_ONCE),
            None => &[],
        };
        let mut all: Vec<Found> = Vec::new();
        for (index, digest) in digests.iter().enumerate() {
            let Some(digest) = digest.as_str().and_then(Digest::from_text) else {
                let detail = "must be 32 bytes in hexadecimal, base64 or base64url";
                read.refuse(&format!("sha256[{index}]"), detail);
                continue;
            };
            let digest = digest.to_hex();
            if !all.iter().any(|own| own.digest == digest) {
                all.push(Found {
                    digest,
                    source: source.clone(),
                    url: url.clone(),
                });
            }
        }
        all
    })
}

/// A match that GitHub reports, or what of it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The SHA-256 of the match, in hexadecimal.
    pub digest: String,
    /// Of a derived key, the SHA-256 of the secret that it says it comes from.
    pub parent: Option<String>,
    /// The name that GitHub knows the pattern by.
    pub kind: String,
    /// In what it was found, such as `commit`.
    pub source: String,
    /// Where; none where that is not known, or would itself show the secret.
    pub url: Option<String>,
}

/// Reads GitHub's report: a list of objects with `token`, `type`, `url` and `source`. What else they
/// have is passed over, as GitHub may add to them.
#[must_use]
pub fn matches(body: &Value) -> Option<Vec<Match>> {
    let list = body.as_array()?;
    if list.is_empty() || list.len() > MOST_AT_ONCE {
        return None;
    }
    let text = |one: &Value, field: &str| Some(one.get(field)?.as_str()?.to_owned());
    let plain = |text: &String| !text.is_empty() && !text.contains(char::is_control);
    let read = |one: &Value| {
        let token = text(one, "token")?;
        let kind = text(one, "type")?;
        let source = text(one, "source").filter(plain).unwrap_or_default();
        let source: String = source.chars().take(LONGEST_SOURCE).collect();
        let url = text(one, "url").filter(plain);
        let url = url.filter(|url| url.len() <= LONGEST_URL && !url.contains(&token));
        Some(Match {
            digest: Digest::of(&token).to_hex(),
            parent: Token::parse(&token).map(|derived| derived.parent().to_hex()),
            kind: kind.chars().take(LONGEST_SOURCE).collect(),
            source: format!("GitHub: {source}")
                .trim_end_matches([':', ' '])
                .to_owned(),
            url,
        })
    };
    // GitHub cannot mend its report: what cannot be read does not keep the rest from being acted on.
    let matches: Vec<_> = list.iter().filter_map(read).collect();
    (!matches.is_empty()).then_some(matches)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::wrong;

    #[test]
    fn digests_are_read_in_every_writing_and_count_once() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let all = found(&json!({"sha256": [hex, base64], "source": "a log"})).unwrap();
        assert_eq!((all.len(), all[0].source.as_str()), (1, "a log"));
        assert_eq!(wrong(found(&json!({}))), ["sha256"]);
        assert_eq!(wrong(found(&json!({"sha256": []}))), ["sha256"]);
        assert_eq!(
            wrong(found(&json!({"sha256": ["x", 1], "token": "t"}))),
            ["sha256[0]", "sha256[1]", "token"]
        );
    }

    #[test]
    fn a_report_keeps_nothing_of_the_token() {
        let body = json!([
            {"token": "kw_sk_x", "type": "keyward", "url": "https://github.com/a", "source": "commit", "new": 1},
            {"token": "kw_sk_x", "type": "keyward", "url": "https://example.com/?kw_sk_x"},
        ]);
        let all = matches(&body).unwrap();
        assert_eq!(all[0].digest, Digest::of("kw_sk_x").to_hex());
        assert_eq!(
            (all[0].source.as_str(), all[0].url.as_deref()),
            ("GitHub: commit", Some("https://github.com/a"))
        );
        assert_eq!((all[1].source.as_str(), &all[1].url), ("GitHub", &None));
        for body in [json!({}), json!([]), json!([1]), json!([{"token": "t"}])] {
            assert_eq!(matches(&body), None, "{body}");
        }
    }
}
