//! The environments of the project.

use keyward_api::view::{Environment, EnvironmentStatus};
use keyward_core::changes;
use keyward_core::refusal::Refusal;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Value, json};

use super::{follow, log};
use crate::registry::journal::Context;
use crate::registry::message::{Publication, Reply};
use crate::registry::publication::Publisher;
use crate::registry::sweep::Scope;
use crate::registry::view;

const COLUMNS: &str = "id, archived_at IS NOT NULL, created_at";

/// All of them, the oldest first.
///
/// # Errors
/// Those of the storage.
pub(super) fn all(storage: &Storage) -> Result<Vec<Environment>, StorageError> {
    let rows = storage.rows(
        &format!("SELECT {COLUMNS} FROM environment ORDER BY rowid"),
        &[],
    )?;
    rows.iter().map(read).collect()
}

/// All of them, as a page.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn environments(storage: &Storage) -> Result<Reply, StorageError> {
    let items = all(storage)?
        .iter()
        .map(view::shown)
        .collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next: None })
}

/// Adds an environment.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn create_environment(
    context: &Context<'_>,
    id: &str,
) -> Result<Reply, StorageError> {
    let created = context.storage.row(
        &format!(
            "INSERT INTO environment (id, created_at) VALUES (?1, ?2)
             ON CONFLICT (id) DO NOTHING RETURNING {COLUMNS}"
        ),
        &[id.into(), context.now.into()],
    )?;
    let Some(row) = created else {
        return Ok(Reply::refused(Refusal::EnvironmentExists));
    };
    touch(context)?;
    let after = json!({ "status": EnvironmentStatus::Active });
    let changes = changes::diff(&Value::Null, &after);
    log(context, "environment.create", Some(id), &changes)?;
    let item = view::shown(&read(&row)?)?;
    Ok(Reply::Item {
        item,
        version: None,
    })
}

/// Archives an environment, or restores it.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn archive_environment(
    publisher: &Publisher,
    context: &Context<'_>,
    id: &str,
    archived: bool,
) -> Result<Reply, StorageError> {
    let find = format!("SELECT {COLUMNS} FROM environment WHERE id = ?1");
    let Some(row) = context.storage.row(&find, &[id.into()])? else {
        return Ok(Reply::refused(Refusal::EnvironmentUnknown));
    };
    let mut environment = read(&row)?;
    let wanted = status(archived);
    if environment.status != wanted {
        context.storage.run(
            "UPDATE environment SET archived_at = ?2 WHERE id = ?1",
            &[id.into(), archived.then_some(context.now).into()],
        )?;
        touch(context)?;
        follow(publisher, context, Scope::Environment(id), archived)?;
        let action = if archived {
            "environment.archive"
        } else {
            "environment.restore"
        };
        let changes = changes::diff(
            &json!({ "status": environment.status }),
            &json!({ "status": wanted }),
        );
        log(context, action, Some(id), &changes)?;
        environment.status = wanted;
    }
    Ok(Reply::Changed {
        item: view::shown(&environment)?,
        version: None,
        publication: Publication::Pending,
        in_force_by: None,
    })
}

fn read(row: &Row) -> Result<Environment, StorageError> {
    Ok(Environment {
        id: row.text(0)?,
        status: status(row.number(1)? != 0),
        created_at: row.time(2)?.into(),
    })
}

const fn status(archived: bool) -> EnvironmentStatus {
    if archived {
        EnvironmentStatus::Archived
    } else {
        EnvironmentStatus::Active
    }
}

/// The project shows its environments: it has another version. Its name and state, which the
/// account registry shows, are the same.
fn touch(context: &Context<'_>) -> Result<(), StorageError> {
    context.storage.run(
        "UPDATE project SET told = told + iif(told = version, 1, 0), version = version + 1,
            updated_at = ?1",
        &[context.now.into()],
    )
}
