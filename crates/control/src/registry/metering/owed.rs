//! What meters have yet to be told: the tables `metered` and `meter_outbox`, one row for each
//! subject, whatever number of changes it stands for.

use keyward_core::metering::Of;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

use super::{name, named};
use crate::registry::outbox::RECHECK_MS;
use crate::registry::sweep::Scope;

/// A row as it was when it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) of: Of,
    pub(super) generation: u64,
    pub(super) swept: bool,
}

/// This subject's meter has asked: from now on it is told.
///
/// # Errors
/// Those of the storage.
pub(super) fn mark(storage: &Storage, of: &Of) -> Result<(), StorageError> {
    storage.run(
        "INSERT OR IGNORE INTO metered (subject) VALUES (?1)",
        &[(&name(of)).into()],
    )
}

/// Whether this subject's meter is told: whether it has ever asked.
///
/// # Errors
/// Those of the storage.
pub(super) fn is_metered(storage: &Storage, of: &Of) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM metered WHERE subject = ?1",
        &[(&name(of)).into()],
    )?;
    Ok(row.is_some())
}

/// What the subject's meter knows has changed: if it has one, it is to be told. Belongs into the
/// transaction of the change.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owe(
    storage: &Storage,
    of: &Of,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "INSERT INTO meter_outbox (subject, generation, swept, due_at, attempts)
         SELECT subject, 1, 0, ?2, 0 FROM metered WHERE subject = ?1
         ON CONFLICT (subject) DO UPDATE SET generation = generation + 1, swept = 0, attempts = 0,
            due_at = min(due_at, excluded.due_at)",
        &[(&name(of)).into(), now.into()],
    )
}

/// All keys of this scope that have a meter and have just been changed, which `updated_at` says.
/// Belongs into the transaction of the change, which has gone through all of them anyway: so a
/// meter hears of a suspension whatever KV does.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owe_scope(
    storage: &Storage,
    scope: Scope<'_>,
    now: Millis,
) -> Result<(), StorageError> {
    let condition = scope.condition();
    storage.run(
        &format!(
            "INSERT INTO meter_outbox (subject, generation, swept, due_at, attempts)
             SELECT metered.subject, 1, 1, ?1, 0
             FROM metered JOIN key ON key.id = substr(metered.subject, 3)
                AND metered.subject = 'k/' || key.id
             WHERE metered.subject GLOB 'k/*' AND {condition} AND key.updated_at >= ?1
             ON CONFLICT (subject) DO UPDATE SET generation = generation + 1, attempts = 0,
                due_at = min(due_at, excluded.due_at)"
        ),
        &[now.into(), scope.name().into()],
    )
}

/// The subject's meter is to be told at this time, unless it is told anyway.
///
/// # Errors
/// Those of the storage.
pub(super) fn owe_if_none(storage: &Storage, of: &Of, at: Millis) -> Result<(), StorageError> {
    storage.run(
        "INSERT OR IGNORE INTO meter_outbox (subject, generation, swept, due_at, attempts)
         VALUES (?1, 1, 1, ?2, 0)",
        &[(&name(of)).into(), at.into()],
    )
}

/// Rows that may be sent now, the longest due first.
///
/// # Errors
/// Those of the storage.
pub(super) fn due(
    storage: &Storage,
    swept: bool,
    limit: usize,
    now: Millis,
) -> Result<Vec<Due>, StorageError> {
    let rows = storage.rows(
        "SELECT subject, generation FROM meter_outbox
         WHERE started_at IS NULL AND swept = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?3",
        &[swept.into(), now.into(), (limit as u64).into()],
    )?;
    let due = |row: &Row| {
        Ok(Due {
            of: named(&row.text(0)?).ok_or(StorageError::Row)?,
            generation: row.number(1)?,
            swept,
        })
    };
    rows.iter().map(due).collect()
}

/// Whether any row may be sent now.
///
/// # Errors
/// Those of the storage.
pub(super) fn any_due(storage: &Storage, now: Millis) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM meter_outbox
         WHERE started_at IS NULL AND swept IN (0, 1) AND due_at <= ?1 LIMIT 1",
        &[now.into()],
    )?;
    Ok(row.is_some())
}

/// When the object has to wake at the latest to go on; none when nothing is owed.
///
/// # Errors
/// Those of the storage.
pub(super) fn next_wake(storage: &Storage, now: Millis) -> Result<Option<Millis>, StorageError> {
    let row = storage
        .row(
            "SELECT EXISTS (SELECT 1 FROM meter_outbox WHERE started_at IS NOT NULL),
                (SELECT min(due_at) FROM meter_outbox WHERE started_at IS NULL AND swept = 0),
                (SELECT min(due_at) FROM meter_outbox WHERE started_at IS NULL AND swept = 1)",
            &[],
        )?
        .ok_or(StorageError::Row)?;
    let recheck = now.plus(RECHECK_MS);
    let under_way = (row.number(0)? != 0).then_some(recheck);
    // What is due already goes on when something else ends; the alarm is there for a crash.
    let due = |at: Millis| if at <= now { recheck } else { at };
    let wakes = [
        under_way,
        row.optional_time(1)?.map(due),
        row.optional_time(2)?.map(due),
    ];
    Ok(wakes.into_iter().flatten().min())
}
