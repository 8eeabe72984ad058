//! Who is calling, as the gateway has asserted it.

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
    /// `public` or `private`; a later gateway may write others.
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

#[cfg(test)]
mod tests {
    use super::*;

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
