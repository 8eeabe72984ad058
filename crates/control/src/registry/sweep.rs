//! Changes of many keys: their outbox rows are written bit by bit, so that no change takes longer
//! the more keys there are, and none waits behind a hundred thousand rows.
//!
//! 1. The change itself is one transaction: it changes the keys and adds a row to the table
//!    `sweep` ([`start`]). What their meters are owed is added there and then.
//! 2. Whenever the publisher plans, and the rows of the last batch have been written to KV, the
//!    next keys get theirs ([`step`]): batch and progress are one transaction, so that a kill at
//!    any point leaves a sweep that goes on where it was.
//! 3. What withdraws goes first. A state is read when it is written, never before: a sweep that is
//!    overtaken by the next change of the same keys publishes that.
//!
//! A row of scope `entry` publishes every record anew ([`republication`]).

mod progress;
mod scope;

use keyward_core::names;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

pub(super) use self::progress::{MOST_AWAITED, pending, publication, under_way};
pub(super) use self::scope::Scope;
use super::metering;
use super::outbox::{self, Event, RECHECK_MS, Target};
use super::publication::Publisher;
use super::republication;

/// Keys that get their outbox rows at once.
pub(super) const BATCH: u64 = 500;

/// The keys of this scope that have just been changed are to be published. Belongs into the
/// transaction that changes them.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(super) fn start(
    publisher: &Publisher,
    scope: Scope<'_>,
    withdraws: bool,
    now: Millis,
) -> Result<(), StorageError> {
    publisher.keyring().ok_or(StorageError::Runtime)?;
    metering::owe_scope(publisher.storage(), scope, now)?;
    // One that is under way begins anew, and forgets none of the keys that it is about already.
    publisher.storage().run(
        "INSERT INTO sweep (scope, name, withdraws, started_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (scope, name) DO UPDATE SET next = 0,
            withdraws = max(withdraws, excluded.withdraws),
            started_at = min(started_at, excluded.started_at)",
        &[
            scope.word().into(),
            scope.name().into(),
            withdraws.into(),
            now.into(),
        ],
    )
}

/// Writes the outbox rows of the next keys, when those before them are on their way. Belongs into
/// the publisher's plan.
///
/// # Errors
/// Those of the storage.
pub(super) fn step(publisher: &Publisher, now: Millis) -> Result<(), StorageError> {
    let storage = publisher.storage();
    // Without names there is nothing to write; the sweep waits for a valid keyring.
    if publisher.keyring().is_none() || outbox::crowded(storage, true, now)? {
        return Ok(());
    }
    loop {
        let next = storage.row(
            "SELECT position, scope, name, withdraws, next, started_at FROM sweep
             WHERE scope IN ('project', 'environment', 'owner')
             ORDER BY withdraws DESC, position LIMIT 1",
            &[],
        )?;
        let Some(row) = next else {
            return republication::step(publisher, now);
        };
        let (position, word, name) = (row.number(0)?, row.text(1)?, row.text(2)?);
        let scope = Scope::read(&word, &name);
        let withdraws = row.number(3)? != 0;
        if !withdraws && outbox::crowded(storage, false, now)? {
            return Ok(());
        }
        let event = if withdraws {
            Event::Withdrawn
        } else {
            Event::Granted
        };
        let (from, since) = (row.number(4)?, row.time(5)?);
        match batch(publisher, scope, from, since, event, now)? {
            None => storage.run("DELETE FROM sweep WHERE position = ?1", &[position.into()])?,
            Some(last) => {
                return storage.run(
                    "UPDATE sweep SET next = ?2 WHERE position = ?1",
                    &[position.into(), last.into()],
                );
            }
        }
    }
}

/// When the object has to wake at the latest to go on with what is not in the outbox yet, or with
/// what it has yet to tell.
///
/// # Errors
/// Those of the storage.
pub(super) fn next_wake(storage: &Storage, now: Millis) -> Result<Option<Millis>, StorageError> {
    let row = storage.row(
        "SELECT EXISTS (SELECT 1 FROM sweep WHERE scope <> 'finished')
             OR EXISTS (SELECT 1 FROM project WHERE told < version)",
        &[],
    )?;
    let goes_on = row.ok_or(StorageError::Row)?.number(0)? != 0;
    Ok(goes_on.then(|| now.plus(RECHECK_MS)))
}

/// The outbox rows of the next keys of the scope that have changed since; the position of the
/// last of them, or none when there are none left.
fn batch(
    publisher: &Publisher,
    scope: Scope<'_>,
    from: u64,
    since: Millis,
    event: Event,
    now: Millis,
) -> Result<Option<u64>, StorageError> {
    let storage = publisher.storage();
    let condition = scope.condition();
    let rows = storage.rows(
        &format!(
            "SELECT swept.position, secret.key, secret.id, secret.digest
             FROM (SELECT position, id FROM key
                   WHERE position > ?1 AND {condition} AND updated_at >= ?3
                   ORDER BY position LIMIT ?4) AS swept
             LEFT JOIN secret ON secret.key = swept.id AND secret.withdrawn = 0
             ORDER BY swept.position"
        ),
        &[from.into(), scope.name().into(), since.into(), BATCH.into()],
    )?;
    for row in &rows {
        let Some(digest) = row.optional_text(3)? else {
            continue;
        };
        for_each_name(publisher, row, &digest, |target| {
            outbox::owe_swept(storage, target, event, now)
        })?;
        republication::leave(publisher, &row.text(1)?, &row.text(2)?, &digest, now)?;
    }
    rows.last().map(|row| row.number(0)).transpose()
}

/// The names of a secret under every entry in force; `row` has the key in column 1 and the secret
/// in column 2.
pub(super) fn for_each_name(
    publisher: &Publisher,
    row: &Row,
    digest: &str,
    mut each: impl FnMut(&Target) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let digest = Digest::from_hex(digest).ok_or(StorageError::Row)?;
    let (key, secret) = (row.text(1)?, row.text(2)?);
    for entry in keyring.in_force() {
        each(&Target {
            name: names::record_name(entry, &digest),
            entry: entry.id().to_owned(),
            key: key.clone(),
            secret: secret.clone(),
        })?;
    }
    Ok(())
}
