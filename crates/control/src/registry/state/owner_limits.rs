//! The limits that all keys of an owner share. Their meter is told of them; the records of the keys
//! only say that there are some, in which version, and what happens when that meter does not answer.

use keyward_core::changes;
use keyward_core::limits::Limits;
use keyward_core::metering::{CreditAct, Of};
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::{Value, json};

use super::{log, owner};
use crate::registry::journal::Context;
use crate::registry::keys::{bump, from_json};
use crate::registry::message::Reply;
use crate::registry::metering::{self, credits};
use crate::registry::publication::Publisher;
use crate::registry::sweep::{self, Scope};

/// The limits that the keys of this owner share, with their version, if they share any.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owner_limits(
    storage: &Storage,
    owner: &str,
) -> Result<Option<(u64, Limits)>, StorageError> {
    let row = storage.row(
        "SELECT limits_version, limits FROM owner WHERE owner = ?1",
        &[owner.into()],
    )?;
    let limits = row.map(|row| Ok((row.number(0)?, from_json(&row.text(1)?)?)));
    let limits = limits.transpose()?;
    Ok(limits.filter(|(_, limits): &(u64, Limits)| !limits.is_empty()))
}

/// Gives the keys of this owner other limits to share; none takes them away.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn limit_owner(
    publisher: &Publisher,
    context: &Context<'_>,
    owner: &str,
    limits: Option<&Limits>,
) -> Result<Reply, StorageError> {
    let (storage, now) = (context.storage, context.now);
    let before = owner_limits(storage, owner)?.map(|(_, limits)| limits);
    let after = limits.filter(|limits| !limits.is_empty());
    if before.as_ref() != after {
        let written = after.cloned().unwrap_or_default();
        storage.run(
            "INSERT INTO owner (owner, limits, limits_version) VALUES (?1, ?2, 1)
             ON CONFLICT (owner) DO UPDATE SET limits = excluded.limits,
                limits_version = limits_version + 1",
            &[owner.into(), (&json(&written)?.to_string()).into()],
        )?;
        let of = Of::Owner(owner.to_owned());
        let had = before.clone().unwrap_or_default();
        credits::follow(storage, &of, &had, &written, now)?;
        metering::owe(storage, &of, now)?;
        follow(publisher, owner, after.is_some(), now)?;
        let shown = |limits: Option<&Limits>| match limits {
            Some(limits) => Ok(json!({ "limits": json(limits)? })),
            None => Ok(Value::Null),
        };
        let changes = changes::diff(&shown(before.as_ref())?, &shown(after)?);
        log(context, "owner.limit", Some(owner), &changes)?;
    }
    owner::changed(storage, owner)
}

/// Changes the credits that the keys of this owner share.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owner_credits(
    context: &Context<'_>,
    owner: &str,
    act: CreditAct,
) -> Result<Reply, StorageError> {
    let storage = context.storage;
    let limits = owner_limits(storage, owner)?;
    if limits.is_none_or(|(_, limits)| limits.credits.is_none()) {
        let detail = "the owner's keys share no credits; give the owner `limits.credits` first";
        return Ok(credits::refused(detail));
    }
    credits::change(storage, &Of::Owner(owner.to_owned()), act, context.now)?;
    let changes = [credits::logged(act)];
    log(context, "owner.credits", Some(owner), &changes)?;
    owner::changed(storage, owner)
}

/// Gives the limits of this owner a version that is above this one, if they are below or at it.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn raise_owner_limits(
    publisher: &Publisher,
    owner: &str,
    version: u64,
    now: Millis,
) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let raised = storage.row(
        "INSERT INTO owner (owner, limits, limits_version) VALUES (?1, ?2, ?3)
         ON CONFLICT (owner) DO UPDATE SET limits_version = excluded.limits_version
         WHERE limits_version < excluded.limits_version RETURNING 1",
        &[
            owner.into(),
            (&json(&Limits::default())?.to_string()).into(),
            version.saturating_add(1).into(),
        ],
    )?;
    if raised.is_none() {
        return Ok(());
    }
    metering::owe(storage, &Of::Owner(owner.to_owned()), now)?;
    follow(publisher, owner, true, now)
}

/// The records of the owner's keys say something else now.
fn follow(
    publisher: &Publisher,
    owner: &str,
    withdraws: bool,
    now: Millis,
) -> Result<(), StorageError> {
    let scope = Scope::Owner(owner);
    // What the record of a revoked or deleted key says does not depend on it.
    let condition = format!(
        "{} AND status <> 'revoked' AND deleted_at IS NULL",
        scope.condition()
    );
    bump(
        publisher.storage(),
        &condition,
        vec![scope.name().into()],
        now,
    )?;
    sweep::start(publisher, scope, withdraws, now)
}

fn json(limits: &Limits) -> Result<Value, StorageError> {
    serde_json::to_value(limits).map_err(|_| StorageError::Row)
}
