//! The values that are words or simple texts.

use crate::kind::Kind;
use crate::names;
use crate::restrict::scope::Scope;

use super::finding::{Fault, fault};
use super::path;

pub(super) fn prefix(text: &str) -> Result<String, Fault> {
    let fix = "write it as in /openai: with a slash at its beginning and none at its end";
    if !text.starts_with('/') || text.ends_with('/') {
        return Err(fault(format!("`{text}` is not a prefix"), fix));
    }
    path::literal(text)
}

pub(super) fn project(text: &str) -> Result<String, Fault> {
    if !names::is_project_id(text) {
        return Err(fault(
            format!("`{text}` is not the id of a project"),
            "use lower-case letters, digits and single hyphens, at most 40",
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn environment(text: &str) -> Result<String, Fault> {
    if !names::is_environment(text) {
        return Err(fault(
            format!("`{text}` is not an environment"),
            "use 1 to 12 lower-case letters and digits, such as live or test",
        ));
    }
    Ok(text.to_owned())
}

/// A kind of key that a route accepts; none stands for session keys.
pub(super) fn kind(text: &str) -> Result<Option<Kind>, Fault> {
    match text {
        "public" => Ok(Some(Kind::Public)),
        "private" => Ok(Some(Kind::Private)),
        "derived" => Ok(Some(Kind::Derived)),
        "session" => Ok(None),
        _ => Err(fault(
            format!("`{text}` is not a kind of key that a route accepts"),
            "use \"public\", \"session\", \"private\" or \"derived\"",
        )),
    }
}

pub(super) fn cache(text: &str) -> Result<bool, Fault> {
    match text {
        "origin" => Ok(true),
        "private" => Ok(false),
        _ => Err(fault(
            format!("`{text}` is not a way to cache"),
            "use \"private\" or \"origin\"",
        )),
    }
}

/// What Turnstile takes for an action.
pub(super) fn action(text: &str) -> Result<String, Fault> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if text.is_empty() || text.len() > 32 || !text.bytes().all(plain) {
        return Err(fault(
            format!("`{text}` is not an action"),
            "use up to 32 letters, digits, hyphens and underscores",
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn scope(text: &str) -> Result<Scope, Fault> {
    Ok(text.parse()?)
}
