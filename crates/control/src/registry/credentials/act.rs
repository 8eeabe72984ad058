//! What is done with credentials.

use keyward_api::view::Credential;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Value, json};

use super::{owe, project};
use crate::registry::audit;
use crate::registry::journal::{Context, Subject};
use crate::registry::message::{NewCredential, Publication, Reply};
use crate::registry::outbox::Event;
use crate::registry::publication::Publisher;
use crate::registry::view::shown;

/// So many a project has.
const MOST: u64 = 100;
/// Of so many that were deleted it is known, those that were deleted last.
const MOST_DELETED: u64 = 1_000;

const COLUMNS: &str = "name, origin, version, created_at, updated_at";

/// All of them, by their names.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn list(storage: &Storage) -> Result<Reply, StorageError> {
    let rows = storage.rows(
        &format!("SELECT {COLUMNS} FROM credential ORDER BY name"),
        &[],
    )?;
    let items = rows.iter().map(|row| shown(&read(row)?));
    Ok(Reply::Items {
        items: items.collect::<Result<_, _>>()?,
        next: None,
    })
}

/// Gives out a version, which the seals of a value that is to be set are bound to.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn number(storage: &Storage) -> Result<Reply, StorageError> {
    let row = storage.row(
        "UPDATE project SET credential_version = credential_version + 1
         RETURNING credential_version",
        &[],
    )?;
    let version = row.ok_or(StorageError::Row)?.number(0)?;
    Ok(Reply::Item {
        item: shown(&Value::Null)?,
        version: Some(version),
    })
}

/// Sets a value, unless another one was set or the credential was deleted after the version of this one
/// was given out.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn set(
    publisher: &Publisher,
    context: &Context<'_>,
    new: &NewCredential,
) -> Result<Reply, StorageError> {
    let (storage, now, name) = (context.storage, context.now, new.name.as_str());
    let before = find(storage, name)?;
    let floor = storage.row("SELECT credential_floor FROM project", &[])?;
    let floor = floor.ok_or(StorageError::Row)?.number(0)?;
    let newest = before.as_ref().map_or(floor, |before| before.version);
    if new.version <= newest {
        return Ok(Reply::refused(Refusal::VersionConflict));
    }
    if before.is_none() {
        let count = storage.row("SELECT count(*) FROM credential", &[])?;
        if count.ok_or(StorageError::Row)?.number(0)? >= MOST {
            return Ok(Reply::Refused {
                code: Refusal::RequestInvalid.code().to_owned(),
                errors: vec![FieldError {
                    field: "credential".to_owned(),
                    detail: format!("a project has at most {MOST} credentials; delete one"),
                }],
            });
        }
    }
    storage.run(
        "INSERT INTO credential (name, origin, version, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (name) DO UPDATE SET origin = excluded.origin, version = excluded.version,
            updated_at = excluded.updated_at",
        &[
            name.into(),
            (&new.origin).into(),
            new.version.into(),
            now.into(),
        ],
    )?;
    storage.run(
        "DELETE FROM credential_seal WHERE name = ?1",
        &[name.into()],
    )?;
    storage.run(
        "DELETE FROM credential_deleted WHERE name = ?1",
        &[name.into()],
    )?;
    for (entry, sealed) in &new.seals {
        storage.run(
            "INSERT INTO credential_seal (name, entry, sealed) VALUES (?1, ?2, ?3)",
            &[name.into(), entry.into(), sealed.into()],
        )?;
    }
    let event = match before {
        Some(_) => Event::Withdrawn,
        None => Event::Granted,
    };
    owe(publisher, name, event, now)?;
    let after = find(storage, name)?.ok_or(StorageError::Row)?;
    let (old, new) = (before.as_ref().map_or(Value::Null, noted), noted(&after));
    log(context, "credential.set", name, &old, &new)?;
    changed(&after)
}

/// Deletes a credential.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn delete(
    publisher: &Publisher,
    context: &Context<'_>,
    name: &str,
) -> Result<Reply, StorageError> {
    let storage = context.storage;
    let Some(before) = find(storage, name)? else {
        return Ok(Reply::refused(Refusal::CredentialUnknown));
    };
    storage.run(
        "DELETE FROM credential_seal WHERE name = ?1",
        &[name.into()],
    )?;
    storage.run("DELETE FROM credential WHERE name = ?1", &[name.into()])?;
    storage.run(
        "INSERT OR REPLACE INTO credential_deleted (name, at) VALUES (?1, ?2)",
        &[name.into(), context.now.into()],
    )?;
    storage.run(
        "DELETE FROM credential_deleted WHERE name NOT IN
            (SELECT name FROM credential_deleted ORDER BY at DESC LIMIT ?1)",
        &[MOST_DELETED.into()],
    )?;
    storage.run(
        "UPDATE project SET credential_floor = credential_version",
        &[],
    )?;
    owe(publisher, name, Event::Withdrawn, context.now)?;
    log(
        context,
        "credential.delete",
        name,
        &noted(&before),
        &Value::Null,
    )?;
    changed(&before)
}

fn find(storage: &Storage, name: &str) -> Result<Option<Credential>, StorageError> {
    let row = storage.row(
        &format!("SELECT {COLUMNS} FROM credential WHERE name = ?1"),
        &[name.into()],
    )?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Credential, StorageError> {
    Ok(Credential {
        name: row.text(0)?,
        origin: row.text(1)?,
        version: row.number(2)?,
        created_at: row.time(3)?.into(),
        updated_at: row.time(4)?.into(),
    })
}

fn changed(credential: &Credential) -> Result<Reply, StorageError> {
    Ok(Reply::Changed {
        item: shown(credential)?,
        version: None,
        publication: Publication::Pending,
        in_force_by: None,
    })
}

/// What the audit log says of one.
fn noted(credential: &Credential) -> Value {
    json!({ "origin": credential.origin, "version": credential.version })
}

fn log(
    context: &Context<'_>,
    action: &str,
    name: &str,
    before: &Value,
    after: &Value,
) -> Result<(), StorageError> {
    let project = project(context.storage)?;
    let subject = Subject {
        project: Some(&project),
        target: Some(name),
        ..Subject::default()
    };
    context.log(action, subject, &audit::diff(before, after))
}
