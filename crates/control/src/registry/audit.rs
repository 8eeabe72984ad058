//! The audit log: who changed what, when and from where. Entries are written in the transaction
//! of the change and never touched again; triggers of the table see to that.

pub(super) use keyward_core::changes::{FieldChange, diff};

use keyward_edge::storage::{Row, Storage, StorageError, Value};

use super::journal::{Context, Subject};
use super::message::{Actor, AuditFilter, Page, Reply, Shown};
use super::view::{self, AuditActor, AuditEntry};

const POSITION: u32 = 0;

/// Appends an entry; belongs into the transaction of the change.
///
/// # Errors
/// Those of the storage.
pub(super) fn append(
    context: &Context<'_>,
    action: &str,
    subject: Subject<'_>,
    changes: &[FieldChange],
) -> Result<(), StorageError> {
    let (kind, id) = actor(context.by);
    let changes = serde_json::to_string(changes).map_err(|_| StorageError::Row)?;
    context.storage.run(
        "INSERT INTO audit (at, actor_type, actor, action, project, key, target, changes, ip,
                            request_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        &[
            context.now.into(),
            kind.into(),
            id.into(),
            action.into(),
            subject.project.into(),
            subject.key.into(),
            subject.target.into(),
            (&changes).into(),
            context.ip.into(),
            context.request_id.into(),
        ],
    )
}

/// The entries that the filter lets through, newest or oldest first.
///
/// # Errors
/// Those of the storage.
pub(super) fn list(
    storage: &Storage,
    page: &Page,
    filter: &AuditFilter,
    oldest_first: bool,
) -> Result<Reply, StorageError> {
    // Only what is asked for stands in the statement: so the table's indexes are of use.
    let mut conditions = Vec::new();
    let mut values: Vec<Value<'_>> = Vec::new();
    let mut narrow = |condition: &str, value: Value<'static>| {
        values.push(value);
        conditions.push(format!("{condition} ?{}", values.len()));
    };
    if let Some(from) = page.from {
        let side = if oldest_first { ">" } else { "<" };
        narrow(&format!("position {side}"), from.into());
    }
    if let Some(since) = filter.since {
        narrow("at >=", since.into());
    }
    if let Some(until) = filter.until {
        narrow("at <", until.into());
    }
    let by_text = [
        ("key", &filter.key),
        ("action", &filter.action),
        (actor_column(filter.actor.as_deref()), &filter.actor),
    ];
    for (column, value) in &by_text {
        if let Some(value) = value {
            values.push(value.into());
            conditions.push(format!("{column} = ?{}", values.len()));
        }
    }
    if conditions.is_empty() {
        conditions.push("1".to_owned());
    }
    values.push((u64::from(page.limit) + 1).into());
    let rows = storage.rows(
        &format!(
            "SELECT position, at, actor_type, actor, action, project, key, target, changes, ip,
                    request_id
             FROM audit WHERE {} ORDER BY position {} LIMIT ?{}",
            conditions.join(" AND "),
            if oldest_first { "ASC" } else { "DESC" },
            values.len(),
        ),
        &values,
    )?;
    let (shown, next) = page.cut(&rows, POSITION)?;
    let items = shown.iter().map(entry).collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}

fn entry(row: &Row) -> Result<Shown, StorageError> {
    view::shown(&AuditEntry {
        id: format!("aud_{}", row.number(POSITION)?),
        at: row.time(1)?.into(),
        actor: AuditActor {
            r#type: row.text(2)?,
            id: row.optional_text(3)?,
        },
        action: row.text(4)?,
        project: row.optional_text(5)?,
        key: row.optional_text(6)?,
        target: row.optional_text(7)?,
        changes: serde_json::from_str(&row.text(8)?).map_err(|_| StorageError::Row)?,
        ip: row.optional_text(9)?,
        request_id: row.text(10)?,
    })
}

/// The words of an actor in the table.
pub(super) fn actor(actor: &Actor) -> (&'static str, Option<&str>) {
    match actor {
        Actor::ManagementKey(id) => ("management_key", Some(id)),
        Actor::Bootstrap => ("bootstrap", None),
        Actor::GitHub => ("github", None),
        Actor::Holder(id) => ("holder", Some(id)),
        Actor::Keyward => ("keyward", None),
    }
}

/// The column that a filter by actor is about: those that have no id are asked for by their type.
fn actor_column(actor: Option<&str>) -> &'static str {
    match actor {
        Some("bootstrap" | "github" | "keyward") => "actor_type",
        _ => "actor",
    }
}
