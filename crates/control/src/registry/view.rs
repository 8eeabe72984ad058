//! Projects and keys as the management API shows them: what is empty or absent is left out, and
//! times are RFC 3339.

use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::restrict::Restrictions;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::message::Shown;
use super::storage::StorageError;

/// A project.
#[derive(Serialize)]
pub(super) struct ProjectView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: String,
}

/// A key, without anything of its secrets that is secret.
#[derive(Serialize)]
pub(super) struct KeyView<'a> {
    pub(super) id: &'a str,
    pub(super) project: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<&'a str>,
    pub(super) status: Status,
    pub(super) version: u64,
    #[serde(flatten)]
    pub(super) restrictions: &'a Restrictions,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) metadata: &'a Map<String, Value>,
    pub(super) secrets: Vec<SecretView>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

/// What may be shown of a secret.
#[derive(Serialize)]
pub(super) struct SecretView {
    pub(super) id: String,
    pub(super) redacted: String,
    pub(super) created_at: String,
}

/// A key that is gone.
#[derive(Serialize)]
pub(super) struct DeletedView<'a> {
    id: &'a str,
    status: &'static str,
}

impl<'a> DeletedView<'a> {
    /// The key that had this id.
    pub(super) fn of(id: &'a str) -> Self {
        Self {
            id,
            status: "deleted",
        }
    }
}

/// Writes a view.
///
/// # Errors
/// [`StorageError::Row`] for what cannot be JSON, which no row of this version is.
pub(super) fn shown(view: &impl Serialize) -> Result<Shown, StorageError> {
    let written: Box<RawValue> = to_raw_value(view).map_err(|_| StorageError::Row)?;
    Ok(written)
}
