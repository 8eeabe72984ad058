//! What KV has yet to be told: the table `outbox`, one row for each name in KV.
//!
//! A row says that the newest state of one record has to be written; the state itself is read when
//! the write starts, never before. The rules:
//! 1. One write is in flight for each name. A change meanwhile raises the row's generation, and a
//!    write of an older generation does not finish the row.
//! 2. A write that failed, took too long, or was lost with the object that had started it makes
//!    the row **doubtful**: it may take effect later than those that follow it. So the newest state
//!    is written again at once (after a failure, with back-off), and once more when the settling
//!    delay is over; only that write finishes the row.
//! 3. A name that may have been written before gets the settling delay and the second write in any
//!    case: KV is eventually consistent, and what it has acknowledged may still be overtaken.
//! 4. What withdraws something (a revoked, disabled or deleted key) goes before what grants, and
//!    one key before many ([`urgency`]). Among the equally urgent, what KV does not have goes before
//!    what is only written once more: the last of thousands of keys does not wait for the second
//!    writes of the first. One place is kept for second writes that wait for long, so that they do
//!    not wait for the last of a million keys either.

mod owe;
mod owed;
mod pace;
mod standing;
mod urgency;

use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

pub(super) use self::owe::{owe, owe_if_absent, owe_swept};
pub(super) use self::owed::{Owed, RECHECK_MS, crowded, entry_owed, next_wake, owed, pending};
pub(super) use self::pace::Pace;
pub(super) use self::standing::backoff;
use self::standing::{SETTLE_MS, Standing};
pub(super) use self::urgency::Urgency;
use super::keys::leased;

/// After this time a write in flight no longer holds back the next one of its name.
pub(super) const FLIGHT_CAP_MS: u64 = 30_000;
/// A name in KV, and what stands under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The name in KV.
    pub(super) name: String,
    /// The entry of the deployment's secret that the name is made with.
    pub(super) entry: String,
    pub(super) key: String,
    pub(super) secret: String,
}

/// A row as it was when its write started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) target: Target,
    pub(super) generation: u64,
    pub(super) urgency: Urgency,
}

/// What has happened to a key, as far as its records are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is new: nothing has ever been written under its names.
    Created,
    /// It is new with many others, and nobody waits for this one.
    Imported,
    /// It has changed so that more is allowed.
    Granted,
    /// It has changed so that less is allowed.
    Withdrawn,
}

/// Rows that are not in flight, of which KV does not have the newest state, or may have lost it
/// again. By their own index: those that are only written once more may be many.
const OWED: &str = "outbox INDEXED BY outbox_owed
    WHERE started_at IS NULL AND (acknowledged < generation OR doubtful = 1)";
/// Rows in flight of which the same is true. There are few.
const OWED_IN_FLIGHT: &str = "outbox INDEXED BY outbox_started
    WHERE started_at IS NOT NULL AND (acknowledged < generation OR doubtful = 1)";
/// Rows that are not in flight, and only written once more. By their own index: those that are owed
/// may be many.
const REPEATED: &str = "outbox INDEXED BY outbox_repeated
    WHERE started_at IS NULL AND acknowledged >= generation AND doubtful = 0";
/// After so long a row of many that is only written once more no longer waits for those that are
/// owed.
const OVERDUE_MS: u64 = 30_000;

/// Rows of this urgency whose write may start now: those that are owed first, of both the longest
/// due. Of many keys, one that is overdue to be written once more goes ahead where no such write is
/// under way.
///
/// # Errors
/// Those of the storage.
pub(super) fn due(
    storage: &Storage,
    urgency: Urgency,
    limit: usize,
    now: Millis,
) -> Result<Vec<Due>, StorageError> {
    let mut found = Vec::new();
    if limit > 0 && urgency.swept() && !repeats(storage, urgency)? {
        let overdue = Millis(now.0.saturating_sub(OVERDUE_MS));
        found = among(storage, REPEATED, urgency, 1, overdue)?;
    }
    let ahead = found.first().map(|due| due.target.name.clone());
    for rows in [OWED, REPEATED] {
        let left = limit.saturating_sub(found.len());
        if left > 0 {
            let more = among(storage, rows, urgency, left, now)?;
            found.extend(
                more.into_iter()
                    .filter(|due| Some(&due.target.name) != ahead.as_ref()),
            );
        }
    }
    Ok(found)
}

/// Whether a row of this urgency is being written once more.
fn repeats(storage: &Storage, urgency: Urgency) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM outbox INDEXED BY outbox_started
         WHERE started_at IS NOT NULL AND acknowledged >= generation AND doubtful = 0
            AND withdraws = ?1 LIMIT 1",
        &[urgency.code().into()],
    )?;
    Ok(row.is_some())
}

fn among(
    storage: &Storage,
    rows: &str,
    urgency: Urgency,
    limit: usize,
    now: Millis,
) -> Result<Vec<Due>, StorageError> {
    let rows = storage.rows(
        &format!(
            "SELECT name, entry, key, secret, generation FROM {rows}
                AND withdraws = ?1 AND due_at <= ?2
             ORDER BY due_at, name LIMIT ?3"
        ),
        &[urgency.code().into(), now.into(), (limit as u64).into()],
    )?;
    let due = |row: &Row| {
        Ok(Due {
            target: Target {
                name: row.text(0)?,
                entry: row.text(1)?,
                key: row.text(2)?,
                secret: row.text(3)?,
            },
            generation: row.number(4)?,
            urgency,
        })
    };
    rows.iter().map(due).collect()
}

/// The write of this name starts.
pub(super) fn start(storage: &Storage, name: &str, now: Millis) -> Result<(), StorageError> {
    storage.run(
        "UPDATE outbox SET started_at = ?2 WHERE name = ?1",
        &[name.into(), now.into()],
    )
}

/// The names with a write in flight, as far as the table knows, and when each started.
pub(super) fn in_flight(storage: &Storage) -> Result<Vec<(String, Millis)>, StorageError> {
    let rows = storage.rows(
        "SELECT name, started_at FROM outbox WHERE started_at IS NOT NULL",
        &[],
    )?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.time(1)?)))
        .collect()
}

/// The write of this name is lost or takes too long: the newest state is due at once.
pub(super) fn give_up(storage: &Storage, name: &str, now: Millis) -> Result<(), StorageError> {
    storage.run(
        "UPDATE outbox SET started_at = NULL, due_at = ?2, settle_at = ?3, doubtful = 1
         WHERE name = ?1",
        &[name.into(), now.into(), now.plus(SETTLE_MS).into()],
    )
}

/// The write of a row has ended, acknowledged or not. `jitter` is random.
pub(super) fn landed(
    storage: &Storage,
    due: &Due,
    started_at: Millis,
    acknowledged: bool,
    now: Millis,
    jitter: u32,
) -> Result<(), StorageError> {
    let name = due.target.name.as_str();
    let row = storage.row(
        "SELECT generation, acknowledged, withdraws, attempts, settle_at, doubtful
         FROM outbox WHERE name = ?1",
        &[name.into()],
    )?;
    let Some(row) = row else { return Ok(()) };
    let standing = Standing {
        generation: row.number(0)?,
        acknowledged: row.number(1)?,
        withdraws: Urgency::of_code(row.number(2)?).withdraws(),
        attempts: row.number(3)?,
        settle_at: row.optional_time(4)?,
        doubtful: row.number(5)? != 0,
    };
    let next = if acknowledged {
        standing.after_success(due.generation, started_at, now)
    } else {
        Some(standing.after_failure(now, jitter))
    };
    if acknowledged {
        let troubled = standing.attempts > 0 || standing.doubtful;
        leased::published(storage, &due.target.key, troubled, now)?;
    }
    match next {
        None => storage.run("DELETE FROM outbox WHERE name = ?1", &[name.into()]),
        Some(next) => storage.run(
            "UPDATE outbox SET started_at = NULL, due_at = ?2, acknowledged = ?3, attempts = ?4,
                settle_at = ?5, doubtful = ?6
             WHERE name = ?1",
            &[
                name.into(),
                next.due_at.into(),
                next.row.acknowledged.into(),
                next.row.attempts.into(),
                next.row.settle_at.into(),
                next.row.doubtful.into(),
            ],
        ),
    }
}

/// A write that had been given up has ended after all: whatever has been written since then may
/// have been overwritten, so the newest state is owed again, even if the row was finished. `newest`
/// is what was written under the name last; a row that is there knows better whose the name is.
pub(super) fn landed_late(
    storage: &Storage,
    newest: &Target,
    urgency: Urgency,
    acknowledged: bool,
    now: Millis,
) -> Result<(), StorageError> {
    let settled = if acknowledged {
        now
    } else {
        now.plus(SETTLE_MS)
    };
    storage.run(
        "INSERT INTO outbox (name, entry, key, secret, generation, acknowledged, withdraws, due_at,
                             attempts, settle_at, doubtful)
         VALUES (?1, ?2, ?3, ?4, 1, 0, ?5, ?6, 0, ?7, 1)
         ON CONFLICT (name) DO UPDATE SET due_at = min(due_at, excluded.due_at),
            settle_at = max(coalesce(settle_at, 0), excluded.settle_at), doubtful = 1",
        &[
            (&newest.name).into(),
            (&newest.entry).into(),
            (&newest.key).into(),
            (&newest.secret).into(),
            urgency.code().into(),
            now.into(),
            settled.into(),
        ],
    )
}
