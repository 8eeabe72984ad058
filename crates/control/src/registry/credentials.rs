//! The credentials that a project has for origins: sealed by who sets them, published by the outbox.
//!
//! A row of the outbox and of `replica` that is about one has `credential/<name>` in the place of the ids
//! of a key and its secret. KV gets one value under each entry in force, sealed under that entry, so that an
//! older one can go. A version is given out once in the life of a project, so that what is deleted and set
//! again goes on above what isolates may remember.

mod act;
mod seals;

use keyward_core::keyring::Entry;
use keyward_core::names;
use keyward_core::time::Millis;
use keyward_edge::kv::Write;
use keyward_edge::storage::{Storage, StorageError};

pub(super) use self::act::{delete, list, number, set};
pub(super) use self::seals::{holds, needed, owe_all, reseal};
use super::outbox::{self, Event, Target};
use super::publication::Publisher;

/// What begins the ids of credentials in the outbox. No id of a key or a secret does.
const PREFIX: &str = "credential/";

/// The id of a credential in the outbox.
pub(super) fn id(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// What is to be written for a row of the outbox; none when the row is about no credential.
///
/// # Errors
/// Those of the storage.
pub(super) fn write(storage: &Storage, target: &Target) -> Result<Option<Write>, StorageError> {
    let Some(name) = target.secret.strip_prefix(PREFIX) else {
        return Ok(None);
    };
    let row = storage.row(
        "SELECT sealed FROM credential_seal WHERE name = ?1 AND entry = ?2",
        &[name.into(), (&target.entry).into()],
    )?;
    Ok(Some(match row {
        Some(row) => Write::Put(row.text(0)?),
        None => Write::Delete,
    }))
}

/// KV is owed the newest state of a credential, under each entry in force and wherever else it stands.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
fn owe(publisher: &Publisher, name: &str, event: Event, now: Millis) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let project = project(storage)?;
    for entry in keyring.entries() {
        if entry.is_retired() && !stands(storage, name, entry)? {
            continue;
        }
        let target = Target {
            name: names::credential_name(entry, &project, name),
            entry: entry.id().to_owned(),
            key: id(name),
            secret: id(name),
        };
        outbox::owe(storage, &target, event, now)?;
    }
    Ok(())
}

fn stands(storage: &Storage, name: &str, entry: &Entry) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM replica WHERE secret = ?1 AND entry = ?2",
        &[(&id(name)).into(), entry.id().into()],
    )?;
    Ok(row.is_some())
}

fn project(storage: &Storage) -> Result<String, StorageError> {
    let row = storage.row("SELECT id FROM project", &[])?;
    row.ok_or(StorageError::Row)?.text(0)
}
