//! Makes management keys: none that can do more than the key that makes it, and the first of the
//! account for the holder of the bootstrap secret.

use keyward_core::management::{self, Fields, Scope};
use keyward_core::refusal::Refusal;

use super::keys::write;
use super::stop::Stop;
use super::{access, edit, projects};

use crate::registry::journal::Context;
use crate::registry::message::{NewManagementKey, Reply};

/// Adds a management key.
pub(super) fn create(context: &Context<'_>, new: &NewManagementKey) -> Result<Reply, Stop> {
    let fields = match (&new.caller.id, &new.bootstrap) {
        (None, Some(digest)) => first(context, new, digest)?,
        _ => within_caller(context, new)?,
    };
    if let Some(project) = &fields.project
        && !projects::exists(context.storage, project)?
    {
        return Err(Refusal::ProjectUnknown.into());
    }
    write::insert(context.storage, &new.id, &fields, &new.secret, context.now)?;
    if let (None, Some(digest)) = (&new.caller.id, &new.bootstrap) {
        access::spend_bootstrap(context, digest, &new.id)?;
    }
    Ok(edit::created(context, &new.id)?)
}

/// What the holder of the bootstrap secret may make: a key of the account.
fn first(context: &Context<'_>, new: &NewManagementKey, digest: &str) -> Result<Fields, Stop> {
    access::bootstrap(context.storage, digest, context.now)?;
    let all: Vec<_> = Scope::ALL.iter().map(|(_, scope)| *scope).collect();
    let fields = management::validate(&new.fields, &all).map_err(Stop::Fields)?;
    if fields.project.is_some() {
        return Err(Refusal::BootstrapDenied.into());
    }
    fields.open_the_account(context.now).map_err(Stop::Fields)?;
    Ok(fields)
}

fn within_caller(context: &Context<'_>, new: &NewManagementKey) -> Result<Fields, Stop> {
    let caller = access::caller(context, &new.caller, Scope::KeysWrite)?;
    let fields = management::validate(&new.fields, &caller.fields.scopes).map_err(Stop::Fields)?;
    // Before the project is looked up: who is bound to one learns nothing of others.
    if !fields.reach().is_within(&caller.fields.reach()) {
        return Err(Refusal::WiderThanCaller.into());
    }
    Ok(fields)
}
