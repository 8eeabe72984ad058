//! What time does to keys, by the registry's alarm.
//!
//! - A deleted key is purged 30 days after its deletion: its records go from KV, its rows from the
//!   tables; the audit log keeps what it says.
//! - The records of a secret that ended or was revoked go 30 days later; until then whoever still
//!   sends it is told that it has ended. The secret itself stays in the history of its key.
//! - Once for each end of a key, its `expires_at`, the audit log and the project's webhooks say that
//!   it is near: as long before as the project wants to be warned.
//! - Once for each secret, the audit log says that it has to be rotated: as long before it becomes
//!   too old as the project wants to be warned.
//!
//! Each run does a bounded part; what is left is due at once.

use keyward_core::life::{self, RECOVERABLE_MS};
use keyward_core::record::Status;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::json;

use super::policy::Policy;
use super::record::{owe, owe_secret};
use super::row::{COLUMNS, Key};
use super::write;
use crate::registry::audit::FieldChange;
use crate::registry::journal::{Context, Subject};
use crate::registry::outbox::Event;
use crate::registry::publication::Publisher;
use crate::registry::view::{Cause, ExpiresSoon};
use crate::registry::webhooks;

/// So many of each are done in one run.
const AT_ONCE: u64 = 200;

/// Does what is due. Belongs into a transaction.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn run(
    publisher: &Publisher,
    context: &Context<'_>,
) -> Result<(), StorageError> {
    let policy = Policy::of(context.storage)?;
    purge(publisher, context, &policy)?;
    withdraw(publisher, context)?;
    warn(context, &policy)?;
    warn_of_end(context, &policy)
}

/// When something is due next.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn next_wake(
    storage: &Storage,
    now: Millis,
) -> Result<Option<Millis>, StorageError> {
    let policy = Policy::of(storage)?;
    let row = storage
        .row(
            "SELECT (SELECT min(deleted_at) FROM key WHERE deleted_at IS NOT NULL),
                (SELECT min(coalesce(revoked_at, not_after)) FROM secret
                 WHERE withdrawn = 0 AND coalesce(revoked_at, not_after) IS NOT NULL),
                (SELECT min(max(created_at, coalesce(not_before, 0))) FROM secret
                 WHERE warned = 0 AND not_after IS NULL AND revoked_at IS NULL),
                (SELECT min(expires_at) FROM key
                 WHERE expires_at IS NOT NULL AND end_warned IS NOT expires_at AND expires_at > ?1)",
            &[now.into()],
        )?
        .ok_or(StorageError::Row)?;
    let purge = row.optional_time(0)?.map(life::purge_at);
    let withdraw = row.optional_time(1)?.map(|end| end.plus(RECOVERABLE_MS));
    let warn = warned_at_age(&policy)
        .zip(row.optional_time(2)?)
        .map(|(age, begins)| begins.plus(age));
    let end = row
        .optional_time(3)?
        .map(|end| Millis(end.0.saturating_sub(policy.warning_s.saturating_mul(1000))));
    Ok([purge, withdraw, warn, end].into_iter().flatten().min())
}

/// The age of a secret at which its owner is warned, in milliseconds.
fn warned_at_age(policy: &Policy) -> Option<u64> {
    policy
        .max_age
        .map(|max_age| max_age.saturating_sub(policy.warning_s.saturating_mul(1000)))
}

fn purge(
    publisher: &Publisher,
    context: &Context<'_>,
    policy: &Policy,
) -> Result<(), StorageError> {
    let (storage, now) = (context.storage, context.now);
    let rows = storage.rows(
        &format!("SELECT {COLUMNS} FROM key WHERE deleted_at <= ?1 ORDER BY deleted_at LIMIT ?2"),
        &[now.0.checked_sub(RECOVERABLE_MS).into(), AT_ONCE.into()],
    )?;
    for row in rows {
        let key = Key::read(&row)?;
        owe(publisher, &key.id, Event::Withdrawn, now)?;
        write::forget(storage, &key, now)?;
        let subject = Subject {
            project: Some(&policy.project),
            key: Some(&key.id),
            target: None,
        };
        context.log("key.purge", subject, &[])?;
    }
    Ok(())
}

fn withdraw(publisher: &Publisher, context: &Context<'_>) -> Result<(), StorageError> {
    let (storage, now) = (context.storage, context.now);
    let rows = storage.rows(
        "SELECT id FROM secret
         WHERE withdrawn = 0 AND coalesce(revoked_at, not_after) IS NOT NULL
            AND coalesce(revoked_at, not_after) <= ?1
         ORDER BY coalesce(revoked_at, not_after) LIMIT ?2",
        &[now.0.checked_sub(RECOVERABLE_MS).into(), AT_ONCE.into()],
    )?;
    for row in rows {
        let secret = row.text(0)?;
        owe_secret(publisher, &secret, Event::Withdrawn, now)?;
        storage.run(
            "UPDATE secret SET withdrawn = 1 WHERE id = ?1",
            &[(&secret).into()],
        )?;
    }
    Ok(())
}

fn warn(context: &Context<'_>, policy: &Policy) -> Result<(), StorageError> {
    let (storage, now) = (context.storage, context.now);
    let (Some(age), Some(max_age)) = (warned_at_age(policy), policy.max_age) else {
        return Ok(());
    };
    let rows = storage.rows(
        &format!(
            "SELECT {COLUMNS}, begins, secret FROM key JOIN
                (SELECT id AS secret, key AS owns, max(created_at, coalesce(not_before, 0)) AS begins
                 FROM secret
                 WHERE warned = 0 AND not_after IS NULL AND revoked_at IS NULL
                    AND max(created_at, coalesce(not_before, 0)) <= ?1
                 ORDER BY max(created_at, coalesce(not_before, 0)) LIMIT ?2) ON id = owns"
        ),
        &[now.0.checked_sub(age).into(), AT_ONCE.into()],
    )?;
    for row in rows {
        let key = Key::read(&row)?;
        let (too_old_at, secret) = (row.time(22)?.plus(max_age), row.text(23)?);
        let passed_over = matches!(key.status(), Status::Revoked | Status::Deleted);
        storage.run(
            "UPDATE secret SET warned = ?2 WHERE id = ?1",
            &[(&secret).into(), if passed_over { 2_u64 } else { 1 }.into()],
        )?;
        if passed_over {
            continue;
        }
        let subject = Subject {
            project: Some(&policy.project),
            key: Some(&key.id),
            target: Some(&secret),
        };
        let change = FieldChange {
            field: "expires_soon".to_owned(),
            before: None,
            after: Some(json!({ "at": too_old_at.to_string(), "cause": "max_age" })),
        };
        context.log("key.rotation_due", subject, &[change])?;
        let soon = ExpiresSoon {
            at: too_old_at.into(),
            cause: Cause::MaxAge,
        };
        webhooks::expiring(context, &policy.project, &key, Some(&secret), &soon)?;
    }
    Ok(())
}

fn warn_of_end(context: &Context<'_>, policy: &Policy) -> Result<(), StorageError> {
    let (storage, now) = (context.storage, context.now);
    let horizon = now.plus(policy.warning_s.saturating_mul(1000));
    let rows = storage.rows(
        &format!(
            "SELECT {COLUMNS} FROM key
             WHERE expires_at IS NOT NULL AND end_warned IS NOT expires_at
                AND expires_at > ?1 AND expires_at <= ?2
             ORDER BY expires_at LIMIT ?3"
        ),
        &[now.into(), horizon.into(), AT_ONCE.into()],
    )?;
    for row in rows {
        let key = Key::read(&row)?;
        storage.run(
            "UPDATE key SET end_warned = expires_at WHERE id = ?1",
            &[(&key.id).into()],
        )?;
        let passed_over = matches!(key.status(), Status::Revoked | Status::Deleted);
        let Some(at) = key.expires_at.filter(|_| !passed_over) else {
            continue;
        };
        let soon = ExpiresSoon {
            at: at.into(),
            cause: Cause::ExpiresAt,
        };
        let change = FieldChange {
            field: "expires_soon".to_owned(),
            before: None,
            after: Some(json!({ "at": at.to_string(), "cause": "expires_at" })),
        };
        let subject = Subject {
            project: Some(&policy.project),
            key: Some(&key.id),
            target: None,
        };
        context.log("key.expiring", subject, &[change])?;
        webhooks::expiring(context, &policy.project, &key, None, &soon)?;
    }
    Ok(())
}
