//! How far KV has what the registry decided: the table `replica` says under which entry of the
//! deployment's secret a record of a secret has been acknowledged.

mod place;

use keyward_api::view::{EntryState, EntryStatus, Outbox, PublicationStatus};
use keyward_core::keyring::Entry;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

pub(super) use self::place::locate;
use super::journal::{Context, KEPT_MS, Subject};
use super::message::Reply;
use super::outbox::{self, Target};
use super::publication::Publisher;
use super::{republication, reseal, sweep, view};

/// For so long after everything is under the current entry an older one is kept: the last answer
/// whose secret was sealed under it can be asked for again until then, a minute for what was under
/// way included. KV has spread the records long before: in "60 seconds or more", and isolates hold
/// records for less than five minutes.
const OLDER_KEPT_MS: u64 = KEPT_MS + 60 * 1000;

/// KV has acknowledged a record under this name, or that there is none any more. Belongs into the
/// transaction that notes the acknowledgement.
///
/// # Errors
/// Those of the storage.
pub(super) fn note(storage: &Storage, target: &Target, stands: bool) -> Result<(), StorageError> {
    let statement = if stands {
        "INSERT OR IGNORE INTO replica (secret, entry) VALUES (?1, ?2)"
    } else {
        "DELETE FROM replica WHERE secret = ?1 AND entry = ?2"
    };
    let values = [(&target.secret).into(), (&target.entry).into()];
    storage.run(statement, &values)
}

/// How far the records are published, entry by entry.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(super) fn publication(publisher: &Publisher, _: Millis) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let current = keyring.current().id();
    let records = count(
        storage,
        "SELECT (SELECT count(*) FROM secret WHERE withdrawn = 0)
            + (SELECT count(*) FROM credential) WHERE ?1 <> ''",
        current,
    )?;
    let finished_at = republication::finished_at(storage, current)?;
    // A key that was made since then may not have its record under the current entry yet.
    let covered_at = match finished_at {
        Some(at) if !outbox::entry_owed(storage, current)? => Some(at),
        _ => None,
    };
    let mut entries = Vec::new();
    for entry in keyring.entries() {
        let state = state(entry, current);
        entries.push(EntryStatus {
            id: entry.id().to_owned(),
            state,
            records: if state == EntryState::Retired {
                0
            } else {
                records
            },
            published: count(
                storage,
                "SELECT count(*) FROM replica WHERE entry = ?1",
                entry.id(),
            )?,
            finished_at: finished_at
                .filter(|_| state == EntryState::Current)
                .map(Into::into),
            droppable_at: match covered_at {
                Some(at)
                    if state == EntryState::InForce && !reseal::holds(storage, entry.id())? =>
                {
                    Some(at.plus(OLDER_KEPT_MS).into())
                }
                _ => None,
            },
        });
    }
    let since = republication::under_way(storage, current)?;
    let (owed, owed_since) = outbox::pending(storage, since)?;
    let (swept, swept_since) = sweep::pending(storage)?;
    let oldest_at = [owed_since, swept_since].into_iter().flatten().min();
    let item = view::shown(&PublicationStatus {
        entries,
        outbox: Outbox {
            pending: owed + swept,
            oldest_at: oldest_at.map(Into::into),
        },
    })?;
    Ok(Reply::Item {
        item,
        version: None,
    })
}

/// Publishes every record anew, unless that is under way already; answers like [`publication`].
///
/// # Errors
/// As [`publication`].
pub(super) fn republish(
    publisher: &Publisher,
    context: &Context<'_>,
) -> Result<Reply, StorageError> {
    if republication::restart(publisher, context.now)? {
        let project = context.storage.row("SELECT id FROM project", &[])?;
        let project = project.ok_or(StorageError::Row)?.text(0)?;
        let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
        let subject = Subject {
            project: Some(&project),
            target: Some(keyring.current().id()),
            ..Subject::default()
        };
        context.log("records.republish", subject, &[])?;
    }
    publication(publisher, context.now)
}

fn state(entry: &Entry, current: &str) -> EntryState {
    if entry.is_retired() {
        EntryState::Retired
    } else if entry.id() == current {
        EntryState::Current
    } else {
        EntryState::InForce
    }
}

fn count(storage: &Storage, statement: &str, value: &str) -> Result<u64, StorageError> {
    let row = storage.row(statement, &[value.into()])?;
    row.ok_or(StorageError::Row)?.number(0)
}
