//! A key as it stands in its row.

use keyward_core::kind::Kind;
use keyward_core::life;
use keyward_core::limits::Limits;
use keyward_core::record::Status;
use keyward_core::restrict::Restrictions;
use keyward_core::revocation::Reason;
use keyward_core::time::Millis;
use keyward_edge::storage::{self, Row, Storage, StorageError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::leased;
use crate::registry::view::SuspendedBy;

/// The columns that [`Key::read`] reads, in their order.
pub(in crate::registry) const COLUMNS: &str = "id, version, status, name, kind, environment, owner, restrictions, not_before, expires_at, \
     metadata, created_at, updated_at, position, suspended_by, revoked_at, reason, note, \
     deleted_at, delete_protection, last_used_at, limits";
/// Where in them the position is.
pub(in crate::registry) const POSITION: u32 = 13;

/// A key.
#[derive(Clone)]
pub(in crate::registry) struct Key {
    pub(in crate::registry) position: u64,
    pub(in crate::registry) id: String,
    pub(in crate::registry) version: u64,
    /// What its owner made of it; what counts is [`Key::status`].
    pub(in crate::registry) own_status: Status,
    pub(in crate::registry) suspended_by: Option<SuspendedBy>,
    pub(in crate::registry) revoked: Option<Revoked>,
    pub(in crate::registry) deleted_at: Option<Millis>,
    pub(in crate::registry) name: String,
    pub(in crate::registry) kind: Kind,
    pub(in crate::registry) environment: String,
    pub(in crate::registry) owner: Option<String>,
    pub(in crate::registry) restrictions: Restrictions,
    pub(in crate::registry) not_before: Option<Millis>,
    pub(in crate::registry) expires_at: Option<Millis>,
    pub(in crate::registry) limits: Limits,
    pub(in crate::registry) metadata: Map<String, Value>,
    pub(in crate::registry) delete_protection: bool,
    pub(in crate::registry) last_used_at: Option<Millis>,
    pub(in crate::registry) created_at: Millis,
    pub(in crate::registry) updated_at: Millis,
}

/// When and why something was revoked.
#[derive(Clone)]
pub(in crate::registry) struct Revoked {
    pub(in crate::registry) at: Millis,
    pub(in crate::registry) reason: Reason,
    pub(in crate::registry) note: Option<String>,
}

impl Key {
    /// Reads the row of a statement that begins with [`COLUMNS`].
    ///
    /// # Errors
    /// [`StorageError::Row`].
    pub(in crate::registry) fn read(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            position: row.number(POSITION)?,
            id: row.text(0)?,
            version: row.number(1)?,
            own_status: from_word(row.text(2)?)?,
            suspended_by: row.optional_text(14)?.map(from_word).transpose()?,
            revoked: Revoked::read(row, 15)?,
            deleted_at: row.optional_time(18)?,
            name: row.text(3)?,
            kind: from_word(row.text(4)?)?,
            environment: row.text(5)?,
            owner: row.optional_text(6)?,
            restrictions: from_json(&row.text(7)?)?,
            not_before: row.optional_time(8)?,
            expires_at: row.optional_time(9)?,
            limits: from_json(&row.text(21)?)?,
            metadata: from_json(&row.text(10)?)?,
            delete_protection: row.number(19)? != 0,
            last_used_at: row.optional_time(20)?,
            created_at: row.time(11)?,
            updated_at: row.time(12)?,
        })
    }

    /// What counts of all that has been said about the key.
    pub(in crate::registry) fn status(&self) -> Status {
        let suspended = self.suspended_by.is_some();
        life::status(self.own_status, suspended, self.deleted_at.is_some())
    }
}

impl Revoked {
    /// Reads time, reason and note from this column on.
    pub(in crate::registry) fn read(row: &Row, column: u32) -> Result<Option<Self>, StorageError> {
        let Some(at) = row.optional_time(column)? else {
            return Ok(None);
        };
        let reason = row.optional_text(column + 1)?;
        Ok(Some(Self {
            at,
            reason: reason.map(from_word).transpose()?.unwrap_or_default(),
            note: row.optional_text(column + 2)?,
        }))
    }
}

/// One key, unless it was deleted so long ago that it cannot come back.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn find(
    storage: &Storage,
    id: &str,
    now: Millis,
) -> Result<Option<Key>, StorageError> {
    let row = storage.row(
        &format!("SELECT {COLUMNS} FROM key WHERE id = ?1"),
        &[id.into()],
    )?;
    let key = row.as_ref().map(Key::read).transpose()?;
    Ok(key.filter(|key| {
        key.deleted_at
            .is_none_or(|deleted_at| now < life::purge_at(deleted_at))
    }))
}

/// Whether there is, or was until it is purged, a key with this id.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn exists(storage: &Storage, id: &str) -> Result<bool, StorageError> {
    let row = storage.row("SELECT 1 FROM key WHERE id = ?1", &[id.into()])?;
    Ok(row.is_some())
}

/// Gives the key its next version.
///
/// # Errors
/// Those of the storage.
pub(super) fn next_version(storage: &Storage, id: &str, now: Millis) -> Result<(), StorageError> {
    storage.run(
        &format!(
            "UPDATE key SET version = version + 1, updated_at = ?1, {} WHERE id = ?2",
            leased::set()
        ),
        &[now.into(), id.into()],
    )
}

/// Gives every key that the condition is true of its next version. In the condition, `?1` is the
/// time and the values are numbered from `?2`.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn bump(
    storage: &Storage,
    condition: &str,
    values: Vec<storage::Value<'_>>,
    now: Millis,
) -> Result<(), StorageError> {
    let mut bound = vec![now.into()];
    bound.extend(values);
    storage.run(
        &format!(
            "UPDATE key SET version = version + 1, updated_at = ?1, {} WHERE {condition}",
            leased::set()
        ),
        &bound,
    )
}

/// The word that an enumeration has in JSON: the tables use the same.
pub(in crate::registry) fn word(value: &impl Serialize) -> Result<String, StorageError> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        _ => Err(StorageError::Row),
    }
}

/// Reads what [`word`] wrote.
pub(in crate::registry) fn from_word<T: DeserializeOwned>(word: String) -> Result<T, StorageError> {
    serde_json::from_value(Value::String(word)).map_err(|_| StorageError::Row)
}

/// Reads JSON.
pub(in crate::registry) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|_| StorageError::Row)
}
