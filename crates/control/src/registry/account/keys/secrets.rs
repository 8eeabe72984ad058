//! The secrets of management keys: their digests, and from when to when each holds.

use keyward_api::view::Leaked;
use keyward_core::rotation::Life;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

use crate::registry::keys::{Revoked, leak, word};
use crate::registry::message::{NewSecret, Revocation};

const COLUMNS: &str = "id, redacted, created_at, not_before, not_after, revoked_at, reason, note, key, \
     leaked_at, leak_source, leak_url";
const KEY: u32 = 8;

/// A secret as it stands in its row.
pub(in crate::registry::account) struct Secret {
    pub(in crate::registry::account) id: String,
    pub(super) redacted: String,
    pub(in crate::registry::account) life: Life,
    pub(super) revoked: Option<Revoked>,
    pub(super) leaked: Option<Leaked>,
}

/// The secrets of a key, the newest first.
pub(super) fn of(storage: &Storage, key: &str) -> Result<Vec<Secret>, StorageError> {
    let rows = storage.rows(
        &format!("SELECT {COLUMNS} FROM management_secret WHERE key = ?1 ORDER BY position DESC"),
        &[key.into()],
    )?;
    rows.iter().map(secret).collect()
}

/// The secret with this digest, and the id of its key.
pub(super) fn by_digest(
    storage: &Storage,
    digest: &str,
) -> Result<Option<(String, Secret)>, StorageError> {
    let row = storage.row(
        &format!("SELECT {COLUMNS} FROM management_secret WHERE digest = ?1"),
        &[digest.into()],
    )?;
    row.map(|row| Ok((row.text(KEY)?, secret(&row)?)))
        .transpose()
}

/// Adds a secret to a key.
pub(in crate::registry::account) fn insert(
    storage: &Storage,
    key: &str,
    secret: &NewSecret,
    not_before: Option<Millis>,
    now: Millis,
) -> Result<(), StorageError> {
    // Nothing is derived from a management key: the sealed derivation key is not kept.
    storage.run(
        "INSERT INTO management_secret (id, key, digest, redacted, not_before, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            (&secret.id).into(),
            key.into(),
            (&secret.digest).into(),
            (&secret.redacted).into(),
            not_before.into(),
            now.into(),
        ],
    )
}

/// Ends a secret at a point in time.
pub(in crate::registry::account) fn end(
    storage: &Storage,
    id: &str,
    not_after: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "UPDATE management_secret SET not_after = ?2 WHERE id = ?1",
        &[id.into(), not_after.into()],
    )
}

/// Revokes a secret, unless it is revoked already.
pub(in crate::registry::account) fn revoke(
    storage: &Storage,
    id: &str,
    revocation: &Revocation,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "UPDATE management_secret SET revoked_at = ?2, reason = ?3, note = ?4
         WHERE id = ?1 AND revoked_at IS NULL",
        &[
            id.into(),
            now.into(),
            (&word(&revocation.reason)?).into(),
            revocation.note.as_ref().into(),
        ],
    )
}

fn secret(row: &Row) -> Result<Secret, StorageError> {
    Ok(Secret {
        id: row.text(0)?,
        redacted: row.text(1)?,
        life: Life {
            created_at: row.time(2)?,
            not_before: row.optional_time(3)?,
            not_after: row.optional_time(4)?,
            revoked_at: row.optional_time(5)?,
        },
        revoked: Revoked::read(row, 5)?,
        leaked: leak::read(row, KEY + 1)?,
    })
}
