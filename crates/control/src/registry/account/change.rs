//! What is done with one management key, in this order:
//! 1. the calling key is looked up as it is now;
//! 2. a key outside of its project does not exist for it;
//! 3. a key that can do more than the calling one is shown to it, and nothing else;
//! 4. the version, then the state, have to allow the change.
//!
//! Every key is within its own reach: it may change itself, and cannot make itself wider.

use keyward_core::management::{self, Scope};
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use serde_json::Value;

use super::edit::{self, Edit};
use super::keys::{self, ManagementKey, write};
use super::stop::Stop;
use super::{access, rotate};
use crate::registry::journal::Context;
use crate::registry::message::{Caller, IfMatch, ManagementKeyAct, Reply, Revocation};

/// Shows or changes a management key.
pub(super) fn act(
    context: &Context<'_>,
    id: &str,
    caller: &Caller,
    if_match: IfMatch,
    act: &ManagementKeyAct,
) -> Result<Reply, Stop> {
    let shows = matches!(act, ManagementKeyAct::Show);
    let needed = if shows {
        Scope::KeysRead
    } else {
        Scope::KeysWrite
    };
    let caller = access::caller(context, caller, needed)?;
    let key = keys::find(context.storage, id)?
        .filter(|key| sees(&caller, key))
        .ok_or(Refusal::ManagementKeyUnknown)?;
    if shows {
        return Ok(key.item(context)?);
    }
    if !key.fields.reach().is_within(&caller.fields.reach()) {
        return Err(Refusal::WiderThanCaller.into());
    }
    if if_match.is_some_and(|version| version != key.version) {
        return Err(Refusal::VersionConflict.into());
    }
    let edit = Edit::begin(context, key)?;
    match act {
        ManagementKeyAct::Show => Ok(edit.key.item(context)?),
        ManagementKeyAct::Update { patch } => update(edit, &caller, patch),
        ManagementKeyAct::Rotate { secret, rotation } => rotate::rotate(edit, secret, *rotation),
        ManagementKeyAct::RevokeSecret { secret, revocation } => {
            rotate::revoke(edit, secret, revocation)
        }
        ManagementKeyAct::Revoke(revocation) => revoke(edit, revocation),
        ManagementKeyAct::Disable => switch(edit, Status::Disabled, "management_key.disable"),
        ManagementKeyAct::Enable => switch(edit, Status::Active, "management_key.enable"),
        ManagementKeyAct::Delete => delete(&edit),
    }
}

/// Whether the key exists for the caller.
fn sees(caller: &ManagementKey, key: &ManagementKey) -> bool {
    caller.fields.project.is_none() || caller.fields.project == key.fields.project
}

/// Changes the fields; also those of a revoked key, of which somebody may still want to note
/// something.
fn update(edit: Edit<'_>, caller: &ManagementKey, patch: &Value) -> Result<Reply, Stop> {
    let fields = management::patch(&edit.key.fields, patch).map_err(Stop::Fields)?;
    if !fields.reach().is_within(&caller.fields.reach()) {
        return Err(Refusal::WiderThanCaller.into());
    }
    write::set_fields(edit.context.storage, &edit.key.id, &fields)?;
    Ok(edit.end("management_key.update", None)?)
}

/// Disables or enables. That it is as wanted already is no conflict.
fn switch(edit: Edit<'_>, status: Status, action: &str) -> Result<Reply, Stop> {
    if edit.key.status == Status::Revoked {
        return Err(Refusal::KeyStateConflict.into());
    }
    write::set_status(edit.context.storage, &edit.key.id, status)?;
    Ok(edit.end(action, None)?)
}

/// Revokes the key for good. A second revocation changes nothing: the first reason stands.
fn revoke(edit: Edit<'_>, revocation: &Revocation) -> Result<Reply, Stop> {
    if edit.key.status != Status::Revoked {
        let Context { storage, now, .. } = *edit.context;
        write::revoke(storage, &edit.key.id, revocation, now)?;
    }
    Ok(edit.end("management_key.revoke", None)?)
}

/// Only what can never be used again is forgotten.
fn delete(edit: &Edit<'_>) -> Result<Reply, Stop> {
    if edit.key.status != Status::Revoked {
        return Err(Refusal::KeyStateConflict.into());
    }
    let gone = edit.key.item(edit.context)?;
    write::delete(edit.context.storage, &edit.key.id)?;
    edit::deleted(edit.context, &edit.key)?;
    Ok(gone)
}
