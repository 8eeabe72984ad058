//! What becomes of a row of `meter_outbox` that is sent.

use keyward_core::metering::{Of, Told};
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::owed::Due;
use super::{credits, name, named};
use crate::registry::outbox::backoff;

/// The row is sent.
///
/// # Errors
/// Those of the storage.
pub(super) fn start(storage: &Storage, of: &Of, now: Millis) -> Result<(), StorageError> {
    storage.run(
        "UPDATE meter_outbox SET started_at = ?2 WHERE subject = ?1",
        &[(&name(of)).into(), now.into()],
    )
}

/// The subjects that were sent and not answered, as far as the table knows.
///
/// # Errors
/// Those of the storage.
pub(super) fn in_flight(storage: &Storage) -> Result<Vec<Of>, StorageError> {
    let rows = storage.rows(
        "SELECT subject FROM meter_outbox WHERE started_at IS NOT NULL",
        &[],
    )?;
    rows.iter()
        .map(|row| named(&row.text(0)?).ok_or(StorageError::Row))
        .collect()
}

/// What was sent is lost with the object that had sent it, or is not the newest any more: it is due
/// at once.
///
/// # Errors
/// Those of the storage.
pub(super) fn lost(storage: &Storage, of: &Of, now: Millis) -> Result<(), StorageError> {
    storage.run(
        "UPDATE meter_outbox SET started_at = NULL, due_at = ?2 WHERE subject = ?1",
        &[(&name(of)).into(), now.into()],
    )
}

/// The meter has acknowledged what was sent, with changes of credits up to the number `sent`. What
/// has changed since then is due at once; without a word of those changes it is sent again later.
///
/// # Errors
/// Those of the storage.
pub(super) fn acknowledged(
    storage: &Storage,
    due: &Due,
    sent: u64,
    told: Told,
    now: Millis,
    jitter: u32,
) -> Result<(), StorageError> {
    let subject = name(&due.of);
    storage.run(
        "UPDATE metered SET in_force_by = ?2 WHERE subject = ?1",
        &[(&subject).into(), now.plus(told.leased_ms).into()],
    )?;
    credits::confirm(storage, &due.of, told.credits)?;
    if told.credits < sent {
        return failed(storage, due, now, jitter);
    }
    // More than are sent at once, or new ones.
    let more = credits::any(storage, &due.of)?;
    storage.run(
        "DELETE FROM meter_outbox WHERE subject = ?1 AND generation = ?2 AND ?3 = 0",
        &[(&subject).into(), due.generation.into(), more.into()],
    )?;
    storage.run(
        "UPDATE meter_outbox SET started_at = NULL, attempts = 0, due_at = ?2 WHERE subject = ?1",
        &[(&subject).into(), now.into()],
    )?;
    // Of a key that is gone for good nothing will change any more.
    storage.run(
        "DELETE FROM metered WHERE subject = ?1 AND subject GLOB 'k/*'
            AND NOT EXISTS (SELECT 1 FROM key WHERE id = substr(?1, 3))
            AND NOT EXISTS (SELECT 1 FROM meter_outbox WHERE meter_outbox.subject = ?1)",
        &[(&subject).into()],
    )
}

/// The meter did not acknowledge what was sent: it is sent again later. What has changed since then
/// has not failed, and is due at once. `jitter` is random.
///
/// # Errors
/// Those of the storage.
pub(super) fn failed(
    storage: &Storage,
    due: &Due,
    now: Millis,
    jitter: u32,
) -> Result<(), StorageError> {
    let subject = name(&due.of);
    let row = storage.row(
        "UPDATE meter_outbox SET started_at = NULL, attempts = attempts + 1
         WHERE subject = ?1 AND generation = ?2 RETURNING attempts",
        &[(&subject).into(), due.generation.into()],
    )?;
    let Some(row) = row else {
        return lost(storage, &due.of, now);
    };
    let later = now.plus(backoff(row.number(0)?, true, jitter));
    storage.run(
        "UPDATE meter_outbox SET due_at = ?2 WHERE subject = ?1",
        &[(&subject).into(), later.into()],
    )
}
