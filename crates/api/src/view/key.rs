//! Keys and their secrets.

use keyward_core::kind::Kind;
use keyward_core::limits::Limits;
use keyward_core::record::Status;
use keyward_core::restrict::Restrictions;
use keyward_core::revocation::Reason;
use keyward_core::rotation::Standing;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Leaked, Publication, Time, is_default};
#[cfg(feature = "schema")]
use crate::schema::words;

/// A key, without anything of its secrets that is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Key {
    /// Survives rotation; may be logged.
    pub id: String,
    /// The project that it belongs to.
    pub project: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is for.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::kind"))]
    pub kind: Kind,
    /// The environment that it belongs to.
    pub environment: String,
    /// Whoever it was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether it may be used.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::status"))]
    pub status: Status,
    /// What is suspended when the status is `suspended`; the widest that applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_by: Option<SuspendedBy>,
    /// Counts its changes; the `ETag`.
    pub version: u64,
    /// Where, from where and for what it may be used.
    #[serde(flatten)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "crate::schema::fields::Restrictions")
    )]
    pub restrictions: Restrictions,
    /// It is valid from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// It is valid until just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// How much it may be used; left out: without limit.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::limits::Limits"))]
    pub limits: Limits,
    /// The project's own notes on it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Why and when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// Until when it can be brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge_at: Option<Time>,
    /// It cannot be deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delete_protection: bool,
    /// When it was last used, to about an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,
    /// Pages that have sent it although it is private, at most 20: there it has leaked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<KeyPage>,
    /// Its end, when that is near.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_soon: Option<ExpiresSoon>,
    /// Which of the filters `unused`, `expiring`, `unrestricted` and `full_access` let it through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attention: Vec<Attention>,
    /// The newest first, at most ten.
    pub secrets: Vec<Secret>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A page that has sent a private key, and was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyPage {
    /// Its origin; `unknown` where it does not say one.
    pub origin: String,
    /// When it was first noted.
    pub first_at: Time,
    /// When it was last noted, to about an hour.
    pub last_at: Time,
}

/// What of a key's surroundings is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SuspendedBy {
    /// The project is suspended or archived.
    Project,
    /// The environment is archived.
    Environment,
    /// The owner is suspended.
    Owner,
}

/// When and why something was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revoked {
    /// When.
    pub at: Time,
    /// A word of RFC 5280, section 5.3.1.
    #[cfg_attr(feature = "schema", schemars(schema_with = "words::reason"))]
    pub reason: Reason,
    /// What was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The end of a key, when it is near.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExpiresSoon {
    /// When.
    pub at: Time,
    /// What ends it.
    pub cause: Cause,
}

/// What ends a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its own `expires_at`.
    ExpiresAt,
    /// The project's `max_age_s`: it has to be rotated.
    MaxAge,
    /// The project's `browser_end_s`: a page has sent the secret. The key has to be rotated.
    BrowserUse,
}

/// Why a key deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// It was not used for so long.
    Unused,
    /// It ends soon.
    Expiring,
    /// It has no restriction to websites, apps, addresses or paths.
    Unrestricted,
    /// It has the scope `*:*`.
    FullAccess,
}

/// What may be shown of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Secret {
    /// Names it among the secrets of its key; may be logged.
    pub id: String,
    /// Prefix and last four characters.
    pub redacted: String,
    /// Whether it may be used.
    pub status: SecretStatus,
    /// When it was made.
    pub created_at: Time,
    /// It is valid from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// It is valid until just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// When it ends at the latest because a page has sent it (`browser_end_s` of the project).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_end_at: Option<Time>,
    /// Why and when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
    /// Where it was first reported to have leaked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaked: Option<Leaked>,
    /// It was made elsewhere and brought here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub imported: bool,
}

/// Whether a secret may be used, whatever the status of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SecretStatus {
    /// It may.
    Live,
    /// Later.
    Scheduled,
    /// Not any more: its overlap, or its age, is over.
    Ended,
    /// Never again.
    Revoked,
}

impl From<Standing> for SecretStatus {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Live => Self::Live,
            Standing::Scheduled => Self::Scheduled,
            Standing::Ended => Self::Ended,
            Standing::Revoked => Self::Revoked,
        }
    }
}

/// A key after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "KeyChanged")
)]
pub struct KeyChanged<K = Key> {
    /// As it is now.
    pub key: K,
    /// Whether the edge has it.
    pub publication: Publication,
    /// When nothing anywhere goes on that it took away; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_by: Option<Time>,
}

/// A key with a new secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "KeyCreated")
)]
pub struct KeyCreated<K = Key, S = String> {
    /// As it is now.
    pub key: K,
    /// Shown this once.
    pub secret: S,
    /// Whether the edge has it.
    pub publication: Publication,
    /// When nothing anywhere goes on that it took away; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_by: Option<Time>,
}
