//! A path rule: methods and a pattern, `GET,POST /v1/chat/**`.

use std::fmt;
use std::str::FromStr;

use super::{CheckedPath, PathPattern};
use crate::restrict::RuleError;

/// Methods and a path that a key may call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathRule {
    methods: Methods,
    pattern: PathPattern,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Methods {
    /// Any but those that are never proxied.
    Any,
    /// These, as sent; `GET` covers `HEAD` (RFC 9110 section 9.3.2).
    Listed(Vec<String>),
}

impl PathRule {
    /// Whether the rule allows this call. Methods are compared exactly as sent (RFC 9110
    /// section 9.1: they are case-sensitive). Never allocates.
    #[must_use]
    pub fn matches(&self, method: &str, path: &CheckedPath<'_>) -> bool {
        self.methods.cover(method) && self.pattern.matches(path)
    }

    /// Whether a requirement written as this rule covers a call. Here `**` also stands for nothing,
    /// as in the path of a route: a requirement must not be narrower than the route that it guards.
    #[must_use]
    pub fn covers(&self, method: &str, path: &CheckedPath<'_>) -> bool {
        self.methods.cover(method) && self.pattern.matches_all_below(path)
    }

    /// Whether the rule allows every call that `narrower` allows.
    #[must_use]
    pub fn contains(&self, narrower: &Self) -> bool {
        let methods = match (&self.methods, &narrower.methods) {
            (Methods::Any, _) => true,
            (Methods::Listed(_), Methods::Any) => false,
            (Methods::Listed(_), Methods::Listed(listed)) => {
                listed.iter().all(|method| self.methods.cover(method))
            }
        };
        methods && self.pattern.contains(&narrower.pattern)
    }

    /// The part after the methods.
    #[must_use]
    pub const fn pattern(&self) -> &PathPattern {
        &self.pattern
    }
}

impl Methods {
    fn cover(&self, method: &str) -> bool {
        match self {
            Self::Any => is_method(method) && !is_never_proxied(method),
            Self::Listed(listed) => listed
                .iter()
                .any(|one| one == method || (one == "GET" && method == "HEAD")),
        }
    }

    fn parse(text: &str) -> Result<Self, RuleError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let mut listed = Vec::new();
        for method in text.split(',') {
            if method == "*" {
                return Err(RuleError(
                    "* stands for every method already: write it alone",
                ));
            }
            if !is_method(method) {
                return Err(RuleError(
                    "methods are separated by single commas, without blanks: write GET,POST /v1/users",
                ));
            }
            if is_never_proxied(method) {
                return Err(RuleError(
                    "TRACE and CONNECT are never proxied: leave them out",
                ));
            }
            let method = method.to_ascii_uppercase();
            if !listed.contains(&method) {
                listed.push(method);
            }
        }
        Ok(Self::Listed(listed))
    }
}

/// A token of RFC 9110 section 5.6.2; its `*` is left out, because in rules it has a meaning.
fn is_method(text: &str) -> bool {
    let is_tchar = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            )
    };
    !text.is_empty() && text.bytes().all(is_tchar)
}

fn is_never_proxied(method: &str) -> bool {
    ["TRACE", "CONNECT"]
        .iter()
        .any(|never| method.eq_ignore_ascii_case(never))
}

impl FromStr for PathRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (methods, pattern) = text.split_once(' ').ok_or(RuleError(
            "a path rule is methods, a blank and a path: write GET /v1/users",
        ))?;
        Ok(Self {
            methods: Methods::parse(methods)?,
            pattern: PathPattern::parse(pattern)?,
        })
    }
}

impl fmt::Display for PathRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.methods {
            Methods::Any => formatter.write_str("*")?,
            Methods::Listed(listed) => {
                for (position, method) in listed.iter().enumerate() {
                    if position > 0 {
                        formatter.write_str(",")?;
                    }
                    formatter.write_str(method)?;
                }
            }
        }
        write!(formatter, " {}", self.pattern)
    }
}

serde_as_text!(PathRule);
