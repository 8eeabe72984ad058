//! What is done with endpoints.

use keyward_api::view::{WebhookFailure, WebhookReason, WebhookTested};
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use keyward_core::time::Millis;
use keyward_core::webhook::{Event, MOST_ENDPOINTS, address};
use keyward_edge::clock;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::{Value, json};

use super::note;
use super::row::{self, Endpoint};
use super::send::{self, Outcome};
use crate::registry::audit::{self, FieldChange};
use crate::registry::journal::{Context, Subject};
use crate::registry::keys::Policy;
use crate::registry::message::{IfMatch, NewWebhook, Reply, WebhookAct, WebhookPatch};
use crate::registry::publication::Publisher;
use crate::registry::view::shown;

/// All of them.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn list(storage: &Storage, now: Millis) -> Result<Reply, StorageError> {
    let all = row::all(storage)?.into_iter();
    let items = all.map(|endpoint| shown(&endpoint.at(now).shown));
    Ok(Reply::Items {
        items: items.collect::<Result<_, _>>()?,
        next: None,
    })
}

/// One of them.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn show(
    storage: &Storage,
    id: &str,
    now: Millis,
) -> Result<Reply, StorageError> {
    match row::find(storage, id)? {
        Some(endpoint) => item(endpoint, now),
        None => Ok(Reply::refused(Refusal::WebhookUnknown)),
    }
}

/// Sets an endpoint.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn create(
    context: &Context<'_>,
    new: &NewWebhook,
) -> Result<Reply, StorageError> {
    let storage = context.storage;
    let count = storage.row("SELECT count(*) FROM webhook", &[])?;
    if count.ok_or(StorageError::Row)?.number(0)? >= MOST_ENDPOINTS {
        return Ok(Reply::Refused {
            code: Refusal::RequestInvalid.code().to_owned(),
            errors: vec![FieldError {
                field: "url".to_owned(),
                detail: format!("a project has at most {MOST_ENDPOINTS} webhooks; delete one"),
            }],
        });
    }
    let events = serde_json::to_string(&new.events).map_err(|_| StorageError::Row)?;
    storage.run(
        "INSERT INTO webhook (id, url, events, description, sealed, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        &[
            (&new.id).into(),
            (&new.url).into(),
            (&events).into(),
            (&new.description).into(),
            (&new.sealed).into(),
            context.now.into(),
        ],
    )?;
    let mut after = json!({ "url": address::host_of(&new.url) });
    if let (Some(after), false) = (after.as_object_mut(), new.events.is_empty()) {
        after.insert("events".to_owned(), json!(new.events));
    }
    log(context, "webhook.create", &new.id, &Value::Null, &after)?;
    show(storage, &new.id, context.now)
}

/// Changes an endpoint.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn change(
    context: &Context<'_>,
    id: &str,
    act: &WebhookAct,
) -> Result<Reply, StorageError> {
    let (storage, now) = (context.storage, context.now);
    let Some(endpoint) = row::find(storage, id)? else {
        return Ok(Reply::refused(Refusal::WebhookUnknown));
    };
    match act {
        WebhookAct::Delete => {
            storage.run(
                "DELETE FROM webhook_message WHERE webhook = ?1",
                &[id.into()],
            )?;
            storage.run("DELETE FROM webhook WHERE id = ?1", &[id.into()])?;
            let before = json!({ "url": address::host_of(&endpoint.shown.url) });
            log(context, "webhook.delete", id, &before, &Value::Null)?;
            return item(endpoint, now);
        }
        WebhookAct::Rotate { sealed, overlap_s } => {
            if endpoint.old.iter().any(|(_, until)| now < *until) && *overlap_s > 0 {
                return Ok(Reply::refused(Refusal::RotationInProgress));
            }
            rotate(context, endpoint, sealed, *overlap_s)?;
        }
        WebhookAct::Disable if endpoint.is_active() => {
            row::disable(storage, &endpoint, WebhookReason::Requested, now)?;
            let (before, after) = (json!({"status": "active"}), json!({"status": "disabled"}));
            log(context, "webhook.disable", id, &before, &after)?;
        }
        WebhookAct::Enable if !endpoint.is_active() => {
            row::enable(storage, id, now)?;
            let (before, after) = (json!({"status": "disabled"}), json!({"status": "active"}));
            log(context, "webhook.enable", id, &before, &after)?;
        }
        WebhookAct::Disable | WebhookAct::Enable => {}
    }
    show(storage, id, now)
}

/// Changes fields of an endpoint, if it is in the version that is meant. What waits for it is sent
/// where it leads from now on.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn update(
    context: &Context<'_>,
    id: &str,
    if_match: IfMatch,
    patch: &WebhookPatch,
) -> Result<Reply, StorageError> {
    let (storage, now) = (context.storage, context.now);
    let Some(before) = row::find(storage, id)? else {
        return Ok(Reply::refused(Refusal::WebhookUnknown));
    };
    if if_match.is_some_and(|version| version != before.shown.version) {
        return Ok(Reply::refused(Refusal::VersionConflict));
    }
    match patch.enabled {
        Some(true) if !before.is_active() => row::enable(storage, id, now)?,
        Some(false) if before.is_active() => {
            row::disable(storage, &before, WebhookReason::Requested, now)?;
        }
        _ => {}
    }
    let own = &before.shown;
    let url = patch.url.as_ref().unwrap_or(&own.url);
    let events = patch.events.as_ref().unwrap_or(&own.events);
    let description = patch.description.as_ref().unwrap_or(&own.description);
    let fields = (url, events, description);
    if fields != (&own.url, &own.events, &own.description) {
        storage.run(
            "UPDATE webhook SET url = ?2, events = ?3, description = ?4, updated_at = ?5,
                version = version + iif(version = ?6, 1, 0)
             WHERE id = ?1",
            &[
                id.into(),
                url.into(),
                (&serde_json::to_string(events).map_err(|_| StorageError::Row)?).into(),
                description.into(),
                now.into(),
                own.version.into(),
            ],
        )?;
    }
    let after = row::find(storage, id)?.ok_or(StorageError::Row)?;
    if after.shown.version != own.version {
        let mut changes = audit::diff(&logged(&before), &logged(&after));
        // Of an address no more is logged than its host: that only the rest has changed is said too.
        if own.url != *url && address::host_of(&own.url) == address::host_of(url) {
            let host = Some(Value::from(address::host_of(url)));
            changes.push(FieldChange {
                field: "url".to_owned(),
                before: host.clone(),
                after: host,
            });
        }
        log_changes(context, "webhook.update", id, &changes)?;
    }
    item(after, now)
}

/// What the audit log has of an endpoint.
fn logged(endpoint: &Endpoint) -> Value {
    let shown = &endpoint.shown;
    json!({
        "url": address::host_of(&shown.url), "events": shown.events,
        "description": shown.description, "status": shown.status,
    })
}

fn rotate(
    context: &Context<'_>,
    endpoint: Endpoint,
    sealed: &str,
    overlap_s: u64,
) -> Result<(), StorageError> {
    let now = context.now;
    let id = endpoint.shown.id;
    let until = now.plus(overlap_s.saturating_mul(1000));
    let old = (overlap_s > 0).then_some(&endpoint.sealed);
    context.storage.run(
        "UPDATE webhook SET sealed = ?2, old_sealed = ?3, old_until = ?4, updated_at = ?5,
            version = version + 1
         WHERE id = ?1",
        &[
            (&id).into(),
            sealed.into(),
            old.into(),
            old.map(|_| until).into(),
            now.into(),
        ],
    )?;
    let after = match old {
        Some(_) => json!({ "old_secret_until": until.to_string() }),
        None => json!({}),
    };
    log(context, "webhook.rotate", &id, &Value::Null, &after)
}

/// Sends one message of the type `webhook.test` now, beside all that wait.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) async fn test(
    publisher: &Publisher,
    id: &str,
    now: Millis,
) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    let Some(endpoint) = row::find(storage, id)? else {
        return Ok(Reply::refused(Refusal::WebhookUnknown));
    };
    let policy = Policy::of(storage)?;
    if policy.archived {
        return Ok(Reply::refused(Refusal::ProjectStateConflict));
    }
    let mut data = note::data(&policy.project);
    data.insert("webhook".to_owned(), id.into());
    let (message, body) = note::written(Event::Test, None, data, now)?;
    let outcome = send::attempt(publisher, &endpoint, &message, &body).await;
    let failure = match outcome {
        Outcome::Delivered => None,
        Outcome::Failed { status, cause } => Some(WebhookFailure {
            at: clock::now().into(),
            status,
            cause,
        }),
    };
    let tested = WebhookTested {
        message,
        delivered: failure.is_none(),
        failure,
    };
    Ok(Reply::Item {
        item: shown(&tested)?,
        version: None,
    })
}

fn item(endpoint: Endpoint, now: Millis) -> Result<Reply, StorageError> {
    let version = Some(endpoint.shown.version);
    Ok(Reply::Item {
        item: shown(&endpoint.at(now).shown)?,
        version,
    })
}

fn log(
    context: &Context<'_>,
    action: &str,
    id: &str,
    before: &Value,
    after: &Value,
) -> Result<(), StorageError> {
    log_changes(context, action, id, &audit::diff(before, after))
}

fn log_changes(
    context: &Context<'_>,
    action: &str,
    id: &str,
    changes: &[FieldChange],
) -> Result<(), StorageError> {
    let project = Policy::of(context.storage)?.project;
    let subject = Subject {
        project: Some(&project),
        target: Some(id),
        ..Subject::default()
    };
    context.log(action, subject, changes)
}
