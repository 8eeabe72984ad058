//! Projects, their environments and their owners.

use keyward_core::limits::Limits;
use keyward_core::names::FIRST_ENVIRONMENTS;
use keyward_core::record::RevocationMode;
use serde::{Deserialize, Serialize};

use super::{Publication, Time};
#[cfg(feature = "schema")]
use crate::schema::{limits, words};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Project {
    /// Names it for ever.
    pub id: String,
    /// For people.
    pub name: String,
    /// Whether its keys may be used and changed.
    pub status: ProjectStatus,
    /// Counts its changes; the `ETag`.
    pub version: u64,
    /// Those that its keys can belong to.
    pub environments: Vec<Environment>,
    /// A secret ends so many seconds after it was made; left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u64>,
    /// So many seconds before that it is warned of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_s: Option<u64>,
    /// How soon changes of its keys hold; left out: `strict` for private keys, `eventual` for
    /// public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::revocation_mode"))]
    pub revocation: Option<RevocationMode>,
    /// What becomes of secrets of private keys that have leaked; left out: `revoke`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::on_leak"))]
    pub on_leak: Option<String>,
    /// A private key's secret that a page has sent ends so many seconds later; left out: it does not
    /// end by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_end_s: Option<u64>,
    /// Since when it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_at: Option<Time>,
    /// Since when it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Time>,
    /// What was noted at the last change of its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Project {
    /// A project as it is made.
    #[must_use]
    pub fn made(summary: ProjectSummary) -> Self {
        let environment = |id: &&str| Environment {
            id: (*id).to_owned(),
            status: EnvironmentStatus::Active,
            created_at: summary.created_at,
        };
        Self {
            environments: FIRST_ENVIRONMENTS.iter().map(environment).collect(),
            id: summary.id,
            name: summary.name,
            status: summary.status,
            version: 1,
            max_age_s: None,
            warn_s: None,
            revocation: None,
            on_leak: None,
            browser_end_s: None,
            suspended_at: None,
            archived_at: None,
            note: None,
            created_at: summary.created_at,
            updated_at: summary.created_at,
        }
    }
}

/// A project in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProjectSummary {
    /// Names it for ever.
    pub id: String,
    /// For people.
    pub name: String,
    /// Whether its keys may be used and changed.
    pub status: ProjectStatus,
    /// When it was made.
    pub created_at: Time,
}

/// Whether the keys of a project may be used and changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ProjectStatus {
    /// Both.
    Active,
    /// They can be changed, and are refused.
    Suspended,
    /// Neither.
    Archived,
}

/// An environment of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Environment {
    /// Stands in the secrets of its keys.
    pub id: String,
    /// Whether its keys may be used.
    pub status: EnvironmentStatus,
    /// When it was made.
    pub created_at: Time,
}

/// Whether the keys of an environment may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentStatus {
    /// They may.
    Active,
    /// They may not.
    Archived,
}

/// An owner that is suspended, or whose keys share limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Owner {
    /// Whoever keys were given to.
    pub owner: String,
    /// Since when it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_at: Option<Time>,
    /// What was noted when it was suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How much its keys may be used together; left out: without limit.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "limits::Limits"))]
    pub limits: Limits,
    /// How many keys they have.
    pub keys: u64,
}

/// An owner after a change, as the registry tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerKeys {
    /// Whoever keys were given to.
    pub owner: String,
    /// How many keys they have.
    pub keys: u64,
    /// How much its keys may be used together.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
}

/// An owner after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnerChanged {
    /// Whoever keys were given to.
    pub owner: String,
    /// How many keys they have.
    pub keys: u64,
    /// How much its keys may be used together; left out: without limit.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "limits::Limits"))]
    pub limits: Limits,
    /// Whether the edge has it.
    pub publication: Publication,
    /// When nothing anywhere goes on that it took away; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_by: Option<Time>,
}

/// A project after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ProjectChanged")
)]
pub struct ProjectChanged<P = Project> {
    /// As it is now.
    pub project: P,
    /// Whether the edge has it.
    pub publication: Publication,
    /// When nothing anywhere goes on that it took away; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_by: Option<Time>,
}

/// An environment after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "EnvironmentChanged")
)]
pub struct EnvironmentChanged<E = Environment> {
    /// As it is now.
    pub environment: E,
    /// Whether the edge has it.
    pub publication: Publication,
    /// When nothing anywhere goes on that it took away; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_by: Option<Time>,
}
