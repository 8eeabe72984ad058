//! What waits: the table `webhook_message`.

use keyward_api::view::{FailureCause, WebhookReason};
use keyward_core::time::Millis;
use keyward_core::webhook::retry;
use keyward_edge::log;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::json;

use super::row::{self, Endpoint};
use super::send::Outcome;
use crate::registry::audit;
use crate::registry::journal::{Context, Subject};
use crate::registry::message::Actor;
use crate::registry::outbox::RECHECK_MS;

/// After this time an attempt that was noted as begun is taken for lost.
const FLIGHT_CAP_MS: u64 = 30_000;
const GONE: u16 = 410;

/// A message whose attempt begins.
pub(super) struct Due {
    pub(super) position: u64,
    pub(super) webhook: String,
    pub(super) id: String,
    pub(super) body: String,
}

/// At most `most` messages that are due, one for each endpoint to which none is being sent, and
/// notes them as begun.
///
/// # Errors
/// Those of the storage.
pub(super) fn begin(storage: &Storage, most: u64, now: Millis) -> Result<Vec<Due>, StorageError> {
    let rows = storage.rows(
        "SELECT position, webhook, id, body FROM webhook_message
         WHERE position IN (
            SELECT min(position) FROM webhook_message
            WHERE started_at IS NULL AND due_at <= ?1 AND webhook NOT IN (
                SELECT webhook FROM webhook_message WHERE started_at IS NOT NULL)
            GROUP BY webhook)
         ORDER BY due_at, position LIMIT ?2",
        &[now.into(), most.into()],
    )?;
    let mut all = Vec::new();
    for row in &rows {
        let due = Due {
            position: row.number(0)?,
            webhook: row.text(1)?,
            id: row.text(2)?,
            body: row.text(3)?,
        };
        storage.run(
            "UPDATE webhook_message SET started_at = ?2 WHERE position = ?1",
            &[due.position.into(), now.into()],
        )?;
        all.push(due);
    }
    Ok(all)
}

/// Messages that were noted as begun and of which `is_known` knows nothing, or that take too long,
/// are due again: whoever began with them is gone. That counts as an attempt, and one whose attempts
/// are always lost is not tried for ever in haste.
///
/// # Errors
/// Those of the storage.
pub(super) fn give_up_lost(
    storage: &Storage,
    is_known: impl Fn(u64) -> bool,
    now: Millis,
) -> Result<(), StorageError> {
    let rows = storage.rows(
        "SELECT position, started_at, attempts + 1 FROM webhook_message
         WHERE started_at IS NOT NULL",
        &[],
    )?;
    for row in &rows {
        let position = row.number(0)?;
        if !is_known(position) || now.since(row.time(1)?) >= FLIGHT_CAP_MS {
            // The first is made up for at once; one more than there are is made, and is the last.
            let attempts = row.number(2)?.min(retry::ATTEMPTS.saturating_sub(1));
            let pause = match attempts {
                1 => 0,
                more => retry::pause(more, 0).unwrap_or_default(),
            };
            storage.run(
                "UPDATE webhook_message SET started_at = NULL, attempts = ?2, due_at = ?3
                 WHERE position = ?1",
                &[position.into(), attempts.into(), now.plus(pause).into()],
            )?;
        }
    }
    Ok(())
}

/// An attempt has ended. `jitter` is random. Belongs into a transaction.
///
/// # Errors
/// Those of the storage.
pub(super) fn ended(
    storage: &Storage,
    due: &Due,
    outcome: Outcome,
    now: Millis,
    jitter: u32,
) -> Result<(), StorageError> {
    // The endpoint may have been deleted, or disabled, or the message dropped meanwhile.
    let Some(endpoint) = row::find(storage, &due.webhook)? else {
        return Ok(());
    };
    let id = &endpoint.shown.id;
    let (status, cause) = match outcome {
        Outcome::Delivered => {
            row::attempted(storage, id, None, now)?;
            return remove(storage, due);
        }
        Outcome::Failed { status, cause } => (status, cause),
    };
    row::attempted(storage, id, Some((status, cause)), now)?;
    if status == Some(GONE) {
        return disable(storage, &endpoint, WebhookReason::Gone, now);
    }
    let message = storage.row(
        "SELECT attempts + 1, at FROM webhook_message WHERE position = ?1",
        &[due.position.into()],
    )?;
    let Some(message) = message else {
        return Ok(());
    };
    let (attempts, at) = (message.number(0)?, message.time(1)?);
    if let Some(pause) = retry::pause(attempts, jitter) {
        return storage.run(
            "UPDATE webhook_message SET started_at = NULL, attempts = ?2, due_at = ?3
             WHERE position = ?1",
            &[due.position.into(), attempts.into(), now.plus(pause).into()],
        );
    }
    remove(storage, due)?;
    row::dropped(storage, id, 1)?;
    log::registry("webhook_given_up", None, cause_text(cause));
    let taken_since = endpoint.shown.delivered_at.is_some_and(|last| last.0 >= at);
    if taken_since {
        Ok(())
    } else {
        disable(storage, &endpoint, WebhookReason::Failing, now)
    }
}

/// When the object has to wake to send.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn next_wake(
    storage: &Storage,
    now: Millis,
) -> Result<Option<Millis>, StorageError> {
    let row = storage.row(
        "SELECT (SELECT min(due_at) FROM webhook_message WHERE started_at IS NULL),
            EXISTS (SELECT 1 FROM webhook_message WHERE started_at IS NOT NULL)",
        &[],
    )?;
    let row = row.ok_or(StorageError::Row)?;
    let soon = now.plus(RECHECK_MS);
    // What is due and not begun waits for its endpoint, or for a place.
    let due = row
        .optional_time(0)?
        .map(|due| if due <= now { soon } else { due });
    let under_way = (row.number(1)? != 0).then_some(soon);
    Ok(due.into_iter().chain(under_way).min())
}

/// Disables an endpoint in the name of the gateway itself.
fn disable(
    storage: &Storage,
    endpoint: &Endpoint,
    why: WebhookReason,
    now: Millis,
) -> Result<(), StorageError> {
    if !endpoint.is_active() {
        return Ok(());
    }
    row::disable(storage, endpoint, why, now)?;
    let context = Context {
        storage,
        by: &Actor::Keyward,
        ip: None,
        request_id: "alarm",
        now,
    };
    let project = storage.row("SELECT id FROM project", &[])?;
    let project = project.ok_or(StorageError::Row)?.text(0)?;
    let subject = Subject {
        project: Some(&project),
        target: Some(&endpoint.shown.id),
        ..Subject::default()
    };
    let changes = audit::diff(
        &json!({ "status": "active" }),
        &json!({ "status": "disabled", "reason": why }),
    );
    log::registry(
        "webhook_disabled",
        None,
        "an endpoint does not take messages",
    );
    context.log("webhook.disable", subject, &changes)
}

fn remove(storage: &Storage, due: &Due) -> Result<(), StorageError> {
    storage.run(
        "DELETE FROM webhook_message WHERE position = ?1",
        &[due.position.into()],
    )
}

const fn cause_text(cause: FailureCause) -> &'static str {
    match cause {
        FailureCause::Status => "an endpoint answered every attempt with a failure",
        FailureCause::Timeout => "an endpoint did not answer in time",
        FailureCause::Unreachable => "an endpoint could not be reached",
        FailureCause::AddressDenied => "an endpoint's address is not allowed any more",
        FailureCause::SecretUnavailable => "an endpoint's secret cannot be opened",
    }
}
