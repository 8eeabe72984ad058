//! Gives a management key another secret, or takes one away: for who manages the key, and for who
//! holds the secret.

use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::rotation;
use keyward_edge::storage::StorageError;

use super::edit::Edit;
use super::keys::{self, secrets};
use super::stop::Stop;
use crate::registry::journal::Context;
use crate::registry::message::{Actor, NewSecret, Reply, Revocation, Rotation};
use crate::registry::view;

/// Adds the new secret, and writes when the older ones end, by the same plan as any key's.
pub(super) fn rotate(edit: Edit<'_>, new: &NewSecret, rotation: Rotation) -> Result<Reply, Stop> {
    let (storage, now) = (edit.context.storage, edit.context.now);
    if edit.key.status == Status::Revoked {
        return Err(Refusal::KeyStateConflict.into());
    }
    let lives: Vec<_> = edit.secrets.iter().map(|secret| secret.life).collect();
    let plan = rotation::plan(&lives, rotation.overlap_s, rotation.at, None, now)
        .map_err(|_| Refusal::RotationInProgress)?;
    for (index, end) in plan.ends {
        let secret = edit.secrets.get(index).ok_or(StorageError::Row)?;
        secrets::end(storage, &secret.id, end)?;
    }
    secrets::insert(storage, &edit.key.id, new, plan.not_before, now)?;
    Ok(edit.end("management_key.rotate", Some(&new.id))?)
}

/// Revokes the secret with this id. The key stays, and can be given another one. A second
/// revocation changes nothing.
pub(super) fn revoke(edit: Edit<'_>, id: &str, revocation: &Revocation) -> Result<Reply, Stop> {
    if !edit.secrets.iter().any(|secret| secret.id == id) {
        return Err(Refusal::SecretUnknown.into());
    }
    secrets::revoke(edit.context.storage, id, revocation, edit.context.now)?;
    Ok(edit.end("secret.revoke", Some(id))?)
}

/// Revokes the secret that the caller holds. It need not be valid otherwise: that nobody may use
/// it any more is no privilege.
pub(super) fn self_revoke(
    context: &Context<'_>,
    digest: &str,
    revocation: &Revocation,
) -> Result<Reply, Stop> {
    let (key, secret) = keys::holder(context.storage, digest)?.ok_or(Refusal::KeyInvalid)?;
    let item = view::shown(&view::SelfRevoked {
        id: key.id.clone(),
        secret: secret.id.clone(),
        status: "revoked".to_owned(),
    })?;
    // Only here it turns out whose secret it is.
    let holder = Actor::Holder(key.id.clone());
    let context = Context {
        by: &holder,
        ..*context
    };
    let edit = Edit::begin(&context, key)?;
    secrets::revoke(context.storage, &secret.id, revocation, context.now)?;
    edit.end("secret.self_revoke", Some(&secret.id))?;
    Ok(Reply::Item {
        item,
        version: None,
    })
}
