//! The state of the project, its environments and owners, and what it does to keys: a key may not
//! be used while its project is suspended or archived, its environment archived, or its owner
//! suspended.
//!
//! Each key's row says which of them suspends it, the widest that applies, so that resuming one
//! leaves the others in force. A change of state is one transaction: the state, every key that it
//! really changes, the [`sweep`](super::sweep) that publishes them, and the audit log.

mod environment;
mod force;
mod owner;
mod owner_limits;
mod project;

pub(super) use self::environment::{archive_environment, create_environment, environments};
pub(super) use self::force::in_force_from;
pub(super) use self::owner::{owners, suspend_owner};
pub(super) use self::owner_limits::{limit_owner, owner_credits, owner_limits, raise_owner_limits};
pub(super) use self::project::{change, show, update};
use keyward_edge::storage::{Storage, StorageError};

use super::journal::{Context, Subject};
use super::keys::leased;
use super::publication::Publisher;
use super::sweep::{self, Scope};
use super::view::SuspendedBy;

/// What suspends a key, for use in statements on `key`.
const SUSPENDED_BY: &str = "CASE
    WHEN EXISTS (SELECT 1 FROM project WHERE suspended_at IS NOT NULL OR archived_at IS NOT NULL)
        THEN 'project'
    WHEN EXISTS (SELECT 1 FROM environment
                 WHERE environment.id = key.environment AND archived_at IS NOT NULL)
        THEN 'environment'
    WHEN EXISTS (SELECT 1 FROM owner WHERE owner.owner = key.owner AND suspended_at IS NOT NULL)
        THEN 'owner' END";

/// What suspends a key of this environment and owner: the widest that applies.
///
/// # Errors
/// Those of the storage.
pub(super) fn suspension(
    storage: &Storage,
    environment: &str,
    owner: Option<&str>,
) -> Result<Option<SuspendedBy>, StorageError> {
    let row = storage
        .row(
            "SELECT EXISTS (SELECT 1 FROM project
                            WHERE suspended_at IS NOT NULL OR archived_at IS NOT NULL),
                EXISTS (SELECT 1 FROM environment WHERE id = ?1 AND archived_at IS NOT NULL),
                EXISTS (SELECT 1 FROM owner WHERE owner = ?2 AND suspended_at IS NOT NULL)",
            &[environment.into(), owner.into()],
        )?
        .ok_or(StorageError::Row)?;
    let by = [
        SuspendedBy::Project,
        SuspendedBy::Environment,
        SuspendedBy::Owner,
    ];
    for (column, by) in (0..).zip(by) {
        if row.number(column)? != 0 {
            return Ok(Some(by));
        }
    }
    Ok(None)
}

/// Brings the keys of the scope in line with the state that has just been written, and has them
/// published.
fn follow(
    publisher: &Publisher,
    context: &Context<'_>,
    scope: Scope<'_>,
    withdraws: bool,
) -> Result<(), StorageError> {
    let storage = context.storage;
    let condition = scope.condition();
    storage.run(
        &format!(
            "UPDATE key SET suspended_by = {SUSPENDED_BY}, version = version + 1, updated_at = ?1,
                {}
             WHERE {condition} AND status <> 'revoked' AND deleted_at IS NULL
                AND suspended_by IS NOT {SUSPENDED_BY}",
            leased::set()
        ),
        &[context.now.into(), scope.name().into()],
    )?;
    // What the record of a revoked or deleted key says does not depend on it; who brings a deleted
    // one back asks anew.
    if changed(storage)? {
        sweep::start(publisher, scope, withdraws, context.now)?;
    }
    Ok(())
}

/// Whether the statement before this one has changed anything.
fn changed(storage: &Storage) -> Result<bool, StorageError> {
    let row = storage.row("SELECT changes()", &[])?;
    Ok(row.ok_or(StorageError::Row)?.number(0)? > 0)
}

/// Logs a change of this project, or of a part of it.
fn log(
    context: &Context<'_>,
    action: &str,
    target: Option<&str>,
    changes: &[keyward_core::changes::FieldChange],
) -> Result<(), StorageError> {
    let project = context.storage.row("SELECT id FROM project", &[])?;
    let project = project.ok_or(StorageError::Row)?.text(0)?;
    let subject = Subject {
        project: Some(&project),
        target,
        ..Subject::default()
    };
    context.log(action, subject, changes)
}
