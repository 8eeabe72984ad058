//! Revoked, disabled, enabled, deleted and brought back. What time has taken for good nobody
//! brings back: a revoked key stays revoked, and a deleted one is gone after 30 days.

use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_edge::storage::StorageError;

use super::edit::{Edit, Effect};
use super::row::word;
use crate::registry::message::{Reply, Revocation};
use crate::registry::outbox::Event;
use crate::registry::state;

/// Revokes the key for good. A second revocation changes nothing: the first reason stands.
///
/// # Errors
/// Those of the storage.
pub(super) fn revoke(edit: Edit<'_>, revocation: &Revocation) -> Result<Reply, StorageError> {
    if edit.is(&[Status::Deleted]) {
        return Ok(Reply::refused(Refusal::KeyStateConflict));
    }
    if edit.key.own_status != Status::Revoked {
        edit.context.storage.run(
            "UPDATE key SET status = ?2, revoked_at = ?3, reason = ?4, note = ?5 WHERE id = ?1",
            &[
                (&edit.key.id).into(),
                (&word(&Status::Revoked)?).into(),
                edit.context.now.into(),
                (&word(&revocation.reason)?).into(),
                revocation.note.as_ref().into(),
            ],
        )?;
    }
    edit.end("key.revoke", None, Effect::TakenAway)
}

/// Takes the key out of use for now, or back into use.
///
/// # Errors
/// Those of the storage.
pub(super) fn switch(edit: Edit<'_>, enabled: bool) -> Result<Reply, StorageError> {
    if edit.is(&[Status::Deleted, Status::Revoked]) {
        return Ok(Reply::refused(Refusal::KeyStateConflict));
    }
    let (status, action, effect) = if enabled {
        (Status::Active, "key.enable", Effect::All(Event::Granted))
    } else {
        (Status::Disabled, "key.disable", Effect::TakenAway)
    };
    edit.context.storage.run(
        "UPDATE key SET status = ?2 WHERE id = ?1",
        &[(&edit.key.id).into(), (&word(&status)?).into()],
    )?;
    edit.end(action, None, effect)
}

/// Deletes the key: for 30 days it can come back, and its records say that it is gone.
///
/// # Errors
/// Those of the storage.
pub(super) fn delete(edit: Edit<'_>) -> Result<Reply, StorageError> {
    if !edit.is(&[Status::Deleted]) {
        if edit.key.delete_protection {
            return Ok(Reply::refused(Refusal::KeyProtected));
        }
        edit.context.storage.run(
            "UPDATE key SET deleted_at = ?2 WHERE id = ?1",
            &[(&edit.key.id).into(), edit.context.now.into()],
        )?;
    }
    edit.end("key.delete", None, Effect::TakenAway)
}

/// Brings a deleted key back, in the state that it was deleted in. What was suspended or resumed
/// meanwhile counts.
///
/// # Errors
/// Those of the storage.
pub(super) fn undelete(edit: Edit<'_>) -> Result<Reply, StorageError> {
    let storage = edit.context.storage;
    if edit.is(&[Status::Deleted]) {
        let key = &edit.key;
        let by = state::suspension(storage, &key.environment, key.owner.as_deref())?;
        let by = by.as_ref().map(word).transpose()?;
        storage.run(
            "UPDATE key SET deleted_at = NULL, suspended_by = ?2, end_warned = NULL WHERE id = ?1",
            &[(&key.id).into(), by.as_ref().into()],
        )?;
        // A warning that was passed over is due after all.
        storage.run(
            "UPDATE secret SET warned = 0 WHERE key = ?1 AND warned = 2",
            &[(&key.id).into()],
        )?;
    }
    edit.end("key.undelete", None, Effect::All(Event::Granted))
}
