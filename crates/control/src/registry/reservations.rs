//! The first version of this registry did not reserve its digests and key ids in the account. A
//! registry that comes from it does so in the background, portion by portion, until all are. Then it tells the
//! account: until that is told, the account has it asked about digests that nobody has reserved.

use std::collections::BTreeMap;

use keyward_edge::log;
use keyward_edge::storage::{Storage, StorageError};

use super::client;
use super::message::{AccountCommand, Reply};
use super::publication::Publisher;

/// So many keys are reserved at a time.
const KEYS_AT_ONCE: u64 = 250;
/// So many portions in one run; the alarm goes on with the rest.
const PORTIONS_OF_RUN: usize = 50;

/// Keys that follow each other: the names to reserve, and the key of each.
struct Portion {
    project: String,
    last: u64,
    names: BTreeMap<String, String>,
}

/// Whether any name has yet to be reserved.
///
/// # Errors
/// Those of the storage.
pub(super) fn pending(storage: &Storage) -> Result<bool, StorageError> {
    let row = storage.row("SELECT 1 FROM project WHERE reserved_to IS NOT NULL", &[])?;
    Ok(row.is_some())
}

/// Reserves what has yet to be. When the account registry does not answer, the alarm goes on.
///
/// # Errors
/// Those of the storage.
pub(super) async fn go_on(publisher: &Publisher) -> Result<(), StorageError> {
    let storage = publisher.storage();
    for _ in 0..PORTIONS_OF_RUN {
        if !pending(storage)? {
            return Ok(());
        }
        let done = match next(storage)? {
            Some(portion) => go_past(publisher, portion).await?,
            None => tell(publisher).await?,
        };
        if !done {
            let detail = "the project's older keys are not all reserved in the account";
            log::registry("reservation_postponed", None, detail);
            return Ok(());
        }
    }
    Ok(())
}

/// Whether all of a portion is reserved now, which is noted.
async fn go_past(publisher: &Publisher, portion: Portion) -> Result<bool, StorageError> {
    let last = portion.last;
    let done = reserve(publisher, portion).await;
    if done {
        let note = "UPDATE project SET reserved_to = ?1";
        publisher.storage().run(note, &[last.into()])?;
    }
    Ok(done)
}

/// Whether the account knows now that all names are reserved.
async fn tell(publisher: &Publisher) -> Result<bool, StorageError> {
    let storage = publisher.storage();
    let row = storage.row("SELECT id FROM project", &[])?;
    let project = row.ok_or(StorageError::Row)?.text(0)?;
    let command = AccountCommand::AllReserved { project };
    let reply = client::account(publisher.env(), &client::own(command, "")).await;
    if !matches!(reply, Ok(Reply::Done)) {
        return Ok(false);
    }
    storage.run("UPDATE project SET reserved_to = NULL", &[])?;
    Ok(true)
}

fn next(storage: &Storage) -> Result<Option<Portion>, StorageError> {
    let rows = storage.rows(
        "SELECT key.position, key.id, project.id FROM project JOIN key ON position > reserved_to
         ORDER BY position LIMIT ?1",
        &[KEYS_AT_ONCE.into()],
    )?;
    let Some(row) = rows.last() else {
        return Ok(None);
    };
    let (last, project) = (row.number(0)?, row.text(2)?);
    let mut names = BTreeMap::new();
    for row in &rows {
        let id = row.text(1)?;
        names.insert(format!("k:{id}"), id);
    }
    let digests = storage.rows(
        "SELECT secret.digest, key.id FROM project
            JOIN key ON key.position > reserved_to AND key.position <= ?1
            JOIN secret ON secret.key = key.id",
        &[last.into()],
    )?;
    for row in &digests {
        names.insert(format!("d:{}", row.text(0)?), row.text(1)?);
    }
    Ok(Some(Portion {
        project,
        last,
        names,
    }))
}

/// Whether all names are reserved now, but for those that another project holds.
async fn reserve(publisher: &Publisher, mut portion: Portion) -> bool {
    // The second time without what is held elsewhere; a third, should another have been faster.
    for _ in 0..3 {
        let command = AccountCommand::Reserve {
            project: portion.project.clone(),
            names: portion.names.keys().cloned().collect(),
            dry_run: false,
        };
        match client::account(publisher.env(), &client::own(command, "")).await {
            Ok(Reply::Done) => return true,
            Ok(Reply::Taken { names }) => {
                for name in names {
                    let key = portion.names.remove(&name);
                    // Never the name: it may be a digest.
                    let detail = "another project holds this key's id, or one of its secrets";
                    log::registry("reserved_elsewhere", key.as_deref(), detail);
                }
            }
            _ => return false,
        }
    }
    false
}
