//! Who calls, and what a holder did.

use keyward_core::management::Scope;
use serde::{Deserialize, Serialize};

use super::Time;
#[cfg(feature = "schema")]
use crate::schema::words;

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Caller {
    /// With what.
    pub r#type: CallerType,
    /// The management key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The management key's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The one project that it may manage; left out for a key of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What it may do.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::management_scopes"))]
    pub scopes: Vec<Scope>,
    /// It is valid until just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// With what somebody calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallerType {
    /// A management key.
    ManagementKey,
    /// The bootstrap secret, which makes the first management key of the account and does nothing
    /// else.
    Bootstrap,
}

/// A secret that its holder has revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelfRevoked {
    /// The id of its key.
    pub id: String,
    /// Its own id.
    pub secret: String,
    /// `revoked`.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::revoked"))]
    pub status: String,
}
