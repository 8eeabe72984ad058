//! A key as it is shown, and as the audit log compares it.

use keyward_core::life;
use keyward_core::record::Status;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::Value;

use super::pages;
use super::policy::Policy;
use super::row::{Key, Revoked, word};
use super::secrets::{self, Secret};
use crate::registry::message::Shown;
use crate::registry::view::{self, Attention, Cause, ExpiresSoon};

/// So many secrets are shown, the newest.
const SECRETS: usize = 10;

/// The key as it is shown now. `attention` says why a list shows it.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn show(
    storage: &Storage,
    policy: &Policy,
    key: &Key,
    attention: Vec<Attention>,
    now: Millis,
) -> Result<Shown, StorageError> {
    let secrets = secrets::of(storage, &key.id)?;
    view::shown(&view::Key {
        pages: pages::of(storage, &key.id)?,
        ..of(policy, key, &secrets, attention, now)
    })
}

/// The key with these secrets, as it is shown now.
pub(super) fn of(
    policy: &Policy,
    key: &Key,
    secrets: &[Secret],
    attention: Vec<Attention>,
    now: Millis,
) -> view::Key {
    let key = key.clone();
    let status = key.status();
    view::Key {
        status,
        expires_soon: expires_soon(policy, &key, secrets, now),
        project: policy.project.clone(),
        id: key.id,
        name: key.name,
        kind: key.kind,
        environment: key.environment,
        owner: key.owner,
        suspended_by: key.suspended_by.filter(|_| status == Status::Suspended),
        version: key.version,
        restrictions: key.restrictions,
        not_before: key.not_before.map(Into::into),
        expires_at: key.expires_at.map(Into::into),
        limits: key.limits,
        metadata: key.metadata,
        revoked: key.revoked.as_ref().map(revoked),
        deleted_at: key.deleted_at.map(Into::into),
        purge_at: key.deleted_at.map(life::purge_at).map(Into::into),
        delete_protection: key.delete_protection,
        last_used_at: key.last_used_at.map(Into::into),
        pages: Vec::new(),
        attention,
        secrets: secrets
            .iter()
            .take(SECRETS)
            .map(|own| secret(policy, own, now))
            .collect(),
        created_at: key.created_at.into(),
        updated_at: key.updated_at.into(),
    }
}

/// A secret as it is shown now.
pub(super) fn secret(policy: &Policy, secret: &Secret, now: Millis) -> view::Secret {
    view::Secret {
        id: secret.id.clone(),
        redacted: secret.redacted.clone(),
        status: secret.life.standing(policy.max_age, now).into(),
        created_at: secret.life.created_at.into(),
        not_before: secret.life.not_before.map(Into::into),
        not_after: secret.life.ends_at(policy.max_age).map(Into::into),
        browser_end_at: secret.browser_end_at.map(Into::into),
        revoked: secret.revoked.as_ref().map(revoked),
        leaked: secret.leaked.clone(),
        imported: secret.imported,
    }
}

/// What the audit log compares: what is shown, without what the clock or a count changes, the
/// status that the owner gave (what suspends and deletes has fields of its own), and each secret
/// as a field.
///
/// # Errors
/// [`StorageError::Row`].
pub(super) fn compared(
    policy: &Policy,
    key: &Key,
    secrets: &[Secret],
    now: Millis,
) -> Result<Value, StorageError> {
    let shown = of(policy, key, &[], Vec::new(), now);
    let mut fields = serde_json::to_value(shown).map_err(|_| StorageError::Row)?;
    let object = fields.as_object_mut().ok_or(StorageError::Row)?;
    for field in [
        "id",
        "project",
        "version",
        "secrets",
        "purge_at",
        "last_used_at",
        "expires_soon",
        "created_at",
        "updated_at",
    ] {
        object.remove(field);
    }
    object.insert("status".to_owned(), word(&key.own_status)?.into());
    for own in secrets {
        let shown =
            serde_json::to_value(secret(policy, own, now)).map_err(|_| StorageError::Row)?;
        object.insert(format!("secrets.{}", own.id), shown);
    }
    Ok(fields)
}

fn revoked(revoked: &Revoked) -> view::Revoked {
    view::Revoked {
        at: revoked.at.into(),
        reason: revoked.reason,
        note: revoked.note.clone(),
    }
}

/// The key's end, or the end of the newest of its secrets by the project's limit of age or because a
/// page has sent it, when one of them is near: the earlier one. A key that cannot be used for good ends no more.
fn expires_soon(
    policy: &Policy,
    key: &Key,
    secrets: &[Secret],
    now: Millis,
) -> Option<ExpiresSoon> {
    if matches!(key.status(), Status::Revoked | Status::Deleted) {
        return None;
    }
    let newest = secrets
        .iter()
        .find(|secret| secret.life.standing(policy.max_age, now).counts());
    let too_old = newest
        .filter(|secret| secret.life.not_after.is_none())
        .and_then(|secret| secret.life.too_old_at(policy.max_age));
    let ends = [
        (key.expires_at, Cause::ExpiresAt),
        (too_old, Cause::MaxAge),
        (
            newest.and_then(|secret| secret.browser_end_at),
            Cause::BrowserUse,
        ),
    ];
    ends.into_iter()
        .filter_map(|(at, cause)| at.map(|at| (at, cause)))
        .filter(|(at, _)| life::ends_soon(*at, policy.warning_s, now))
        .min_by_key(|(at, _)| *at)
        .map(|(at, cause)| ExpiresSoon {
            at: at.into(),
            cause,
        })
}
