//! Who is calling, as the gateway has asserted it.

use std::fmt::Write as _;

use http::HeaderMap;
use serde::Deserialize;

/// Who is calling. In the extensions of every request that is let through.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Caller {
    /// The key's id, not its secret. May be logged.
    #[serde(rename = "sub")]
    pub key_id: String,
    /// The project that the key belongs to.
    pub project: String,
    /// The environment that the key belongs to.
    pub environment: String,
    /// `public`, `private` or `derived`; a later gateway may write others.
    pub kind: String,
    /// Whoever the key was given to.
    #[serde(default)]
    pub owner: Option<String>,
    /// What the key may do: `resource:action`, with `*` in either place.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The user for whom the key was made.
    #[serde(default)]
    pub user: Option<String>,
}

impl Caller {
    /// Whether one of the scopes covers `resource:action`.
    #[must_use]
    pub fn may(&self, wanted: &str) -> bool {
        let Some((resource, action)) = wanted.split_once(':') else {
            return false;
        };
        self.scopes.iter().any(|scope| {
            scope.split_once(':').is_some_and(|(own, allowed)| {
                (own == "*" || own == resource) && (allowed == "*" || allowed == action)
            })
        })
    }
}

impl Caller {
    /// Whether the identity headers say the same: keys that are derived from one share its id, and
    /// an assertion of another would otherwise stand beside a signature of this request.
    pub(crate) fn is_named_by(&self, headers: &HeaderMap) -> bool {
        let scopes = self.scopes.join(" ");
        let text = |field: &Option<String>| visible(field.as_deref().unwrap_or_default());
        let claimed = [
            ("keyward-key-id", visible(&self.key_id)),
            ("keyward-project", visible(&self.project)),
            ("keyward-environment", visible(&self.environment)),
            ("keyward-kind", visible(&self.kind)),
            ("keyward-owner", text(&self.owner)),
            ("keyward-scopes", visible(&scopes)),
            ("keyward-user", text(&self.user)),
        ];
        claimed.iter().all(|(name, claim)| {
            let mut values = headers.get_all(*name).iter();
            let said = values.next().map_or(Some(""), |value| value.to_str().ok());
            said == Some(claim) && values.next().is_none()
        })
    }
}

/// A text as the gateway writes it into a header: visible ASCII but `%`, and blanks that are not at
/// its ends; the rest percent-encoded.
fn visible(text: &str) -> String {
    let blanks = text.len() - text.trim_start_matches(' ').len();
    let inner = blanks..text.trim_end_matches(' ').len();
    let mut written = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        if (byte.is_ascii_graphic() && byte != b'%') || (byte == b' ' && inner.contains(&at)) {
            written.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_has_to_say_what_the_assertion_says() {
        let caller = Caller {
            key_id: "key_1".to_owned(),
            project: "acme".to_owned(),
            environment: "live".to_owned(),
            kind: "derived".to_owned(),
            owner: Some(" Zoë & co ".to_owned()),
            scopes: vec!["files:read".to_owned(), "chat:*".to_owned()],
            user: Some("u 7".to_owned()),
        };
        let said = [
            ("keyward-key-id", "key_1"),
            ("keyward-project", "acme"),
            ("keyward-environment", "live"),
            ("keyward-kind", "derived"),
            ("keyward-owner", "%20Zo%C3%AB & co%20"),
            ("keyward-scopes", "files:read chat:*"),
            ("keyward-user", "u 7"),
        ];
        let headers = || -> HeaderMap {
            let pairs = said.iter();
            pairs
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect()
        };
        assert!(caller.is_named_by(&headers()));
        for (name, _) in said {
            let mut without = headers();
            without.remove(name);
            let mut other = headers();
            other.insert(name, "other".parse().unwrap());
            let mut twice = headers();
            twice.append(name, "other".parse().unwrap());
            for headers in [without, other, twice] {
                assert!(!caller.is_named_by(&headers), "{name}");
            }
        }
    }

    #[test]
    fn a_scope_covers_what_it_names() {
        let caller = Caller {
            key_id: "key_1".to_owned(),
            project: "acme".to_owned(),
            environment: "live".to_owned(),
            kind: "private".to_owned(),
            owner: None,
            scopes: vec!["files:read".to_owned(), "chat:*".to_owned()],
            user: None,
        };
        for wanted in ["files:read", "chat:write"] {
            assert!(caller.may(wanted), "{wanted}");
        }
        for wanted in ["files:write", "files", "", "*:*", "file:read"] {
            assert!(!caller.may(wanted), "{wanted}");
        }
    }
}
