//! Limits that are nearly or wholly used up: their meters tell it, at least once for each threshold.
//! The message's id follows from what it tells, and one that was written is not written again.

use keyward_core::metering::{Of, Passed};
use keyward_core::names;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_core::webhook::Event;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::{Map, Value, json};

use super::note::{self, key_data, note};
use crate::registry::journal::Context;
use crate::registry::keys::{self, Policy, word};
use crate::registry::message::{Actor, Reply};

/// For so long it is known that a message was written: a meter tells again after a minute.
const KNOWN_MS: u64 = 3 * 24 * 3_600_000;

/// Tells the project's endpoints.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn passed(
    storage: &Storage,
    of: &Of,
    limits: &[Passed],
    now: Millis,
) -> Result<Reply, StorageError> {
    storage.transaction(|| {
        let project = Policy::of(storage)?.project;
        let data = match of {
            Of::Key(id) => match keys::find(storage, id, now)? {
                Some(key) => key_data(&project, &key)?,
                None => return Ok(Reply::Done),
            },
            Of::Owner(owner) => owner_data(&project, owner),
            Of::Project => return Ok(Reply::Done),
        };
        for one in limits {
            tell(storage, data.clone(), (&project, of), one, now)?;
        }
        Ok(Reply::Done)
    })
}

fn owner_data(project: &str, owner: &str) -> Map<String, Value> {
    let mut data = note::data(project);
    data.insert("owner".to_owned(), owner.into());
    data
}

fn tell(
    storage: &Storage,
    mut data: Map<String, Value>,
    subject: (&str, &Of),
    passed: &Passed,
    now: Millis,
) -> Result<(), StorageError> {
    let event = if passed.percent < 100 {
        Event::LimitWarning
    } else {
        Event::LimitReached
    };
    let identity = json!([subject, passed.identity()]).to_string();
    let id = names::message_id_of(&Digest::of(&identity));
    let mut limit = json!({
        "name": passed.name, "type": word(&passed.sort)?, "limit": passed.limit,
        "used": passed.spent, "percent": passed.percent,
    });
    if let (Some(limit), Some(until)) = (limit.as_object_mut(), passed.until) {
        limit.insert("resets_at".to_owned(), until.to_string().into());
    }
    data.insert("limit".to_owned(), limit);
    let context = Context {
        storage,
        by: &Actor::Keyward,
        ip: None,
        request_id: "edge",
        now: passed.at.min(now),
    };
    storage.run(
        "DELETE FROM limit_told WHERE at < ?1",
        &[now.0.saturating_sub(KNOWN_MS).into()],
    )?;
    let new = storage.row(
        "INSERT INTO limit_told (id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING 1",
        &[(&id).into(), now.into()],
    )?;
    match new {
        Some(_) => note(&context, event, Some(id), data),
        None => Ok(()),
    }
}
