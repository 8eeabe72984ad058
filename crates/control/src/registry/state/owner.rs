//! Owners whose keys may not be used. The registry knows of no other owners: an owner is whoever
//! a key was given to.

use keyward_api::view::{Owner, OwnerKeys};
use keyward_core::changes;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Value, json};

use super::{follow, log};
use crate::registry::journal::Context;
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
             ON CONFLICT (owner) DO NOTHING RETURNING owner",
            &[owner.into(), context.now.into(), note.into()],
        )?
    } else {
        storage.row(
            "DELETE FROM owner WHERE owner = ?1 RETURNING owner",
            &[owner.into()],
        )?
    };
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
    let keys = storage.row(
        "SELECT count(*) FROM key WHERE owner = ?1 AND deleted_at IS NULL",
        &[owner.into()],
    )?;
    let keys = keys.ok_or(StorageError::Row)?.number(0)?;
    Ok(Reply::Changed {
        item: view::shown(&OwnerKeys {
            owner: owner.to_owned(),
            keys,
        })?,
        version: None,
        publication: Publication::Pending,
        in_force_by: None,
    })
}

/// The suspended owners, the one that was suspended last first.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owners(
    storage: &Storage,
    page: &Page,
    _: Millis,
) -> Result<Reply, StorageError> {
    let rows = storage.rows(
        "SELECT rowid, owner, suspended_at, note,
            (SELECT count(*) FROM key WHERE key.owner = owner.owner AND deleted_at IS NULL)
         FROM owner WHERE ?1 IS NULL OR rowid < ?1 ORDER BY rowid DESC LIMIT ?2",
        &[page.from.into(), (u64::from(page.limit) + 1).into()],
    )?;
    let (shown, next) = page.cut(&rows, 0)?;
    let owner = |row: &Row| {
        view::shown(&Owner {
            owner: row.text(1)?,
            suspended_at: row.time(2)?.into(),
            note: row.optional_text(3)?,
            keys: row.number(4)?,
        })
    };
    let items = shown.iter().map(owner).collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}
