//! A key gets another secret, or loses one. Its id, its limits and its history stay.

use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::rotation;
use keyward_edge::storage::{Storage, StorageError};

use super::edit::{Edit, Effect};
use super::row::word;
use super::secrets::{self, Added};
use crate::registry::journal::Context;
use crate::registry::message::{Actor, NewSecret, Reply, Revocation, Rotation};
use crate::registry::publication::Publisher;
use crate::registry::reseal;
use crate::registry::view::{self, SelfRevoked};

/// Gives the key a new secret, and the older one its end.
///
/// # Errors
/// Those of the storage.
pub(super) fn rotate(
    edit: Edit<'_>,
    new: &NewSecret,
    rotation: Rotation,
) -> Result<Reply, StorageError> {
    let (storage, now) = (edit.context.storage, edit.context.now);
    if edit.is(&[Status::Deleted, Status::Revoked]) {
        return Ok(Reply::refused(Refusal::KeyStateConflict));
    }
    let lives: Vec<_> = edit.secrets.iter().map(|secret| secret.life).collect();
    let max_age = edit.policy.max_age;
    let Ok(plan) = rotation::plan(&lives, rotation.overlap_s, rotation.at, max_age, now) else {
        return Ok(Reply::refused(Refusal::RotationInProgress));
    };
    if secrets::exists(storage, new)? {
        return Ok(Reply::refused(Refusal::SecretExists));
    }
    for (index, end) in plan.ends {
        let secret = edit.secrets.get(index).ok_or(StorageError::Row)?;
        storage.run(
            "UPDATE secret SET not_after = ?2 WHERE id = ?1",
            &[(&secret.id).into(), end.into()],
        )?;
    }
    let added = Added {
        not_before: plan.not_before,
        ..Added::now(new, now)
    };
    secrets::insert(storage, &edit.key.id, &added)?;
    reseal::given(edit.publisher, &edit.key.id, &new.sealed, now)?;
    edit.end("key.rotate", Some(&new.id), Effect::Rotated(&new.id))
}

/// Revokes one secret of the key; the others go on. A second revocation changes nothing.
///
/// # Errors
/// Those of the storage.
pub(super) fn revoke_secret(
    edit: Edit<'_>,
    secret: &str,
    revocation: &Revocation,
) -> Result<Reply, StorageError> {
    if edit.is(&[Status::Deleted]) {
        return Ok(Reply::refused(Refusal::KeyStateConflict));
    }
    if !edit.secrets.iter().any(|own| own.id == secret) {
        return Ok(Reply::refused(Refusal::SecretUnknown));
    }
    mark_revoked(&edit, secret, revocation)?;
    edit.end("secret.revoke", Some(secret), Effect::TakenAway)
}

/// Revokes a secret in the name of whoever holds it. That of a public key proves nothing: anyone
/// has it. Of a key that is gone nobody learns more than of one that never was.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn self_revoke(
    publisher: &Publisher,
    context: &Context<'_>,
    digest: &str,
    revocation: &Revocation,
) -> Result<Reply, StorageError> {
    let Some((secret, key)) = by_digest(context.storage, digest)? else {
        return Ok(Reply::refused(Refusal::KeyInvalid));
    };
    let edit = match Edit::begin(publisher, context, &key, None)? {
        Ok(edit) if !edit.is(&[Status::Deleted]) => edit,
        _ => return Ok(Reply::refused(Refusal::KeyInvalid)),
    };
    if edit.key.kind == Kind::Public {
        return Ok(Reply::refused(Refusal::KindNotAccepted));
    }
    mark_revoked(&edit, &secret, revocation)?;
    let holder = Actor::Holder(key);
    let context = Context {
        by: &holder,
        ..*context
    };
    let action = "secret.self_revoke";
    let reply = edit.end_as(&context, action, Some(&secret), Effect::TakenAway)?;
    let Reply::Changed {
        version,
        publication,
        in_force_by,
        ..
    } = reply
    else {
        return Ok(reply);
    };
    let item = view::shown(&SelfRevoked {
        id: edit.key.id,
        secret,
        status: "revoked".to_owned(),
    })?;
    Ok(Reply::Changed {
        item,
        version,
        publication,
        in_force_by,
    })
}

/// The secret with this digest, and its key.
pub(super) fn by_digest(
    storage: &Storage,
    digest: &str,
) -> Result<Option<(String, String)>, StorageError> {
    let row = storage.row(
        "SELECT id, key FROM secret WHERE digest = ?1",
        &[digest.into()],
    )?;
    row.map(|row| Ok((row.text(0)?, row.text(1)?))).transpose()
}

/// Notes the revocation of a secret, unless it is revoked already.
pub(super) fn mark_revoked(
    edit: &Edit<'_>,
    secret: &str,
    revocation: &Revocation,
) -> Result<(), StorageError> {
    edit.context.storage.run(
        "UPDATE secret SET revoked_at = ?2, reason = ?3, note = ?4
         WHERE id = ?1 AND revoked_at IS NULL",
        &[
            secret.into(),
            edit.context.now.into(),
            (&word(&revocation.reason)?).into(),
            revocation.note.as_ref().into(),
        ],
    )
}
