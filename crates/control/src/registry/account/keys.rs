//! The management keys: the tables `management_key` and `management_secret`. They are decided
//! about here alone; nothing of them is in KV.

pub(super) mod secrets;
pub(super) mod view;
pub(super) mod write;

use keyward_core::management::{Fields, Scope, Validity};
use keyward_core::record::Status;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::Value;

pub(super) use self::secrets::Secret;
use crate::registry::journal::Context;
use crate::registry::keys::{Revoked, from_json, from_word, word};
use crate::registry::message::{Page, Reply, Shown};

const COLUMNS: &str = "id, version, status, name, project, scopes, ips, not_before, expires_at, \
                       revoked_at, reason, note, last_used_at, created_at, updated_at, position";
const POSITION: u32 = 15;

/// A management key as it stands in its row.
pub(super) struct ManagementKey {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) status: Status,
    pub(super) fields: Fields,
    pub(super) revoked: Option<Revoked>,
    last_used_at: Option<Millis>,
    created_at: Millis,
    updated_at: Millis,
}

impl ManagementKey {
    /// What decides, with a secret, whether the key may be used.
    pub(super) fn validity(&self) -> Validity {
        Validity {
            status: self.status,
            not_before: self.fields.not_before,
            expires_at: self.fields.expires_at,
        }
    }

    /// Whether some secret opens it now.
    pub(super) fn is_usable(&self, storage: &Storage, now: Millis) -> Result<bool, StorageError> {
        let secrets = self.secrets(storage)?;
        let validity = self.validity();
        Ok(secrets
            .iter()
            .any(|secret| validity.admits(&secret.life, now)))
    }

    /// The key's secrets, the newest first.
    pub(super) fn secrets(&self, storage: &Storage) -> Result<Vec<Secret>, StorageError> {
        secrets::of(storage, &self.id)
    }

    fn show(&self, context: &Context<'_>) -> Result<Shown, StorageError> {
        view::show(self, &self.secrets(context.storage)?, context.now)
    }

    /// What the audit log compares of the key and these secrets.
    pub(super) fn compared(&self, secrets: &[Secret], now: Millis) -> Result<Value, StorageError> {
        view::compared(self, secrets, now)
    }

    /// The answer about the key.
    pub(super) fn item(&self, context: &Context<'_>) -> Result<Reply, StorageError> {
        Ok(Reply::Item {
            item: self.show(context)?,
            version: Some(self.version),
        })
    }
}

/// One management key.
pub(super) fn find(storage: &Storage, id: &str) -> Result<Option<ManagementKey>, StorageError> {
    let row = storage.row(
        &format!("SELECT {COLUMNS} FROM management_key WHERE id = ?1"),
        &[id.into()],
    )?;
    row.as_ref().map(key).transpose()
}

/// The key and the secret with this digest.
pub(super) fn holder(
    storage: &Storage,
    digest: &str,
) -> Result<Option<(ManagementKey, Secret)>, StorageError> {
    let Some((id, secret)) = secrets::by_digest(storage, digest)? else {
        return Ok(None);
    };
    let key = find(storage, &id)?.ok_or(StorageError::Row)?;
    Ok(Some((key, secret)))
}

/// Whether somebody can call for the whole account now, and make keys: who only can look is of no
/// help to who has lost every other key.
pub(super) fn is_any_of_the_account_usable(
    storage: &Storage,
    now: Millis,
) -> Result<bool, StorageError> {
    let rows = storage.rows(
        &format!(
            "SELECT {COLUMNS} FROM management_key WHERE project IS NULL AND status = 'active'"
        ),
        &[],
    )?;
    for row in &rows {
        let key = key(row)?;
        if key.fields.scopes.contains(&Scope::KeysWrite) && key.is_usable(storage, now)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The newest management keys that the filter lets through.
pub(super) fn list(
    context: &Context<'_>,
    page: &Page,
    status: Option<Status>,
    project: Option<&str>,
) -> Result<Reply, StorageError> {
    let storage = context.storage;
    let status = status.as_ref().map(word).transpose()?;
    let rows = storage.rows(
        &format!(
            "SELECT {COLUMNS} FROM management_key
             WHERE (?1 IS NULL OR position < ?1)
               AND (?2 IS NULL OR status = ?2)
               AND (?3 IS NULL OR project = ?3)
             ORDER BY position DESC LIMIT ?4"
        ),
        &[
            page.from.into(),
            status.as_ref().into(),
            project.into(),
            (u64::from(page.limit) + 1).into(),
        ],
    )?;
    let (shown, next) = page.cut(&rows, POSITION)?;
    let items = shown.iter().map(|row| key(row)?.show(context));
    let items = items.collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}

fn key(row: &Row) -> Result<ManagementKey, StorageError> {
    Ok(ManagementKey {
        id: row.text(0)?,
        version: row.number(1)?,
        status: from_word(row.text(2)?)?,
        fields: Fields {
            name: row.text(3)?,
            project: row.optional_text(4)?,
            scopes: from_json(&row.text(5)?)?,
            ips: from_json(&row.text(6)?)?,
            not_before: row.optional_time(7)?,
            expires_at: row.optional_time(8)?,
        },
        revoked: Revoked::read(row, 9)?,
        last_used_at: row.optional_time(12)?,
        created_at: row.time(13)?,
        updated_at: row.time(14)?,
    })
}
