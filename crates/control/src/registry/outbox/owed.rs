//! What the outbox says about what is still owed: of one key, of one entry, and as a whole.

use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::{FLIGHT_CAP_MS, OWED, OWED_IN_FLIGHT};

/// How often the object wakes while something is in flight or waits for its turn: after a crash
/// this is how soon the rest is published.
pub(in crate::registry) const RECHECK_MS: u64 = 5_000;
/// So many swept rows may have failed before no more are added: a KV that fails is not helped by
/// a longer queue.
const MOST_FAILING: u64 = 100;

/// What the outbox knows of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registry) enum Owed {
    /// KV has acknowledged the newest state.
    Nothing,
    /// Its first write is in flight or waits for its turn.
    UnderWay,
    /// At least one write went wrong or missing.
    Doubtful,
}

/// What KV has yet to be told about this key.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owed(storage: &Storage, key: &str) -> Result<Owed, StorageError> {
    let row = storage
        .row(
            "SELECT count(*), coalesce(sum(doubtful), 0) FROM outbox
             WHERE key = ?1 AND (acknowledged < generation OR doubtful = 1)",
            &[key.into()],
        )?
        .ok_or(StorageError::Row)?;
    Ok(match (row.number(0)?, row.number(1)?) {
        (0, _) => Owed::Nothing,
        (_, 0) => Owed::UnderWay,
        _ => Owed::Doubtful,
    })
}

/// Whether a record under this entry has yet to be acknowledged.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn entry_owed(
    storage: &Storage,
    entry: &str,
) -> Result<bool, StorageError> {
    let row = storage.row(
        &format!(
            "SELECT 1 FROM {OWED} AND entry = ?1
             UNION ALL SELECT 1 FROM {OWED_IN_FLIGHT} AND entry = ?1 LIMIT 1"
        ),
        &[entry.into()],
    )?;
    Ok(row.is_some())
}

/// How many writes are owed, and since when the oldest. What is published anew waits from the
/// start of that on, everything else from the last change of its key on.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn pending(
    storage: &Storage,
    republished_since: Option<Millis>,
) -> Result<(u64, Option<Millis>), StorageError> {
    let row = storage
        .row(
            &format!(
                "SELECT count(*), min(max(key.updated_at, iif(owed.withdraws IN (2, 3), ?1, 0)))
                 FROM (SELECT key, withdraws FROM {OWED}
                       UNION ALL SELECT key, withdraws FROM {OWED_IN_FLIGHT}) AS owed
                 LEFT JOIN key ON key.id = owed.key"
            ),
            &[republished_since.unwrap_or(Millis(0)).into()],
        )?
        .ok_or(StorageError::Row)?;
    Ok((row.number(0)?, row.optional_time(1)?))
}

/// Whether there is enough to do without more rows of a sort that nobody waits for: such rows are
/// owed and due, or many of them have failed. What grants, an import above all, never holds back
/// what withdraws.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn crowded(
    storage: &Storage,
    withdraws: bool,
    now: Millis,
) -> Result<bool, StorageError> {
    let swept = if withdraws { "(3)" } else { "(2, 3)" };
    let due = storage.row(
        &format!("SELECT 1 FROM {OWED} AND withdraws IN {swept} AND due_at <= ?1 LIMIT 1"),
        &[now.into()],
    )?;
    if due.is_some() {
        return Ok(true);
    }
    let failing = storage.row(
        &format!(
            "SELECT 1 FROM outbox
             WHERE started_at IS NULL AND withdraws IN {swept} AND attempts > 0
             LIMIT 1 OFFSET ?1"
        ),
        &[MOST_FAILING.into()],
    )?;
    Ok(failing.is_some())
}

/// When the object has to wake at the latest to go on; None when nothing is owed.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn next_wake(
    storage: &Storage,
    now: Millis,
) -> Result<Option<Millis>, StorageError> {
    let row = storage
        .row(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE started_at IS NULL
                            AND withdraws IN (0, 1, 2, 3) AND due_at <= ?1),
                (SELECT min(started_at) FROM outbox WHERE started_at IS NOT NULL),
                (SELECT min(due_at) FROM outbox
                 WHERE started_at IS NULL AND withdraws = 0 AND due_at > ?1),
                (SELECT min(due_at) FROM outbox
                 WHERE started_at IS NULL AND withdraws = 1 AND due_at > ?1),
                (SELECT min(due_at) FROM outbox
                 WHERE started_at IS NULL AND withdraws = 2 AND due_at > ?1),
                (SELECT min(due_at) FROM outbox
                 WHERE started_at IS NULL AND withdraws = 3 AND due_at > ?1)",
            &[now.into()],
        )?
        .ok_or(StorageError::Row)?;
    let first_started = row.optional_time(1)?;
    let under_way = first_started.is_some() || row.number(0)? != 0;
    let mut wakes = vec![
        under_way.then(|| now.plus(RECHECK_MS)),
        first_started.map(|started_at| started_at.plus(FLIGHT_CAP_MS)),
    ];
    for column in 2..6 {
        wakes.push(row.optional_time(column)?);
    }
    Ok(wakes.into_iter().flatten().min())
}
