//! Pages that have sent a private key, and were refused: the table `key_page`. Whoever can read the
//! page has the key.

use keyward_api::view::KeyPage;
use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Map, json};

use super::policy::Policy;
use super::row;
use crate::registry::audit::FieldChange;
use crate::registry::journal::{Context, Subject};
use crate::registry::message::{Actor, Reply};
use crate::registry::webhooks;

/// So many are known of a key: who holds it can make up as many as they like, and those that came
/// first are the likeliest.
const MOST: u64 = 20;

/// Notes pages in the name of the gateway itself.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn reported(
    storage: &Storage,
    id: &str,
    pages: &[String],
    now: Millis,
) -> Result<Reply, StorageError> {
    let context = Context {
        storage,
        by: &Actor::Keyward,
        ip: None,
        request_id: "edge",
        now,
    };
    storage.transaction(|| note(&context, id, pages))
}

/// Notes that these pages have sent a key; each new one is logged, and the project's endpoints are
/// told of it. No version of the key: nothing that anybody decides by has changed.
///
/// # Errors
/// Those of the storage.
fn note(context: &Context<'_>, id: &str, pages: &[String]) -> Result<Reply, StorageError> {
    let (storage, now) = (context.storage, context.now);
    let Some(key) = row::find(storage, id, now)? else {
        return Ok(Reply::Done);
    };
    if key.kind == Kind::Public || key.status() == Status::Deleted {
        return Ok(Reply::Done);
    }
    let project = Policy::of(storage)?.project;
    for page in pages {
        let known = storage.row(
            "UPDATE key_page SET last_at = ?3 WHERE key = ?1 AND origin = ?2 RETURNING 1",
            &[id.into(), page.into(), now.into()],
        )?;
        if known.is_some() || count(storage, id)? >= MOST {
            continue;
        }
        storage.run(
            "INSERT INTO key_page (key, origin, first_at, last_at) VALUES (?1, ?2, ?3, ?3)",
            &[id.into(), page.into(), now.into()],
        )?;
        let subject = Subject {
            project: Some(&project),
            key: Some(id),
            target: None,
        };
        let change = FieldChange {
            field: "pages".to_owned(),
            before: None,
            after: Some(json!(page)),
        };
        context.log("key.browser_use", subject, &[change])?;
        let mut more = Map::new();
        more.insert("page".to_owned(), page.as_str().into());
        webhooks::about_key(context, &project, &key, "key.browser_use", None, more)?;
    }
    Ok(Reply::Done)
}

/// The pages of a key, the first one first.
///
/// # Errors
/// Those of the storage.
pub(super) fn of(storage: &Storage, key: &str) -> Result<Vec<KeyPage>, StorageError> {
    let rows = storage.rows(
        "SELECT origin, first_at, last_at FROM key_page WHERE key = ?1 ORDER BY first_at, origin",
        &[key.into()],
    )?;
    let page = |row: &Row| {
        Ok(KeyPage {
            origin: row.text(0)?,
            first_at: row.time(1)?.into(),
            last_at: row.time(2)?.into(),
        })
    };
    rows.iter().map(page).collect()
}

/// Forgets the pages of a key that is gone.
///
/// # Errors
/// Those of the storage.
pub(super) fn forget(storage: &Storage, key: &str) -> Result<(), StorageError> {
    storage.run("DELETE FROM key_page WHERE key = ?1", &[key.into()])
}

fn count(storage: &Storage, key: &str) -> Result<u64, StorageError> {
    let row = storage.row(
        "SELECT count(*) FROM key_page WHERE key = ?1",
        &[key.into()],
    )?;
    row.ok_or(StorageError::Row)?.number(0)
}
