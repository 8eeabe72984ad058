//! A merge patch of a key's fields: merged with what they are, then valid as a whole, or refused.

use keyward_core::metering::Of;
use keyward_core::patch;
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_edge::storage::StorageError;
use serde_json::{Map, Value};

use super::create::refused;
use super::edit::{Edit, Effect};
use super::narrows;
use super::row::Key;
use super::write;
use crate::registry::message::Reply;
use crate::registry::metering::credits;
use crate::registry::outbox::Event;
use crate::registry::state;

/// Changes the key's fields; also those of a revoked key, of which its owner may still want to
/// note something, or to take off the protection against deletion.
///
/// # Errors
/// Those of the storage.
pub(super) fn update(edit: Edit<'_>, patch: &Value) -> Result<Reply, StorageError> {
    let storage = edit.context.storage;
    if edit.is(&[Status::Deleted]) {
        return Ok(Reply::refused(Refusal::KeyStateConflict));
    }
    let fields = match patch::apply(fields(&edit.key)?, patch) {
        Ok(fields) => fields,
        Err(errors) => return Ok(refused(errors)),
    };
    let before = &edit.key;
    let suspended_by = if fields.owner == before.owner {
        before.suspended_by
    } else {
        state::suspension(storage, &before.environment, fields.owner.as_deref())?
    };
    let after = Key {
        suspended_by,
        name: fields.name,
        owner: fields.owner,
        restrictions: fields.restrictions,
        not_before: fields.not_before,
        expires_at: fields.expires_at,
        limits: fields.limits,
        metadata: fields.metadata,
        delete_protection: fields.delete_protection,
        ..before.clone()
    };
    // A patch that touches what the edge decides by may take something away.
    let decides = after.suspended_by != before.suspended_by
        || after.owner != before.owner
        || after.restrictions != before.restrictions
        || after.not_before != before.not_before
        || after.expires_at != before.expires_at
        || after.limits != before.limits;
    let effect = if narrows::key(before, &after) {
        Effect::TakenAway
    } else if decides {
        Effect::All(Event::Withdrawn)
    } else {
        Effect::All(Event::Granted)
    };
    write::update(storage, &after)?;
    let of = Of::Key(after.id);
    credits::follow(
        storage,
        &of,
        &before.limits,
        &after.limits,
        edit.context.now,
    )?;
    edit.end("key.update", None, effect)
}

/// The fields that a key was created or last updated with, as
/// [`keyward_core::spec::validate`] reads them.
///
/// # Errors
/// [`StorageError::Row`].
pub(in crate::registry) fn fields(key: &Key) -> Result<Map<String, Value>, StorageError> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&key.restrictions) else {
        return Err(StorageError::Row);
    };
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("kind", key.kind.as_str().into());
    put("environment", key.environment.as_str().into());
    if !key.name.is_empty() {
        put("name", key.name.as_str().into());
    }
    if let Some(owner) = &key.owner {
        put("owner", owner.as_str().into());
    }
    for (field, time) in [
        ("not_before", key.not_before),
        ("expires_at", key.expires_at),
    ] {
        if let Some(time) = time {
            put(field, time.to_string().into());
        }
    }
    if !key.limits.is_empty() {
        let limits = serde_json::to_value(&key.limits).map_err(|_| StorageError::Row)?;
        put("limits", limits);
    }
    if !key.metadata.is_empty() {
        put("metadata", key.metadata.clone().into());
    }
    if key.delete_protection {
        put("delete_protection", true.into());
    }
    Ok(fields)
}
