//! Management keys.

use keyward_core::management::Scope;
use keyward_core::record::Status;
use keyward_core::restrict::ip::IpRule;
use serde::{Deserialize, Serialize};

use super::{Revoked, Secret, Time};
#[cfg(feature = "schema")]
use crate::schema::words;

/// A management key, without anything of its secrets that is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ManagementKey {
    /// Survives rotation; may be logged.
    pub id: String,
    /// For people.
    pub name: String,
    /// The one project that it may manage; left out for a key of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What it may do.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::management_scopes"))]
    pub scopes: Vec<Scope>,
    /// Addresses that it may be used from; left out: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub ips: Vec<IpRule>,
    /// It is valid from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// It is valid until just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Whether it may be used.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::management_status"))]
    pub status: Status,
    /// Counts its changes; the `ETag`.
    pub version: u64,
    /// Why and when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
    /// The newest first, at most ten.
    pub secrets: Vec<Secret>,
    /// When it was last used, to about an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A management key after a change, which holds at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ManagementKeyChanged")
)]
pub struct ManagementKeyChanged<K = ManagementKey> {
    /// As it is now.
    pub key: K,
}

/// A management key with a new secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ManagementKeyCreated")
)]
pub struct ManagementKeyCreated<K = ManagementKey, S = String> {
    /// As it is now.
    pub key: K,
    /// Shown this once.
    pub secret: S,
}
