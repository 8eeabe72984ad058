//! The credentials that a project has for origins. Their values are never shown.

use serde::{Deserialize, Serialize};

use super::{Publication, Time};

/// A credential, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credential {
    /// What routes name it by.
    pub name: String,
    /// The only origin that receives it.
    pub origin: String,
    /// Grows with each value that is set.
    pub version: u64,
    /// When it was first set.
    pub created_at: Time,
    /// When this value was set.
    pub updated_at: Time,
}

/// A credential that was set or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CredentialChanged")
)]
pub struct CredentialChanged<C = Credential> {
    /// As it is now, or was.
    pub credential: C,
    /// How far the change has come.
    pub publication: Publication,
}
