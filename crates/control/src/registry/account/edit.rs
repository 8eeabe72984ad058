//! One management key under change: changed in its rows, and then compared with what it was. What
//! has changed nothing is no change: no version, no entry in the audit log.

use keyward_edge::storage::StorageError;
use serde_json::Value;

use super::keys::{self, ManagementKey, Secret, write};
use crate::registry::audit;
use crate::registry::journal::{Context, Subject};
use crate::registry::message::Reply;

/// A key as it was before the change, and what the change is made with.
pub(super) struct Edit<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) key: ManagementKey,
    pub(super) secrets: Vec<Secret>,
}

impl<'a> Edit<'a> {
    /// Begins to change a key.
    pub(super) fn begin(
        context: &'a Context<'a>,
        key: ManagementKey,
    ) -> Result<Self, StorageError> {
        let secrets = key.secrets(context.storage)?;
        Ok(Self {
            context,
            key,
            secrets,
        })
    }

    /// The rows are written: gives the key its next version if they differ from what they were,
    /// and logs how. Answers with the key as it is now.
    pub(super) fn end(self, action: &str, target: Option<&str>) -> Result<Reply, StorageError> {
        let Self {
            context,
            key: before,
            secrets,
        } = self;
        let find = || keys::find(context.storage, &before.id)?.ok_or(StorageError::Row);
        let compared = before.compared(&secrets, context.now)?;
        let mut key = find()?;
        let secrets = key.secrets(context.storage)?;
        let changes = audit::diff(&compared, &key.compared(&secrets, context.now)?);
        if !changes.is_empty() {
            write::next_version(context.storage, &key.id, context.now)?;
            context.log(action, subject(&before, target), &changes)?;
            key = find()?;
        }
        key.item(context)
    }
}

/// The key is there now: logs all of it. Answers with it.
pub(super) fn created(context: &Context<'_>, id: &str) -> Result<Reply, StorageError> {
    let key = keys::find(context.storage, id)?.ok_or(StorageError::Row)?;
    let compared = key.compared(&key.secrets(context.storage)?, context.now)?;
    let changes = audit::diff(&Value::Null, &compared);
    context.log("management_key.create", subject(&key, None), &changes)?;
    key.item(context)
}

/// The key is gone: logs what it was.
pub(super) fn deleted(context: &Context<'_>, key: &ManagementKey) -> Result<(), StorageError> {
    let compared = key.compared(&[], context.now)?;
    let changes = audit::diff(&compared, &Value::Null);
    context.log("management_key.delete", subject(key, None), &changes)
}

fn subject<'a>(key: &'a ManagementKey, target: Option<&'a str>) -> Subject<'a> {
    Subject {
        project: key.fields.project.as_deref(),
        key: Some(&key.id),
        target,
    }
}
