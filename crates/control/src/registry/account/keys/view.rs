//! Management keys as they are shown, and as the audit log compares them.

use keyward_api::view;
use keyward_core::time::Millis;
use keyward_edge::storage::StorageError;
use serde_json::Value;

use super::{ManagementKey, Secret};
use crate::registry::keys::Revoked;
use crate::registry::message::Shown;
use crate::registry::view::shown;

/// So many secrets are shown, the newest.
const SECRETS: usize = 10;

/// The key and its newest secrets.
pub(super) fn show(
    key: &ManagementKey,
    secrets: &[Secret],
    now: Millis,
) -> Result<Shown, StorageError> {
    let secrets = secrets.iter().take(SECRETS);
    shown(&of(key, secrets.map(|one| secret(one, now)).collect()))
}

/// What the audit log compares: what is shown, without what the clock or a count changes, and each
/// secret as a field.
pub(super) fn compared(
    key: &ManagementKey,
    secrets: &[Secret],
    now: Millis,
) -> Result<Value, StorageError> {
    let shown = of(key, Vec::new());
    let mut fields = serde_json::to_value(shown).map_err(|_| StorageError::Row)?;
    let object = fields.as_object_mut().ok_or(StorageError::Row)?;
    for field in [
        "id",
        "project",
        "version",
        "secrets",
        "last_used_at",
        "created_at",
        "updated_at",
    ] {
        object.remove(field);
    }
    for own in secrets {
        let shown = serde_json::to_value(secret(own, now)).map_err(|_| StorageError::Row)?;
        object.insert(format!("secrets.{}", own.id), shown);
    }
    Ok(fields)
}

fn of(key: &ManagementKey, secrets: Vec<view::Secret>) -> view::ManagementKey {
    let fields = key.fields.clone();
    view::ManagementKey {
        id: key.id.clone(),
        name: fields.name,
        project: fields.project,
        scopes: fields.scopes,
        ips: fields.ips,
        not_before: fields.not_before.map(Into::into),
        expires_at: fields.expires_at.map(Into::into),
        status: key.status,
        version: key.version,
        revoked: key.revoked.as_ref().map(revoked),
        secrets,
        last_used_at: key.last_used_at.map(Into::into),
        created_at: key.created_at.into(),
        updated_at: key.updated_at.into(),
    }
}

/// A secret as it is shown now.
pub(in crate::registry::account) fn secret(secret: &Secret, now: Millis) -> view::Secret {
    view::Secret {
        browser_end_at: None,
        id: secret.id.clone(),
        redacted: secret.redacted.clone(),
        status: secret.life.standing(None, now).into(),
        created_at: secret.life.created_at.into(),
        not_before: secret.life.not_before.map(Into::into),
        not_after: secret.life.not_after.map(Into::into),
        revoked: secret.revoked.as_ref().map(revoked),
        leaked: secret.leaked.clone(),
        imported: false,
    }
}

fn revoked(revoked: &Revoked) -> view::Revoked {
    view::Revoked {
        at: revoked.at.into(),
        reason: revoked.reason,
        note: revoked.note.clone(),
    }
}
