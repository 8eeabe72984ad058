//! A key as the management API shows it.

use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::restrict::Restrictions;
use keyward_core::time::Millis;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::registry::message::{Key, Secret};

/// What is empty or absent is left out; times are RFC 3339.
#[derive(Serialize)]
pub(super) struct View<'a> {
    id: &'a str,
    project: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    kind: Kind,
    environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    status: Status,
    version: u64,
    #[serde(flatten)]
    restrictions: &'a Restrictions,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: &'a Map<String, Value>,
    secrets: Vec<SecretView<'a>>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct SecretView<'a> {
    id: &'a str,
    redacted: &'a str,
    created_at: String,
}

impl<'a> View<'a> {
    /// The key of this project.
    pub(super) fn of(project: &'a str, key: &'a Key) -> Self {
        Self {
            id: &key.id,
            project,
            name: &key.name,
            kind: key.kind,
            environment: &key.environment,
            owner: key.owner.as_deref(),
            status: key.status,
            version: key.version,
            restrictions: &key.restrictions,
            not_before: key.not_before.as_ref().map(Millis::to_string),
            expires_at: key.expires_at.as_ref().map(Millis::to_string),
            metadata: &key.metadata,
            secrets: key.secrets.iter().map(SecretView::of).collect(),
            created_at: key.created_at.to_string(),
            updated_at: key.updated_at.to_string(),
        }
    }
}

impl<'a> SecretView<'a> {
    fn of(secret: &'a Secret) -> Self {
        let created_at = secret.created_at.to_string();
        Self {
            id: &secret.id,
            redacted: &secret.redacted,
            created_at,
        }
    }
}
