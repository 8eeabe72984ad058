//! Secrets that were found where they must not be.

use keyward_core::kind::Kind;
use keyward_core::record::Status;
use serde::{Deserialize, Serialize};

use super::{SecretStatus, Time};
#[cfg(feature = "schema")]
use crate::schema::words;

/// Where and when a secret was first reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Leaked {
    /// When it was reported.
    pub at: Time,
    /// Who found it, or in what.
    pub source: String,
    /// The address of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A secret that is known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeakedSecret {
    /// Its SHA-256, as it was asked for.
    pub sha256: String,
    /// The project of its key; left out for a management key of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The id of its key.
    pub key: String,
    /// What its key is called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What its key is for.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::any_kind"))]
    pub kind: Kind,
    /// Whether its key may be used.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::status"))]
    pub key_status: Status,
    /// Its own id.
    pub secret: String,
    /// Prefix and last four characters.
    pub redacted: String,
    /// Whether it may be used, whatever the status of its key.
    pub status: SecretStatus,
    /// Where it was reported to have leaked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaked: Option<Leaked>,
}

/// All of them that are known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeakedSecrets {
    /// In no order. What is not known is left out.
    pub items: Vec<LeakedSecret>,
}

/// What GitHub is told of a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GithubLabel {
    /// The SHA-256 of the match, in hexadecimal.
    pub token_hash: String,
    /// The type that it was reported as.
    pub token_type: String,
    /// `true_positive`, or `false_positive` for what is no secret of this deployment.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::label"))]
    pub label: String,
}
