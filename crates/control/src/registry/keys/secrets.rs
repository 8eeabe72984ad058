//! The secrets of a key: the table `secret`.

use keyward_api::view::Leaked;
use keyward_core::rotation::Life;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

use super::leak;
use super::row::Revoked;
use crate::registry::message::NewSecret;

/// A secret as it stands in its row, without its digest.
pub(in crate::registry) struct Secret {
    pub(in crate::registry) id: String,
    pub(in crate::registry) redacted: String,
    pub(in crate::registry) life: Life,
    pub(in crate::registry) revoked: Option<Revoked>,
    pub(in crate::registry) imported: bool,
    pub(in crate::registry) leaked: Option<Leaked>,
    /// When it ends at the latest because a page has sent it.
    pub(in crate::registry) browser_end_at: Option<Millis>,
}

impl Secret {
    fn read(row: &Row) -> Result<Self, StorageError> {
        let revoked = Revoked::read(row, 5)?;
        Ok(Self {
            id: row.text(0)?,
            redacted: row.text(1)?,
            life: Life {
                created_at: row.time(2)?,
                not_before: row.optional_time(3)?,
                not_after: row.optional_time(4)?,
                revoked_at: revoked.as_ref().map(|revoked| revoked.at),
            },
            revoked,
            imported: row.number(8)? != 0,
            leaked: leak::read(row, 9)?,
            browser_end_at: row.optional_time(12)?,
        })
    }
}

/// The secrets of a key, the newest first.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn of(storage: &Storage, key: &str) -> Result<Vec<Secret>, StorageError> {
    let rows = storage.rows(
        "SELECT id, redacted, created_at, not_before, not_after, revoked_at, reason, note, imported,
            leaked_at, leak_source, leak_url, browser_end_at
         FROM secret WHERE key = ?1 ORDER BY created_at DESC, rowid DESC",
        &[key.into()],
    )?;
    rows.iter().map(Secret::read).collect()
}

/// The digest of a secret.
///
/// # Errors
/// Those of the storage, also when there is no such secret.
pub(in crate::registry) fn digest(storage: &Storage, id: &str) -> Result<Digest, StorageError> {
    let row = storage.row("SELECT digest FROM secret WHERE id = ?1", &[id.into()])?;
    let hex = row.ok_or(StorageError::Row)?.text(0)?;
    Digest::from_hex(&hex).ok_or(StorageError::Row)
}

/// A secret to be added to a key.
pub(in crate::registry) struct Added<'a> {
    pub(in crate::registry) secret: &'a NewSecret,
    pub(in crate::registry) not_before: Option<Millis>,
    pub(in crate::registry) not_after: Option<Millis>,
    pub(in crate::registry) created_at: Millis,
    /// It was made elsewhere: it need not be of this deployment's form.
    pub(in crate::registry) imported: bool,
}

impl<'a> Added<'a> {
    /// A secret that was minted just now and holds at once, without an end.
    pub(super) const fn now(secret: &'a NewSecret, now: Millis) -> Self {
        Self {
            secret,
            not_before: None,
            not_after: None,
            created_at: now,
            imported: false,
        }
    }
}

/// Adds a secret to a key.
///
/// # Errors
/// Those of the storage, also when its id or its digest [exists](exists) already.
pub(super) fn insert(storage: &Storage, key: &str, added: &Added<'_>) -> Result<(), StorageError> {
    storage.run(
        "INSERT INTO secret (id, key, digest, sealed, redacted, not_before, not_after, imported,
                             created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            (&added.secret.id).into(),
            key.into(),
            (&added.secret.digest).into(),
            (&added.secret.sealed).into(),
            (&added.secret.redacted).into(),
            added.not_before.into(),
            added.not_after.into(),
            added.imported.into(),
            added.created_at.into(),
        ],
    )
}

/// Whether a secret with this digest or id belongs to a key already, deleted ones included.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn exists(
    storage: &Storage,
    secret: &NewSecret,
) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM secret WHERE digest = ?1 OR id = ?2",
        &[(&secret.digest).into(), (&secret.id).into()],
    )?;
    Ok(row.is_some())
}
