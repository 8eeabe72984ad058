//! How far the sweeps are, and what an answer says of that.

use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::Scope;
use crate::registry::message::{ProjectCommand, Publication};
use crate::registry::publication::Publisher;

/// Up to so many keys, an answer waits for KV.
pub(in crate::registry) const MOST_AWAITED: usize = 2_000;

/// How many keys have yet to get their outbox rows, and since when the oldest of these sweeps is
/// under way.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn pending(
    storage: &Storage,
) -> Result<(u64, Option<Millis>), StorageError> {
    let row = storage.row(
        "SELECT sum((SELECT count(*) FROM key
                     WHERE position > iif(scope = 'entry' AND withdraws = 1, 0, next) AND CASE scope
                        WHEN 'environment' THEN environment = sweep.name
                        WHEN 'owner' THEN owner = sweep.name ELSE 1 END
                     AND (scope = 'entry' OR updated_at >= started_at))),
            min(started_at)
         FROM sweep WHERE scope IN ('project', 'environment', 'owner', 'entry')",
        &[],
    )?;
    let row = row.ok_or(StorageError::Row)?;
    let keys = row.optional_time(0)?.map_or(0, |count| count.0);
    Ok((keys, row.optional_time(1)?.filter(|_| keys > 0)))
}

/// Whether keys of this scope have yet to get their outbox rows.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn under_way(
    storage: &Storage,
    scope: &Scope<'_>,
) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM sweep WHERE scope = ?1 AND name = ?2",
        &[scope.word().into(), scope.name().into()],
    )?;
    Ok(row.is_some())
}

/// Whether KV has all that a change of many keys is about; waits a little for it, unless there
/// are so many that it cannot be through by then.
pub(in crate::registry) async fn publication(
    publisher: &Publisher,
    command: &ProjectCommand,
) -> Publication {
    let scope = Scope::of(command);
    match keys(publisher.storage(), scope) {
        Ok(Some(keys)) => publisher.publication_of(Some(&scope), keys).await,
        Ok(None) => match settled(publisher.storage(), scope) {
            Ok(true) => Publication::Published,
            _ => Publication::Pending,
        },
        Err(_) => Publication::Pending,
    }
}

/// The keys of the scope; none when there are too many to wait for.
fn keys(storage: &Storage, scope: Scope<'_>) -> Result<Option<Vec<String>>, StorageError> {
    let condition = scope.condition();
    let rows = storage.rows(
        &format!("SELECT id FROM key WHERE {condition} LIMIT ?1"),
        &[(MOST_AWAITED as u64 + 1).into(), scope.name().into()],
    )?;
    if rows.len() > MOST_AWAITED {
        return Ok(None);
    }
    rows.iter()
        .map(|row| row.text(0))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Whether KV has the keys of the scope, asked once.
fn settled(storage: &Storage, scope: Scope<'_>) -> Result<bool, StorageError> {
    let condition = scope.condition();
    let owed = storage.row(
        &format!(
            "SELECT ?1 FROM outbox JOIN key ON key.id = outbox.key
             WHERE (acknowledged < generation OR doubtful = 1) AND {condition} LIMIT 1"
        ),
        &[1.into(), scope.name().into()],
    )?;
    Ok(owed.is_none() && !under_way(storage, &scope)?)
}
