//! Who may call: the holders of management secrets and, until there is a key of the account, the
//! holder of the bootstrap secret.

use keyward_core::management::Scope;
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::keys::{self, ManagementKey, write};
use super::stop::Stop;
use crate::registry::journal::Context;
use crate::registry::message::{Caller, Principal, Reply};

/// Who holds the management secret with this digest. Whatever is not valid now is told apart by
/// nothing: unknown, revoked, expired and disabled are the same.
pub(super) fn authenticate(storage: &Storage, digest: &str, now: Millis) -> Result<Reply, Stop> {
    let (key, _) = keys::holder(storage, digest)?
        .filter(|(key, secret)| key.validity().admits(&secret.life, now))
        .ok_or(Refusal::KeyInvalid)?;
    write::note_use(storage, &key, now)?;
    Ok(Reply::Principal(Principal {
        id: key.id,
        name: key.fields.name,
        project: key.fields.project,
        scopes: key.fields.scopes,
        ips: key.fields.ips,
        expires_at: key.fields.expires_at,
    }))
}

/// Whether the bootstrap secret with this digest may be used: nobody can call for the account,
/// and it has not opened it before. Who lost every key of the account sets another.
pub(super) fn bootstrap(storage: &Storage, digest: &str, now: Millis) -> Result<(), Stop> {
    let used = storage.row(
        "SELECT 1 FROM bootstrap WHERE digest = ?1",
        &[digest.into()],
    )?;
    if used.is_some() || keys::is_any_of_the_account_usable(storage, now)? {
        return Err(Refusal::BootstrapDenied.into());
    }
    Ok(())
}

/// The bootstrap secret has made this key, and never makes another.
pub(super) fn spend_bootstrap(
    context: &Context<'_>,
    digest: &str,
    key: &str,
) -> Result<(), StorageError> {
    context.storage.run(
        "INSERT INTO bootstrap (digest, key, at) VALUES (?1, ?2, ?3)",
        &[digest.into(), key.into(), context.now.into()],
    )
}

/// The calling key as it is now: between its authentication and this change it may have lost what
/// it had.
pub(super) fn caller(
    context: &Context<'_>,
    caller: &Caller,
    needed: Scope,
) -> Result<ManagementKey, Stop> {
    // The bootstrap secret makes a key, and does nothing else.
    let id = caller.id.as_deref().ok_or(Refusal::BootstrapDenied)?;
    let key = keys::find(context.storage, id)?.ok_or(Refusal::KeyInvalid)?;
    if !key.is_usable(context.storage, context.now)? {
        return Err(Refusal::KeyInvalid.into());
    }
    if !key.fields.scopes.contains(&needed) {
        return Err(Refusal::ScopeMissing.into());
    }
    Ok(key)
}
