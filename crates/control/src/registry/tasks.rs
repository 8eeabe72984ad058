//! What the clock alone makes due: answers that are kept no longer, and what [`clock`] says of
//! keys. The alarm also goes on with [`reservations`], which are made beside it.

use keyward_core::life;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::journal::{self, Context};
use super::keys::clock;
use super::message::Actor;
use super::publication::Publisher;
use super::reservations;

/// What a run has left undone is gone on with so much later.
const PAUSE_MS: u64 = 5_000;

/// Does what is due. Belongs into a transaction, with [`Publisher::arm`] after it.
///
/// # Errors
/// Those of the storage.
pub(super) fn run(publisher: &Publisher, now: Millis) -> Result<(), StorageError> {
    let storage = publisher.storage();
    journal::erase_old(storage, now)?;
    let context = Context {
        storage,
        by: &Actor::Keyward,
        ip: None,
        request_id: "alarm",
        now,
    };
    clock::run(publisher, &context)
}

/// When something is due next, seen from now.
///
/// # Errors
/// Those of the storage.
pub(super) fn next_wake(storage: &Storage, now: Millis) -> Result<Option<Millis>, StorageError> {
    let reserves = reservations::pending(storage)?.then_some(now);
    let due = [
        journal::next_wake(storage)?,
        clock::next_wake(storage, now)?,
        reserves,
    ];
    Ok(life::next_wake(&due, now, PAUSE_MS))
}
