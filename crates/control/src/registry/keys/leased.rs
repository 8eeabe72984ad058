//! From when on a key is used by leases of its meter alone: the column `leased_from`.
//!
//! What the meter has been told of holds everywhere only if nobody goes by a record without asking
//! it. The newest record says whether one has to be asked, but an older one that does not may be
//! read for some time after it: from a location of KV that is late, or from memory.

use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use crate::registry::sweep::Scope;

/// So long after KV has acknowledged a newer one, a record is read nowhere any more.
const READ_MS: u64 = 600_000;
/// What KV has acknowledged so soon after a change is among that.
const SOON_MS: u64 = 60_000;

/// Whether the newest record of a row of `key` demands a lease. One that is limited does unless it
/// is let through without its meter, others if they are strict.
const DEMANDS: &str = "iif(
    json_type(limits, '$.credits') IS NOT NULL OR json_type(limits, '$.quota') IS NOT NULL
        OR EXISTS (SELECT 1 FROM json_each(limits, '$.rate')
                   WHERE json_extract(value, '$.per') IS NOT 'ip'),
    json_extract(limits, '$.on_meter_error') IS NOT 'allow',
    coalesce((SELECT revocation FROM project), iif(kind = 'public', 'eventual', 'strict'))
        = 'strict')";

/// Whether a row of `key` is a key of which a record may be read that demands no lease; `?1` is the
/// time. One that always has demanded it has no other; else KV has to be through with it.
const UNLEASED: &str = "(leased_from IS NULL OR leased_from > ?1 OR leased_from <> created_at AND (
    EXISTS (SELECT 1 FROM outbox
            WHERE outbox.key = key.id AND (acknowledged < generation OR doubtful = 1))
    OR EXISTS (SELECT 1 FROM sweep WHERE scope IN ('project', 'environment', 'owner'))))";

/// What a statement that gives rows of `key` a new version sets, beside that; `?1` is the time.
pub(in crate::registry) fn set() -> String {
    format!("leased_from = iif({DEMANDS}, coalesce(leased_from, ?1 + {READ_MS}), NULL)")
}

/// The key is new: it has no older record.
///
/// # Errors
/// Those of the storage.
pub(super) fn begin(storage: &Storage, key: &str) -> Result<(), StorageError> {
    storage.run(
        &format!("UPDATE key SET leased_from = iif({DEMANDS}, created_at, NULL) WHERE id = ?1"),
        &[key.into()],
    )
}

/// KV has acknowledged the newest record of a key; `troubled` when it did not at first.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn published(
    storage: &Storage,
    key: &str,
    troubled: bool,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        &format!(
            "UPDATE key SET leased_from = ?1 + {READ_MS}
             WHERE id = ?2 AND leased_from <> created_at
                AND (?3 = 1 OR updated_at < ?1 - {SOON_MS})"
        ),
        &[now.into(), key.into(), troubled.into()],
    )
}

/// Whether every record of this key that may be read demands a lease; asked before a change.
///
/// # Errors
/// Those of the storage.
pub(super) fn is_leased(storage: &Storage, key: &str, now: Millis) -> Result<bool, StorageError> {
    let row = storage.row(
        &format!("SELECT 1 FROM key WHERE id = ?2 AND {UNLEASED}"),
        &[now.into(), key.into()],
    )?;
    Ok(row.is_none())
}

/// The same of all keys of a scope from which something can be taken away.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn are_leased(
    storage: &Storage,
    scope: Scope<'_>,
    now: Millis,
) -> Result<bool, StorageError> {
    let condition = scope.condition();
    let row = storage.row(
        &format!(
            "SELECT 1 FROM key
             WHERE {condition} AND status <> 'revoked' AND deleted_at IS NULL AND {UNLEASED} LIMIT 1"
        ),
        &[now.into(), scope.name().into()],
    )?;
    Ok(row.is_none())
}
