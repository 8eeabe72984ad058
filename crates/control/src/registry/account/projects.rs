//! The projects of the account: which there are. What else is to know of one, its own registry
//! knows; name and status are copies that it tells.

use keyward_api::view::ProjectSummary;
use keyward_core::refusal::Refusal;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Value, json};

use super::stop::Stop;
use crate::registry::audit;
use crate::registry::journal::{Context, Subject};
use crate::registry::keys::from_word;
use crate::registry::message::{Page, ProjectStatus, Reply, Shown};
use crate::registry::view;

const COLUMNS: &str = "id, name, status, created_at, position";
const POSITION: u32 = 4;

/// Adds a project.
pub(super) fn create(context: &Context<'_>, id: &str, name: &str) -> Result<Reply, Stop> {
    let created = context.storage.row(
        &format!(
            "INSERT INTO project (id, name, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO NOTHING RETURNING {COLUMNS}"
        ),
        &[id.into(), name.into(), context.now.into()],
    )?;
    let row = created.ok_or(Refusal::ProjectExists)?;
    let subject = Subject {
        project: Some(id),
        key: None,
        target: None,
    };
    let changes = audit::diff(&Value::Null, &json!({ "name": name }));
    context.log("project.create", subject, &changes)?;
    Ok(item(&row)?)
}

/// One project.
pub(super) fn show(storage: &Storage, id: &str) -> Result<Reply, Stop> {
    let row = storage.row(
        &format!("SELECT {COLUMNS} FROM project WHERE id = ?1"),
        &[id.into()],
    )?;
    Ok(item(&row.ok_or(Refusal::ProjectUnknown)?)?)
}

/// Whether there is such a project.
pub(super) fn exists(storage: &Storage, id: &str) -> Result<bool, StorageError> {
    let row = storage.row("SELECT 1 FROM project WHERE id = ?1", &[id.into()])?;
    Ok(row.is_some())
}

/// The newest projects; archived ones only when asked for.
pub(super) fn list(
    storage: &Storage,
    page: &Page,
    status: Option<ProjectStatus>,
    only: Option<&str>,
) -> Result<Reply, StorageError> {
    let rows = storage.rows(
        &format!(
            "SELECT {COLUMNS} FROM project
             WHERE (?1 IS NULL OR position < ?1)
               AND CASE WHEN ?2 IS NULL THEN status <> 'archived' ELSE status = ?2 END
               AND (?3 IS NULL OR id = ?3)
             ORDER BY position DESC LIMIT ?4"
        ),
        &[
            page.from.into(),
            status.map(word).into(),
            only.into(),
            (u64::from(page.limit) + 1).into(),
        ],
    )?;
    let (shown, next) = page.cut(&rows, POSITION)?;
    let items = shown.iter().map(project).collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}

/// Takes over what a project's registry tells of it, unless it has told something newer.
pub(super) fn note(
    context: &Context<'_>,
    id: &str,
    name: &str,
    status: ProjectStatus,
    version: u64,
) -> Result<Reply, StorageError> {
    // That it is not there can only be after this registry was set back in time; it is then.
    context.storage.run(
        "INSERT INTO project (id, name, status, version, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE
         SET name = excluded.name, status = excluded.status, version = excluded.version
         WHERE version < excluded.version",
        &[
            id.into(),
            name.into(),
            word(status).into(),
            version.into(),
            context.now.into(),
        ],
    )?;
    Ok(Reply::Done)
}

const fn word(status: ProjectStatus) -> &'static str {
    match status {
        ProjectStatus::Active => "active",
        ProjectStatus::Suspended => "suspended",
        ProjectStatus::Archived => "archived",
    }
}

fn item(row: &Row) -> Result<Reply, StorageError> {
    let item = project(row)?;
    Ok(Reply::Item {
        item,
        version: None,
    })
}

fn project(row: &Row) -> Result<Shown, StorageError> {
    view::shown(&ProjectSummary {
        id: row.text(0)?,
        name: row.text(1)?,
        status: from_word(row.text(2)?)?,
        created_at: row.time(3)?.into(),
    })
}
