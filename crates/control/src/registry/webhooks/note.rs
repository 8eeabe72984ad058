//! Writes messages; within the transaction of what they tell of.

use keyward_api::view::{AuditActor, ExpiresSoon};
use keyward_core::names;
use keyward_core::webhook::{Event, MOST_WAITING};
use keyward_edge::crypto;
use keyward_edge::storage::StorageError;
use serde::Serialize;
use serde_json::{Map, Value};

use super::row;
use crate::registry::audit;
use crate::registry::journal::Context;
use crate::registry::keys::{Key, word};

/// A message (Standard Webhooks, "Payload structure").
#[derive(Serialize)]
struct Message<'a> {
    r#type: &'a str,
    /// When it happened.
    timestamp: String,
    data: Map<String, Value>,
}

/// Tells of a change of a key, if its action is one that is told. `target` is the secret that it is
/// about, if it is about one.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn about_key(
    context: &Context<'_>,
    project: &str,
    key: &Key,
    action: &str,
    target: Option<&str>,
    more: Map<String, Value>,
) -> Result<(), StorageError> {
    let Some(event) = Event::of_action(action) else {
        return Ok(());
    };
    let mut data = key_data(project, key)?;
    if let Some(secret) = target {
        data.insert("secret".to_owned(), secret.into());
    }
    data.extend(more);
    note(context, event, None, data)
}

/// What every message says first.
pub(super) fn data(project: &str) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("project".to_owned(), project.into());
    data
}

/// What every message about a key says first.
pub(super) fn key_data(project: &str, key: &Key) -> Result<Map<String, Value>, StorageError> {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), key.id.as_str().into());
    if !key.name.is_empty() {
        shown.insert("name".to_owned(), key.name.as_str().into());
    }
    shown.insert("kind".to_owned(), key.kind.as_str().into());
    shown.insert("environment".to_owned(), key.environment.as_str().into());
    if let Some(owner) = &key.owner {
        shown.insert("owner".to_owned(), owner.as_str().into());
    }
    shown.insert("status".to_owned(), word(&key.status())?.into());
    let mut data = data(project);
    data.insert("key".to_owned(), shown.into());
    Ok(data)
}

/// Tells that a key ends soon.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn expiring(
    context: &Context<'_>,
    project: &str,
    key: &Key,
    secret: Option<&str>,
    soon: &ExpiresSoon,
) -> Result<(), StorageError> {
    let mut more = Map::new();
    more.insert("expires_soon".to_owned(), value(soon)?);
    about_key(context, project, key, "key.expiring", secret, more)
}

/// Writes a message for every endpoint that is told of the event, under this id or a new one.
pub(super) fn note(
    context: &Context<'_>,
    event: Event,
    id: Option<String>,
    mut data: Map<String, Value>,
) -> Result<(), StorageError> {
    let (storage, now) = (context.storage, context.now);
    let mut wanted = row::all(storage)?;
    let wants =
        |events: &[String]| events.is_empty() || events.iter().any(|own| own == event.word());
    wanted.retain(|endpoint| endpoint.is_active() && wants(&endpoint.shown.events));
    if wanted.is_empty() {
        return Ok(());
    }
    let (kind, actor) = audit::actor(context.by);
    let by = AuditActor {
        r#type: kind.to_owned(),
        id: actor.map(str::to_owned),
    };
    data.insert("by".to_owned(), value(&by)?);
    data.insert("request_id".to_owned(), context.request_id.into());
    let (message, body) = written(event, id, data, now)?;
    for endpoint in wanted {
        let id = &endpoint.shown.id;
        storage.run(
            "INSERT INTO webhook_message (webhook, id, body, at, due_at) VALUES (?1, ?2, ?3, ?4, ?4)",
            &[id.into(), (&message).into(), (&body).into(), now.into()],
        )?;
        let over = (endpoint.shown.waiting + 1).saturating_sub(MOST_WAITING);
        if over > 0 {
            storage.run(
                "DELETE FROM webhook_message WHERE position IN
                    (SELECT position FROM webhook_message WHERE webhook = ?1 ORDER BY position LIMIT ?2)",
                &[id.into(), over.into()],
            )?;
            row::dropped(storage, id, over)?;
        }
    }
    Ok(())
}

/// A message's id, a new one where none is given, and its body.
///
/// # Errors
/// [`StorageError::Runtime`] without randomness.
pub(super) fn written(
    event: Event,
    id: Option<String>,
    data: Map<String, Value>,
    now: keyward_core::time::Millis,
) -> Result<(String, String), StorageError> {
    let id = match id {
        Some(id) => id,
        None => crypto::with_random(names::mint_message_id).map_err(|_| StorageError::Runtime)?,
    };
    let message = Message {
        r#type: event.word(),
        timestamp: now.to_string(),
        data,
    };
    let body = serde_json::to_string(&message).map_err(|_| StorageError::Row)?;
    Ok((id, body))
}

fn value(view: &impl Serialize) -> Result<Value, StorageError> {
    serde_json::to_value(view).map_err(|_| StorageError::Row)
}
