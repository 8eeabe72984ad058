//! What a management key may do, and that it makes none that can do more than itself.

mod fields;

#[cfg(test)]
mod tests;
mod validity;

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::restrict::ip::IpRule;
use crate::time::Millis;

pub use self::fields::{FIELDS, Fields, patch, validate};
pub use self::validity::Validity;

/// A scope of a management key. There are no wildcards: a scope that is added later must not
/// widen a key that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Show and list keys, owners and how far they are published.
    #[serde(rename = "keys:read")]
    KeysRead,
    /// Create, change, rotate, revoke, import and export keys.
    #[serde(rename = "keys:write")]
    KeysWrite,
    /// Read what keys were used for.
    #[serde(rename = "usage:read")]
    UsageRead,
    /// Read the audit log.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// Create and change projects and environments.
    #[serde(rename = "projects:write")]
    ProjectsWrite,
    /// List the credentials that projects have for origins, without their values.
    #[serde(rename = "credentials:read")]
    CredentialsRead,
    /// Set and delete them.
    #[serde(rename = "credentials:write")]
    CredentialsWrite,
}

impl Scope {
    /// Every scope, by its word.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("keys:read", Self::KeysRead),
        ("keys:write", Self::KeysWrite),
        ("usage:read", Self::UsageRead),
        ("audit:read", Self::AuditRead),
        ("projects:write", Self::ProjectsWrite),
        ("credentials:read", Self::CredentialsRead),
        ("credentials:write", Self::CredentialsWrite),
    ];

    /// The scope that a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(own, _)| *own == word)
            .map(|(_, scope)| *scope)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, scope)| *scope == self)
            .map_or("", |(word, _)| word)
    }
}

/// A word that is no scope of a management key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write `keys:read`, `keys:write`, `usage:read`, `audit:read`, `projects:write`, `credentials:read` or `credentials:write`"
)]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(word: &str) -> Result<Self, ScopeError> {
        Self::from_word(word).ok_or(ScopeError)
    }
}

/// What a management key can do, where from, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach<'a> {
    /// None: every project, and the account itself.
    pub project: Option<&'a str>,
    /// What it may do.
    pub scopes: &'a [Scope],
    /// Where from; empty: from anywhere.
    pub ips: &'a [IpRule],
    /// Until when; none: without end.
    pub expires_at: Option<Millis>,
}

impl Reach<'_> {
    /// Whether a key with this reach may do nothing that `caller` may not (LiteLLM
    /// CVE-2026-47101).
    #[must_use]
    pub fn is_within(&self, caller: &Reach<'_>) -> bool {
        let project = caller.project.is_none() || caller.project == self.project;
        let scopes = self
            .scopes
            .iter()
            .all(|scope| caller.scopes.contains(scope));
        let ips = caller.ips.is_empty()
            || (!self.ips.is_empty()
                && self
                    .ips
                    .iter()
                    .all(|rule| caller.ips.iter().any(|wider| wider.covers(rule))));
        let life = caller
            .expires_at
            .is_none_or(|end| self.expires_at.is_some_and(|own| own <= end));
        project && scopes && ips && life
    }

    /// Whether it may be used from this address; an unknown one is in no range.
    #[must_use]
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        self.ips.is_empty()
            || address.is_some_and(|address| self.ips.iter().any(|rule| rule.contains(&address)))
    }
}
