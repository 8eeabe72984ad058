//! Scopes: what a key may do, as `resource:action`. Routes name the scopes that they require.

use std::fmt;
use std::str::FromStr;

use super::RuleError;

/// The longest resource or action, in characters.
const LONGEST_PART: usize = 64;

/// A scope such as `chat:write`; `*` in either place stands for everything there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    resource: String,
    action: String,
}

impl Scope {
    /// Whether a key that has this scope has what a route requires. A `*` in `required` asks for
    /// everything, and only a `*` grants that.
    #[must_use]
    pub fn grants(&self, required: &Self) -> bool {
        covers(&self.resource, &required.resource) && covers(&self.action, &required.action)
    }

    /// Whether this is `*:*`, which grants every scope.
    #[must_use]
    pub fn is_full_access(&self) -> bool {
        self.resource == "*" && self.action == "*"
    }
}

fn covers(granted: &str, required: &str) -> bool {
    granted == "*" || granted == required
}

impl FromStr for Scope {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (resource, action) = text.split_once(':').ok_or(RuleError(
            "a scope is a resource and an action with a colon between them: write chat:write",
        ))?;
        for part in [resource, action] {
            check_part(part)?;
        }
        Ok(Self {
            resource: resource.to_owned(),
            action: action.to_owned(),
        })
    }
}

/// The characters are a subset of what may stand inside the quotes of `scope="…"`
/// (RFC 6750 section 3), so that a scope can be written into `WWW-Authenticate` as it is.
fn check_part(part: &str) -> Result<(), RuleError> {
    if part == "*" {
        return Ok(());
    }
    if part.contains('*') {
        return Err(RuleError(
            "a * in a scope stands alone: write chat:* or *:read",
        ));
    }
    if part.is_empty() || part.len() > LONGEST_PART {
        return Err(RuleError(
            "a scope's resource and action have 1 to 64 characters each",
        ));
    }
    if !part
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    {
        return Err(RuleError(
            "a scope is written in ASCII letters, digits, dots, underscores and hyphens, with one colon",
        ));
    }
    Ok(())
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.resource, self.action)
    }
}

serde_as_text!(Scope);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Scope;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_grants_everything_in_its_place() {
        for (granted, required, expected) in [
            ("chat:write", "chat:write", true),
            ("chat:write", "chat:read", false),
            ("chat:write", "Chat:write", false),
            ("chat:*", "chat:read", true),
            ("chat:*", "chats:read", false),
            ("*:read", "chat:read", true),
            ("*:read", "chat:write", false),
            ("*:*", "chat:write", true),
            ("chat:write", "chat:*", false),
            ("chat:write", "*:write", false),
            ("chat:*", "chat:*", true),
            ("*:*", "*:*", true),
        ] {
            assert_eq!(
                scope(granted).grants(&scope(required)),
                expected,
                "{granted} for {required}"
            );
        }
    }

    #[test]
    fn what_is_not_a_resource_and_an_action_is_refused() {
        for text in [
            "",
            ":",
            "chat",
            "chat:",
            ":write",
            "chat:write:more",
            "ch*t:write",
            "chat:w*",
            "**:read",
            "chat write",
            "chat: write",
            "chät:write",
            "chat:wri\"te",
            "chat:wri\\te",
            "chat:write\n",
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
        assert!(format!("{}:read", "a".repeat(65)).parse::<Scope>().is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_text_comes_back(text in "\\PC{0,12}|[a-z*:]{0,8}") {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string(), text);
            }
        }
    }
}
