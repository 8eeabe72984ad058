//! Owners whose keys may not be used. The registry knows of no other owners than these and those
//! whose keys share limits: an owner is whoever a key was given to.

use keyward_api::view::{Owner, OwnerKeys};
use keyward_core::changes;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Value, json};

use super::{follow, log, owner_limits};
use crate::registry::journal::Context;
use crate::registry::keys::from_json;
use crate::registry::message::{Page, Publication, Reply};
use crate::registry::publication::Publisher;
use crate::registry::sweep::Scope;
use crate::registry::view;

/// Suspends an owner, or resumes it. The keys are those that it has, deleted ones aside.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn suspend_owner(
    publisher: &Publisher,
    context: &Context<'_>,
    owner: &str,
    note: Option<&str>,
    suspended: bool,
) -> Result<Reply, StorageError> {
    let storage = context.storage;
    let done = if suspended {
        storage.row(
            "INSERT INTO owner (owner, suspended_at, note) VALUES (?1, ?2, ?3)
             ON CONFLICT (owner) DO UPDATE SET suspended_at = excluded.suspended_at,
                note = excluded.note, position = (SELECT max(position) + 1 FROM owner)
             WHERE suspended_at IS NULL
             RETURNING owner",
            &[owner.into(), context.now.into(), note.into()],
        )?
    } else {
        storage.row(
            "UPDATE owner SET suspended_at = NULL, note = NULL
             WHERE owner = ?1 AND suspended_at IS NOT NULL RETURNING owner",
            &[owner.into()],
        )?
    };
    storage.run(
        "DELETE FROM owner WHERE owner = ?1 AND suspended_at IS NULL AND limits_version = 0",
        &[owner.into()],
    )?;
    if done.is_some() {
        follow(publisher, context, Scope::Owner(owner), suspended)?;
        let state = match note {
            Some(note) => json!({ "suspended": suspended, "note": note }),
            None => json!({ "suspended": suspended }),
        };
        let before = if suspended {
            Value::Null
        } else {
            json!({ "suspended": true })
        };
        let action = if suspended {
            "owner.suspend"
        } else {
            "owner.resume"
        };
        log(
            context,
            action,
            Some(owner),
            &changes::diff(&before, &state),
        )?;
    }
    changed(storage, owner)
}

/// The answer to a change of an owner; whether KV has it is added afterwards.
///
/// # Errors
/// Those of the storage.
pub(super) fn changed(storage: &Storage, owner: &str) -> Result<Reply, StorageError> {
    let keys = storage.row(
        "SELECT count(*) FROM key WHERE owner = ?1 AND deleted_at IS NULL",
        &[owner.into()],
    )?;
    let keys = keys.ok_or(StorageError::Row)?.number(0)?;
    Ok(Reply::Changed {
        item: view::shown(&OwnerKeys {
            owner: owner.to_owned(),
            keys,
            limits: owner_limits(storage, owner)?
                .map(|(_, limits)| limits)
                .unwrap_or_default(),
        })?,
        version: None,
        publication: Publication::Pending,
        in_force_by: None,
    })
}

/// The owners that are suspended or whose keys share limits, the one that was suspended or first
/// given limits last first.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owners(
    storage: &Storage,
    page: &Page,
    _: Millis,
) -> Result<Reply, StorageError> {
    let rows = storage.rows(
        "SELECT position, owner, suspended_at, note, limits,
            (SELECT count(*) FROM key WHERE key.owner = owner.owner AND deleted_at IS NULL)
         FROM owner WHERE (?1 IS NULL OR position < ?1)
            AND (suspended_at IS NOT NULL OR limits <> '{}')
         ORDER BY position DESC LIMIT ?2",
        &[page.from.into(), (u64::from(page.limit) + 1).into()],
    )?;
    let (shown, next) = page.cut(&rows, 0)?;
    let owner = |row: &Row| {
        view::shown(&Owner {
            owner: row.text(1)?,
            suspended_at: row.optional_time(2)?.map(Into::into),
            note: row.optional_text(3)?,
            limits: from_json(&row.text(4)?)?,
            keys: row.number(5)?,
        })
    };
    let items = shown.iter().map(owner).collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}
