//! Pages that have sent a private key, and were refused: the table `key_page`. Whoever can read the
//! page has the key.
//!
//! 1. Of a key, the pages that came first are known for good, as they are the likeliest, and beside
//!    them those that were seen last: who holds the key can make up as many as they like, and push
//!    out none of the first.
//! 2. Each new page is told. Of those after the first [`MOST`], one in an hour is.
//! 3. Where the project wants that, the secret that was sent ends some time later. That is said once
//!    for each secret: a later page moves it neither forward nor back.

use keyward_api::view::KeyPage;
use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Map, json};

use super::edit::{Edit, Effect};
use super::policy::Policy;
use super::row::{self, Key};
use crate::registry::audit::FieldChange;
use crate::registry::journal::{Context, Subject};
use crate::registry::message::{Actor, Reply};
use crate::registry::publication::Publisher;
use crate::registry::webhooks;

/// So many are known of a key.
const MOST: u64 = 20;
/// So many of them are the first.
const FIRST: u64 = 10;
/// So far apart the later ones are told.
const APART_MS: u64 = 3_600_000;
/// The action of a new page.
const USED: &str = "key.browser_use";
/// The action of a secret that ends because of one.
pub(super) const ENDS: &str = "key.browser_end";

/// Notes pages in the name of the gateway itself: of each the origin, and after a blank the id of the
/// secret that it has sent.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn reported(
    publisher: &Publisher,
    id: &str,
    pages: &[String],
    now: Millis,
) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    let context = Context {
        storage,
        by: &Actor::Keyward,
        ip: None,
        request_id: "edge",
        now,
    };
    storage.transaction(|| {
        let Some(key) = row::find(storage, id, now)? else {
            return Ok(Reply::Done);
        };
        if key.kind == Kind::Public || key.status() == Status::Deleted {
            return Ok(Reply::Done);
        }
        let policy = Policy::of(storage)?;
        for page in pages {
            // An isolate of the first version says no secret.
            let (origin, secret) = page.split_once(' ').unwrap_or((page, ""));
            note(&context, &policy, &key, origin)?;
            if let Some(after_s) = policy.browser_end_s {
                end(publisher, &context, id, secret, after_s)?;
            }
        }
        Ok(Reply::Done)
    })
}

/// Notes a page. No version of the key: nothing that anybody decides by has changed.
fn note(
    context: &Context<'_>,
    policy: &Policy,
    key: &Key,
    origin: &str,
) -> Result<(), StorageError> {
    let (storage, now, id) = (context.storage, context.now, &key.id);
    let known = storage.row(
        "UPDATE key_page SET last_at = ?3 WHERE key = ?1 AND origin = ?2 RETURNING 1",
        &[id.into(), origin.into(), now.into()],
    )?;
    if known.is_some() {
        return Ok(());
    }
    let is_full = count(storage, id)? >= MOST;
    if is_full {
        storage.run(
            "DELETE FROM key_page WHERE key = ?1 AND origin = (
                SELECT origin FROM (
                    SELECT origin, last_at FROM key_page WHERE key = ?1
                    ORDER BY first_at, origin LIMIT -1 OFFSET ?2)
                ORDER BY last_at, origin LIMIT 1)",
            &[id.into(), FIRST.into()],
        )?;
    }
    storage.run(
        "INSERT INTO key_page (key, origin, first_at, last_at) VALUES (?1, ?2, ?3, ?3)",
        &[id.into(), origin.into(), now.into()],
    )?;
    if is_full {
        let last = storage.row(
            "SELECT at FROM audit WHERE key = ?1 AND action = ?2 ORDER BY position DESC LIMIT 1",
            &[id.into(), USED.into()],
        )?;
        let last = last.map(|row| row.time(0)).transpose()?;
        if last.is_some_and(|last| now < last.plus(APART_MS)) {
            return Ok(());
        }
    }
    let subject = Subject {
        project: Some(&policy.project),
        key: Some(id),
        target: None,
    };
    let change = FieldChange {
        field: "pages".to_owned(),
        before: None,
        after: Some(json!(origin)),
    };
    context.log(USED, subject, &[change])?;
    let mut more = Map::new();
    more.insert("page".to_owned(), origin.into());
    webhooks::about_key(context, &policy.project, key, USED, None, more)
}

/// Gives a secret that a page has sent its end, unless that was said before.
fn end(
    publisher: &Publisher,
    context: &Context<'_>,
    id: &str,
    secret: &str,
    after_s: u64,
) -> Result<(), StorageError> {
    let Ok(edit) = Edit::begin(publisher, context, id, None)? else {
        return Ok(());
    };
    let max_age = edit.policy.max_age;
    let own = edit.secrets.iter().find(|own| own.id == secret);
    let Some(own) = own.filter(|own| own.browser_end_at.is_none()) else {
        return Ok(());
    };
    let end = context.now.plus(after_s.saturating_mul(1000));
    let ends_first = own.life.ends_at(max_age).is_some_and(|ends| ends <= end);
    if !own.life.standing(max_age, context.now).counts() || ends_first {
        return Ok(());
    }
    context.storage.run(
        "UPDATE secret SET browser_end_at = ?2, not_after = min(coalesce(not_after, ?2), ?2)
         WHERE id = ?1",
        &[secret.into(), end.into()],
    )?;
    edit.end(ENDS, Some(secret), Effect::TakenAway).map(drop)
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
