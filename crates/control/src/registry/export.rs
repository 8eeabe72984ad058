//! Keys as lines that can be imported again, the oldest first. Deleted keys are left out.
//!
//! A suspended key is exported as disabled: where it is imported nothing suspends it, and it must
//! not come to life by moving. Beside it stands what suspends it.

use keyward_core::record::Status;
use keyward_core::rotation::{Life, Standing};
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::{Map, Value, json};

use super::keys::{self, COLUMNS, Key, POSITION, Policy};
use super::message::{Page, Reply, Shown};
use super::view;

/// An import takes so many secrets of one key.
const SECRETS: usize = 2;

/// A page of lines.
///
/// # Errors
/// Those of the storage.
pub(super) fn export(storage: &Storage, page: &Page, now: Millis) -> Result<Reply, StorageError> {
    let policy = Policy::of(storage)?;
    let rows = storage.rows(
        &format!(
            "SELECT {COLUMNS} FROM key WHERE position > ?1 AND deleted_at IS NULL
             ORDER BY position LIMIT ?2"
        ),
        &[
            page.from.unwrap_or(0).into(),
            (u64::from(page.limit) + 1).into(),
        ],
    )?;
    let (shown, next) = page.cut(&rows, POSITION)?;
    let items = shown.iter().map(|row| line(storage, &policy, row, now));
    let items = items.collect::<Result<_, _>>()?;
    Ok(Reply::Items { items, next })
}

fn line(storage: &Storage, policy: &Policy, row: &Row, now: Millis) -> Result<Shown, StorageError> {
    let key = Key::read(row)?;
    let mut line = keys::fields(&key)?;
    line.insert("id".to_owned(), key.id.as_str().into());
    let status = match (key.status(), key.suspended_by) {
        (Status::Suspended, by) => {
            line.insert("suspended_by".to_owned(), word(by)?);
            Status::Disabled
        }
        (status, _) => status,
    };
    line.insert("status".to_owned(), word(status)?);
    if let Some(revoked) = &key.revoked {
        let mut shown = Map::new();
        shown.insert("at".to_owned(), revoked.at.to_string().into());
        shown.insert("reason".to_owned(), word(revoked.reason)?);
        if let Some(note) = &revoked.note {
            shown.insert("note".to_owned(), note.as_str().into());
        }
        line.insert("revoked".to_owned(), shown.into());
    }
    line.insert("created_at".to_owned(), key.created_at.to_string().into());
    let secrets = secrets(storage, policy, &key.id, now)?;
    line.insert("secrets".to_owned(), secrets.into());
    view::shown(&line)
}

/// The secrets that hold or are going to, the newest first. A key that has none keeps its newest,
/// which has an end: so it cannot come to life elsewhere.
fn secrets(
    storage: &Storage,
    policy: &Policy,
    key: &str,
    now: Millis,
) -> Result<Vec<Value>, StorageError> {
    let rows = storage.rows(
        "SELECT digest, redacted, created_at, not_before, not_after, revoked_at FROM secret
         WHERE key = ?1 ORDER BY created_at DESC, rowid DESC",
        &[key.into()],
    )?;
    let mut counting = Vec::new();
    let mut over = None;
    for row in &rows {
        let life = Life {
            created_at: row.time(2)?,
            not_before: row.optional_time(3)?,
            not_after: row.optional_time(4)?,
            revoked_at: row.optional_time(5)?,
        };
        if life.standing(policy.max_age, now).counts() {
            counting.push(secret(row, &life, life.not_after)?);
        } else if over.is_none() {
            over = Some(secret(row, &life, Some(end(policy, &life, now)))?);
        }
        if counting.len() == SECRETS {
            break;
        }
    }
    if counting.is_empty() {
        counting.extend(over);
    }
    Ok(counting)
}

/// When a secret ended that does not count any more.
fn end(policy: &Policy, life: &Life, now: Millis) -> Millis {
    let ended = match life.standing(policy.max_age, now) {
        Standing::Revoked => life.revoked_at.into_iter().chain(life.not_after).min(),
        _ => life.ends_at(policy.max_age),
    };
    ended.unwrap_or(now)
}

fn secret(row: &Row, life: &Life, not_after: Option<Millis>) -> Result<Value, StorageError> {
    let mut secret = json!({
        "sha256": row.text(0)?,
        "redacted": row.text(1)?,
        "created_at": life.created_at.to_string(),
    });
    // One that was over before it began has only an end.
    let not_before = life
        .not_before
        .filter(|begins| not_after.is_none_or(|ends| *begins < ends));
    let times = [("not_before", not_before), ("not_after", not_after)];
    for (field, time) in times {
        if let (Some(secret), Some(time)) = (secret.as_object_mut(), time) {
            secret.insert(field.to_owned(), time.to_string().into());
        }
    }
    Ok(secret)
}

fn word(value: impl serde::Serialize) -> Result<Value, StorageError> {
    serde_json::to_value(value).map_err(|_| StorageError::Row)
}
