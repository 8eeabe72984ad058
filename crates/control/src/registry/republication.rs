//! Publishing every record anew: under an entry of the deployment's secret that records are not
//! under yet, or because somebody asks for it. It works like a [`sweep`](super::sweep), of scope
//! `entry`, and what only it needs are three sorts of rows in the same table:
//!
//! - `entry`, named by the current entry: every secret gets a record under each entry in force
//!   where it has none, and what stands under other entries goes, as far as its name can be
//!   computed. There are two rounds: while `withdraws` is 1, only what is not plainly active has
//!   its turn. When the last key has had its turn, `next` is [`END`].
//! - `seal`: derivation keys are sealed under the current entry ([`reseal`]).
//! - `finished`: `entry` is through, `seal` is gone, and KV has acknowledged all that is under the
//!   current entry. `started_at` is when that was.

mod records;

use std::cell::Cell;

use keyward_core::keyring::Keyring;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

pub(super) use self::records::leave;
use self::records::{batch, entries};
use super::credentials;
use super::outbox;
use super::publication::Publisher;
use super::reseal;

/// Whether this instance of the object has looked at the keyring, which stays the same for as
/// long as the instance lives.
pub(super) type Noticed = Cell<bool>;

/// So many batches of the first round are looked at in one step.
const BATCHES_OF_FIRST_ROUND: u32 = 20;
/// After the position of any key.
const END: u64 = (1 << 53) - 1;

/// Begins when the keyring is not the one that the records are under; asked at each request and
/// alarm, looked at once.
///
/// # Errors
/// Those of the storage.
pub(super) fn notice(publisher: &Publisher, now: Millis) -> Result<(), StorageError> {
    let Some(keyring) = publisher.keyring() else {
        return Ok(());
    };
    if publisher.republication.get() {
        return Ok(());
    }
    let storage = publisher.storage();
    storage.transaction(|| {
        if covers(storage, keyring)? {
            reseal::resume(storage, keyring, now)
        } else {
            start(publisher, keyring, now)
        }
    })?;
    publisher.republication.set(true);
    Ok(())
}

/// Publishes everything anew, whatever KV has acknowledged before; whether that was not under way
/// already. Belongs into a transaction.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(super) fn restart(publisher: &Publisher, now: Millis) -> Result<bool, StorageError> {
    let storage = publisher.storage();
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    if under_way(storage, keyring.current().id())?.is_some() {
        return Ok(false);
    }
    for entry in keyring.in_force() {
        let forget = "DELETE FROM replica WHERE entry = ?1";
        storage.run(forget, &[entry.id().into()])?;
    }
    start(publisher, keyring, now)?;
    Ok(true)
}

/// Since when everything is being published anew; none when that is through.
///
/// # Errors
/// Those of the storage.
pub(super) fn under_way(storage: &Storage, current: &str) -> Result<Option<Millis>, StorageError> {
    time_of(storage, "entry", current)
}

/// Since when KV has everything under the current entry, and every seal is under it.
///
/// # Errors
/// Those of the storage.
pub(super) fn finished_at(
    storage: &Storage,
    current: &str,
) -> Result<Option<Millis>, StorageError> {
    time_of(storage, "finished", current)
}

/// Writes the outbox rows of the next keys: in the first round of those that are not plainly
/// active, because an older record of such a key, under an entry that comes back, lets it in until
/// it is overwritten. Belongs into [`sweep::step`].
///
/// # Errors
/// Those of the storage.
pub(super) fn step(publisher: &Publisher, now: Millis) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let row = storage.row(
        "SELECT position, next, withdraws FROM sweep WHERE scope = 'entry' AND name = ?1",
        &[keyring.current().id().into()],
    )?;
    let Some(row) = row else { return Ok(()) };
    let (position, mut from) = (row.number(0)?, row.number(1)?);
    if row.number(2)? != 0 {
        match first_round(publisher, keyring, position, from, now)? {
            Round::GoesOn => return Ok(()),
            Round::Over => from = 0,
        }
    }
    if outbox::crowded(storage, false, now)? {
        return Ok(());
    }
    if from == END {
        return finish(storage, keyring.current().id(), position, now);
    }
    let batch = batch(publisher, keyring, false, from, now)?;
    storage.run(
        "UPDATE sweep SET next = ?2 WHERE position = ?1",
        &[position.into(), batch.last.unwrap_or(END).into()],
    )
}

/// Whether the first round has come to its end.
enum Round {
    GoesOn,
    Over,
}

/// Goes on with the first round, until there is something to write: most keys are plainly active.
fn first_round(
    publisher: &Publisher,
    keyring: &Keyring,
    position: u64,
    mut from: u64,
    now: Millis,
) -> Result<Round, StorageError> {
    let storage = publisher.storage();
    let to = "UPDATE sweep SET next = ?2, withdraws = ?3 WHERE position = ?1";
    for _ in 0..BATCHES_OF_FIRST_ROUND {
        let batch = batch(publisher, keyring, true, from, now)?;
        let Some(last) = batch.last else {
            storage.run(to, &[position.into(), 0.into(), 0.into()])?;
            return Ok(Round::Over);
        };
        from = last;
        if batch.owed {
            break;
        }
    }
    storage.run(to, &[position.into(), from.into(), 1.into()])?;
    // The next step may have nothing else to wait for.
    storage.wake_at(now)?;
    Ok(Round::GoesOn)
}

/// Notes that all is through, if it is.
fn finish(
    storage: &Storage,
    current: &str,
    position: u64,
    now: Millis,
) -> Result<(), StorageError> {
    let seals = storage.row("SELECT 1 FROM sweep WHERE scope = 'seal'", &[])?;
    if seals.is_some() || outbox::entry_owed(storage, current)? {
        return Ok(());
    }
    storage.run(
        "UPDATE sweep SET scope = 'finished', started_at = ?2 WHERE position = ?1",
        &[position.into(), now.into()],
    )
}

fn start(publisher: &Publisher, keyring: &Keyring, now: Millis) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let current = keyring.current().id();
    storage.run(
        "DELETE FROM sweep WHERE scope IN ('entry', 'seal', 'finished')",
        &[],
    )?;
    let add = "INSERT INTO sweep (scope, name, withdraws, started_at) VALUES (?1, ?2, ?4, ?3)";
    storage.run(add, &["entry".into(), current.into(), now.into(), 1.into()])?;
    credentials::owe_all(publisher, now)?;
    if reseal::needed(storage, current)? {
        storage.run(add, &["seal".into(), current.into(), now.into(), 0.into()])?;
    }
    storage.wake_at(now)
}

fn time_of(storage: &Storage, scope: &str, name: &str) -> Result<Option<Millis>, StorageError> {
    let row = storage.row(
        "SELECT started_at FROM sweep WHERE scope = ?1 AND name = ?2",
        &[scope.into(), name.into()],
    )?;
    row.map(|row| row.time(0)).transpose()
}

/// Whether the records are under the entries in force and under no other, or are going to be.
fn covers(storage: &Storage, keyring: &Keyring) -> Result<bool, StorageError> {
    let current = keyring.current().id();
    // Begun for a keyring that is not there any more.
    let stale = storage.row(
        "SELECT 1 FROM sweep WHERE scope IN ('entry', 'seal') AND name <> ?1",
        &[current.into()],
    )?;
    if stale.is_some() {
        return Ok(false);
    }
    if under_way(storage, current)?.is_some() {
        return Ok(true);
    }
    // Only what has finished says when an older entry can go.
    if keyring.in_force().count() > 1 && finished_at(storage, current)?.is_none() {
        return Ok(false);
    }
    // The keys get their turn in order, and new ones are written under every entry in force: so
    // the oldest speaks for all.
    let row = storage.row(
        "SELECT (SELECT group_concat(entry) FROM replica WHERE replica.secret = secret.id),
            (SELECT group_concat(entry) FROM outbox
             WHERE outbox.key = secret.key AND outbox.secret = secret.id)
         FROM key JOIN secret ON secret.key = key.id AND secret.withdrawn = 0
         ORDER BY key.position LIMIT 1",
        &[],
    )?;
    let Some(row) = row else { return Ok(true) };
    let (written, owed) = (entries(&row, 0)?, entries(&row, 1)?);
    let known = |id: &str| owed.iter().any(|own| own == id);
    let in_force = |id: &str| keyring.entry(id).is_some();
    Ok(keyring
        .in_force()
        .all(|entry| known(entry.id()) || written.iter().any(|own| own == entry.id()))
        && written.iter().all(|id| in_force(id) || known(id)))
}
