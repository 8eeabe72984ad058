//! The records of secrets, entry by entry: those that are missing are written, and those under
//! entries that are not in force go.

use keyward_core::keyring::Keyring;
use keyward_core::names;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

use crate::registry::outbox::{self, Event, Target};
use crate::registry::publication::Publisher;
use crate::registry::sweep::{self, BATCH};

/// The entries that a column of the statement lists.
pub(super) fn entries(row: &Row, column: u32) -> Result<Vec<String>, StorageError> {
    let ids = row.optional_text(column)?.unwrap_or_default();
    let ids = ids.split(',').filter(|id| !id.is_empty());
    Ok(ids.map(str::to_owned).collect())
}

/// The records of the next keys. In the first round only those that are not plainly active.
///
/// # Errors
/// Those of the storage.
pub(super) fn batch(
    publisher: &Publisher,
    keyring: &Keyring,
    first_round: bool,
    from: u64,
    now: Millis,
) -> Result<Batch, StorageError> {
    let storage = publisher.storage();
    let rows = storage.rows(
        "SELECT swept.position, secret.key, secret.id, secret.digest,
            (SELECT group_concat(entry) FROM replica WHERE replica.secret = secret.id),
            swept.plain AND coalesce(secret.revoked_at, secret.not_after) IS NULL
         FROM (SELECT position, id, status = 'active' AND suspended_by IS NULL
                    AND deleted_at IS NULL AS plain
               FROM key WHERE position > ?1 ORDER BY position LIMIT ?2) AS swept
         LEFT JOIN secret ON secret.key = swept.id AND secret.withdrawn = 0
         ORDER BY swept.position",
        &[from.into(), BATCH.into()],
    )?;
    let mut owed = false;
    for row in &rows {
        let Some(digest) = row.optional_text(3)? else {
            continue;
        };
        if first_round && row.number(5)? != 0 {
            continue;
        }
        let written = entries(row, 4)?;
        sweep::for_each_name(publisher, row, &digest, |target| {
            if written.contains(&target.entry) {
                return Ok(());
            }
            owed = true;
            outbox::owe_if_absent(storage, target, first_round, now)
        })?;
        // It goes in the second round: nobody reads it.
        if !first_round {
            let (key, secret) = (row.text(1)?, row.text(2)?);
            withdraw(storage, keyring, &key, &secret, &digest, &written, now)?;
        }
    }
    let last = rows.last().map(|row| row.number(0)).transpose()?;
    Ok(Batch { last, owed })
}

/// What became of a batch.
pub(super) struct Batch {
    /// The position of its last key; none when there was none left.
    pub(super) last: Option<u64>,
    /// Whether rows were added to the outbox.
    pub(super) owed: bool,
}

/// A secret's records are about to change, under the entries in force only. What stands under
/// others is older from now on: it counts as written no longer, or it would be taken for the newest
/// if such an entry came back. Belongs where outbox rows are added for a secret that has been
/// published before.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(in crate::registry) fn leave(
    publisher: &Publisher,
    key: &str,
    secret: &str,
    digest: &str,
    now: Millis,
) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let rows = storage.rows(
        "SELECT entry FROM replica WHERE secret = ?1",
        &[secret.into()],
    )?;
    let written: Vec<_> = rows
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<_, _>>()?;
    withdraw(storage, keyring, key, secret, digest, &written, now)
}

/// What stands under entries that are not in force any more goes. Without the entry its name
/// cannot be computed: then it stays in KV, where nobody reads it and it proves nothing.
fn withdraw(
    storage: &Storage,
    keyring: &Keyring,
    key: &str,
    secret: &str,
    digest: &str,
    written: &[String],
    now: Millis,
) -> Result<(), StorageError> {
    for id in written.iter().filter(|id| keyring.entry(id).is_none()) {
        let Some(entry) = keyring.entries().find(|entry| entry.id() == id) else {
            storage.run(
                "DELETE FROM replica WHERE secret = ?1 AND entry = ?2",
                &[secret.into(), id.into()],
            )?;
            continue;
        };
        let digest = Digest::from_hex(digest).ok_or(StorageError::Row)?;
        let target = Target {
            name: names::record_name(entry, &digest),
            entry: id.to_owned(),
            key: key.to_owned(),
            secret: secret.to_owned(),
        };
        outbox::owe_swept(storage, &target, Event::Granted, now)?;
    }
    Ok(())
}
