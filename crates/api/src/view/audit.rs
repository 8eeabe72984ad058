//! The audit log.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Time;

/// Every action that is noted.
pub const ACTIONS: &[&str] = &[
    "project.create",
    "project.update",
    "project.suspend",
    "project.resume",
    "project.archive",
    "project.restore",
    "environment.create",
    "environment.archive",
    "environment.restore",
    "owner.suspend",
    "owner.resume",
    "owner.limit",
    "owner.credits",
    "key.create",
    "key.update",
    "key.rotate",
    "key.revoke",
    "key.disable",
    "key.enable",
    "key.delete",
    "key.undelete",
    "key.purge",
    "key.import",
    "key.rotation_due",
    "key.expiring",
    "key.leak",
    "key.browser_use",
    "key.browser_end",
    "key.credits",
    "secret.revoke",
    "secret.self_revoke",
    "management_key.create",
    "management_key.update",
    "management_key.rotate",
    "management_key.revoke",
    "management_key.disable",
    "management_key.enable",
    "management_key.delete",
    "management_key.leak",
    "webhook.create",
    "webhook.update",
    "webhook.delete",
    "webhook.rotate",
    "webhook.disable",
    "webhook.enable",
    "credential.set",
    "credential.delete",
    "records.republish",
];

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// `aud_` and its position in the log.
    pub id: String,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: AuditActor,
    /// What.
    #[cfg_attr(
        feature = "schema",
        schemars(schema_with = "crate::schema::words::action")
    )]
    pub action: String,
    /// To which project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// To which key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// To what else: a secret's id, an environment, an owner, a webhook's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The fields that changed; never a secret.
    pub changes: Vec<AuditChange>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The request that did it.
    pub request_id: String,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditActor {
    /// `management_key`, `bootstrap`, `holder`, `github` or `keyward`.
    #[cfg_attr(
        feature = "schema",
        schemars(schema_with = "crate::schema::words::actor")
    )]
    pub r#type: String,
    /// The management key's id, or the id of the key whose secret was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A field that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditChange {
    /// Its name.
    pub field: String,
    /// What it was; left out: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it became; left out: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}
