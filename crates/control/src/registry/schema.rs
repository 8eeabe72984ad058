//! The tables of the registries, and how an older database becomes a newer one.
//!
//! Each list of steps only ever grows: step `n` turns a database of version `n` into one of
//! version `n + 1`. The runtime does not let `PRAGMA user_version` be set, so a table of one row
//! holds the version.

use super::storage::{Storage, StorageError};

/// The account registry: every project.
pub(super) const ACCOUNT: &[&str] = &["
    CREATE TABLE project (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
"];

/// The registry of one project: its keys, their secrets, and what KV has yet to be told.
pub(super) const PROJECT: &[&str] = &["
    CREATE TABLE project (id TEXT PRIMARY KEY) STRICT;

    CREATE TABLE key (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        status TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        environment TEXT NOT NULL,
        owner TEXT,
        restrictions TEXT NOT NULL,
        not_before INTEGER,
        expires_at INTEGER,
        metadata TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX key_owner ON key (owner, position);

    CREATE TABLE secret (
        id TEXT PRIMARY KEY,
        key TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE,
        sealed TEXT NOT NULL,
        redacted TEXT NOT NULL,
        not_after INTEGER,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX secret_key ON secret (key, created_at);

    CREATE TABLE outbox (
        name TEXT PRIMARY KEY,
        entry TEXT NOT NULL,
        key TEXT NOT NULL,
        secret TEXT NOT NULL,
        generation INTEGER NOT NULL,
        acknowledged INTEGER NOT NULL,
        withdraws INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        started_at INTEGER,
        settle_at INTEGER,
        doubtful INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX outbox_key ON outbox (key);
    CREATE INDEX outbox_due ON outbox (withdraws, due_at) WHERE started_at IS NULL;
    CREATE INDEX outbox_started ON outbox (started_at) WHERE started_at IS NOT NULL;
"];

/// The version of the database; 0 for one without a table.
pub(super) fn version(storage: &Storage) -> Result<u64, StorageError> {
    let exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
    if storage.row(exists, &[])?.is_none() {
        return Ok(0);
    }
    match storage.row("SELECT version FROM schema_version", &[])? {
        Some(row) => row.number(0),
        None => Ok(0),
    }
}

/// Brings the database to the version of this module.
///
/// # Errors
/// Those of the storage, and [`StorageError::Row`] for a database that a later version wrote: what
/// its tables mean is not known here, so nothing is read from them.
pub(super) fn migrate(storage: &Storage, steps: &[&str]) -> Result<(), StorageError> {
    let done = version(storage)?;
    let target = steps.len() as u64;
    if done == target {
        return Ok(());
    }
    if done > target {
        return Err(StorageError::Row);
    }
    storage.transaction(|| {
        storage.run(
            "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT",
            &[],
        )?;
        for step in steps
            .iter()
            .skip(usize::try_from(done).unwrap_or(usize::MAX))
        {
            storage.run(step, &[])?;
        }
        storage.run("DELETE FROM schema_version", &[])?;
        storage.run(
            "INSERT INTO schema_version (version) VALUES (?1)",
            &[target.into()],
        )
    })
}
