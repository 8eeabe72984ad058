//! How the rows of management keys change.

use keyward_core::management::Fields;
use keyward_core::record::Status;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use serde::Serialize;

use super::{ManagementKey, secrets};
use crate::registry::keys::word;
use crate::registry::message::{NewSecret, Revocation};

/// How old the time of the last use may be before it is written anew.
const LAST_USE_AGE_MS: u64 = 60_000;

/// Writes a new management key, in version 1, and its first secret.
pub(in crate::registry::account) fn insert(
    storage: &Storage,
    id: &str,
    fields: &Fields,
    secret: &NewSecret,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "INSERT INTO management_key (id, version, status, name, project, scopes, ips, not_before,
                                     expires_at, created_at, updated_at)
         VALUES (?1, 1, 'active', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        &[
            id.into(),
            (&fields.name).into(),
            fields.project.as_ref().into(),
            (&json(&fields.scopes)?).into(),
            (&json(&fields.ips)?).into(),
            fields.not_before.into(),
            fields.expires_at.into(),
            now.into(),
        ],
    )?;
    secrets::insert(storage, id, secret, None, now)
}

/// Writes the fields that can change.
pub(in crate::registry::account) fn set_fields(
    storage: &Storage,
    id: &str,
    fields: &Fields,
) -> Result<(), StorageError> {
    storage.run(
        "UPDATE management_key
         SET name = ?2, scopes = ?3, ips = ?4, not_before = ?5, expires_at = ?6 WHERE id = ?1",
        &[
            id.into(),
            (&fields.name).into(),
            (&json(&fields.scopes)?).into(),
            (&json(&fields.ips)?).into(),
            fields.not_before.into(),
            fields.expires_at.into(),
        ],
    )
}

/// Gives the key another status.
pub(in crate::registry::account) fn set_status(
    storage: &Storage,
    id: &str,
    status: Status,
) -> Result<(), StorageError> {
    storage.run(
        "UPDATE management_key SET status = ?2 WHERE id = ?1",
        &[id.into(), (&word(&status)?).into()],
    )
}

/// Revokes the key.
pub(in crate::registry::account) fn revoke(
    storage: &Storage,
    id: &str,
    revocation: &Revocation,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "UPDATE management_key SET status = 'revoked', revoked_at = ?2, reason = ?3, note = ?4
         WHERE id = ?1",
        &[
            id.into(),
            now.into(),
            (&word(&revocation.reason)?).into(),
            revocation.note.as_ref().into(),
        ],
    )
}

/// The key or a secret of it has changed.
pub(in crate::registry::account) fn next_version(
    storage: &Storage,
    id: &str,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "UPDATE management_key SET version = version + 1, updated_at = ?2 WHERE id = ?1",
        &[id.into(), now.into()],
    )
}

/// Notes that the key is used, at most once a minute: a write costs more than it tells.
pub(in crate::registry::account) fn note_use(
    storage: &Storage,
    key: &ManagementKey,
    now: Millis,
) -> Result<(), StorageError> {
    if key
        .last_used_at
        .is_some_and(|last| now.since(last) < LAST_USE_AGE_MS)
    {
        return Ok(());
    }
    storage.run(
        "UPDATE management_key SET last_used_at = ?2 WHERE id = ?1",
        &[(&key.id).into(), now.into()],
    )
}

/// Forgets the key and its secrets.
pub(in crate::registry::account) fn delete(
    storage: &Storage,
    id: &str,
) -> Result<(), StorageError> {
    storage.run("DELETE FROM management_secret WHERE key = ?1", &[id.into()])?;
    storage.run("DELETE FROM management_key WHERE id = ?1", &[id.into()])
}

fn json(list: &impl Serialize) -> Result<String, StorageError> {
    serde_json::to_string(list).map_err(|_| StorageError::Row)
}
