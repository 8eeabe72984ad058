//! Writes a key into its row, and into what is searched.

use keyward_core::limits::Limits;
use keyward_core::metering::Of;
use keyward_core::restrict::Restrictions;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::pages;
use super::row::{Key, word};
use crate::registry::metering::credits;

/// Adds a key; its position is the table's to give.
///
/// # Errors
/// Those of the storage, also when there is a key with its id.
pub(super) fn insert(storage: &Storage, key: &Key) -> Result<(), StorageError> {
    let revoked = key.revoked.as_ref();
    let reason = revoked.map(|revoked| word(&revoked.reason)).transpose()?;
    let suspended_by = key.suspended_by.as_ref().map(word).transpose()?;
    storage.run(
        "INSERT INTO key (id, version, status, name, kind, environment, owner, restrictions,
                          not_before, expires_at, metadata, created_at, updated_at, suspended_by,
                          revoked_at, reason, note, delete_protection, unrestricted, full_access, limits)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                 ?19, ?20, ?21)",
        &[
            (&key.id).into(),
            key.version.into(),
            (&word(&key.own_status)?).into(),
            (&key.name).into(),
            key.kind.as_str().into(),
            (&key.environment).into(),
            key.owner.as_ref().into(),
            (&json(&key.restrictions)?).into(),
            key.not_before.into(),
            key.expires_at.into(),
            (&json(&key.metadata)?).into(),
            key.created_at.into(),
            key.updated_at.into(),
            suspended_by.as_ref().into(),
            revoked.map(|revoked| revoked.at).into(),
            reason.as_ref().into(),
            revoked.and_then(|revoked| revoked.note.as_ref()).into(),
            key.delete_protection.into(),
            is_unrestricted(&key.restrictions).into(),
            has_full_access(&key.restrictions).into(),
            (&json(&key.limits)?).into(),
        ],
    )?;
    storage.run(
        "INSERT INTO key_text (rowid, name, owner, id)
         SELECT position, name, coalesce(owner, ''), id FROM key WHERE id = ?1",
        &[(&key.id).into()],
    )
}

/// Writes the fields of a key that an update may change.
///
/// # Errors
/// Those of the storage.
pub(super) fn update(storage: &Storage, key: &Key) -> Result<(), StorageError> {
    let suspended_by = key.suspended_by.as_ref().map(word).transpose()?;
    storage.run(
        "UPDATE key SET name = ?2, owner = ?3, restrictions = ?4, not_before = ?5,
            expires_at = ?6, metadata = ?7, suspended_by = ?8, delete_protection = ?9,
            unrestricted = ?10, full_access = ?11, limits = ?12
         WHERE id = ?1",
        &[
            (&key.id).into(),
            (&key.name).into(),
            key.owner.as_ref().into(),
            (&json(&key.restrictions)?).into(),
            key.not_before.into(),
            key.expires_at.into(),
            (&json(&key.metadata)?).into(),
            suspended_by.as_ref().into(),
            key.delete_protection.into(),
            is_unrestricted(&key.restrictions).into(),
            has_full_access(&key.restrictions).into(),
            (&json(&key.limits)?).into(),
        ],
    )?;
    storage.run(
        "UPDATE key_text SET name = ?2, owner = coalesce(?3, '') WHERE rowid = ?1",
        &[
            key.position.into(),
            (&key.name).into(),
            key.owner.as_ref().into(),
        ],
    )
}

/// The version that a new key with this id begins with: above those of an earlier one that is gone,
/// because whoever still remembers a record of that one keeps to the highest version.
///
/// # Errors
/// Those of the storage.
pub(super) fn first_version(storage: &Storage, id: &str) -> Result<u64, StorageError> {
    let last = purged_version(storage, id)?;
    Ok(last.unwrap_or(0).saturating_add(1))
}

/// The last version of a key that is gone for good.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn purged_version(
    storage: &Storage,
    id: &str,
) -> Result<Option<u64>, StorageError> {
    let row = storage.row("SELECT version FROM purged WHERE id = ?1", &[id.into()])?;
    row.map(|row| row.number(0)).transpose()
}

/// Forgets a key but for its last version, its secrets, and what was known of their records.
///
/// # Errors
/// Those of the storage.
pub(super) fn forget(storage: &Storage, key: &Key, now: Millis) -> Result<(), StorageError> {
    storage.run(
        "INSERT INTO purged (id, version) VALUES (?1, ?2)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version",
        &[(&key.id).into(), key.version.into()],
    )?;
    let of = Of::Key(key.id.clone());
    credits::follow(storage, &of, &key.limits, &Limits::default(), now)?;
    let id = [(&key.id).into()];
    storage.run(
        "DELETE FROM replica WHERE secret IN (SELECT id FROM secret WHERE key = ?1)",
        &id,
    )?;
    pages::forget(storage, &key.id)?;
    storage.run("DELETE FROM secret WHERE key = ?1", &id)?;
    storage.run("DELETE FROM key WHERE id = ?1", &id)?;
    storage.run(
        "DELETE FROM key_text WHERE rowid = ?1",
        &[key.position.into()],
    )
}

/// Whether nothing says where the key may be used.
fn is_unrestricted(restrictions: &Restrictions) -> bool {
    restrictions.referrers.is_empty()
        && restrictions.apps.is_empty()
        && restrictions.ips.is_empty()
        && restrictions.paths.is_empty()
}

/// Whether the key may do everything.
fn has_full_access(restrictions: &Restrictions) -> bool {
    restrictions
        .scopes
        .iter()
        .any(|scope| scope.is_full_access())
}

fn json(value: &impl serde::Serialize) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|_| StorageError::Row)
}
