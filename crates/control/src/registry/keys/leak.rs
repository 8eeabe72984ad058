//! A secret was found where it must not be.
//!
//! What leaked of a private key is revoked: that secret, so that another one of the key goes on; or
//! it is only flagged, where the project says so. A public key's secret is only flagged, because
//! anybody can publish it. The same report again changes nothing.

use keyward_api::view::{Leaked, LeakedSecret};
use keyward_core::derived;
use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::revocation::Reason;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};
use serde_json::Map;

use super::edit::{Edit, Effect};
use super::policy::Policy;
use super::rotate::{by_digest, mark_revoked};
use super::row;
use super::secrets;
use super::view;
use crate::registry::audit::FieldChange;
use crate::registry::journal::{Context, Subject};
use crate::registry::message::{Leak, Reply, Revocation};
use crate::registry::outbox::Event;
use crate::registry::publication::Publisher;
use crate::registry::view::shown;
use crate::registry::webhooks;

/// Notes that these secrets have leaked, and shows those that are known.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn report(
    publisher: &Publisher,
    context: &Context<'_>,
    leaks: &[Leak],
) -> Result<Reply, StorageError> {
    for leak in leaks {
        if let Some((secret, key)) = by_digest(context.storage, &leak.digest)?
            && let Ok(edit) = Edit::begin(publisher, context, &key, None)?
            && !edit.is(&[Status::Deleted])
        {
            if leak.derived {
                note_derived(&edit, &secret, leak)?;
            } else {
                note(&edit, &secret, leak)?;
            }
        }
    }
    find(context.storage, leaks, context.now)
}

/// Shows those of these secrets that are known.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn find(
    storage: &Storage,
    leaks: &[Leak],
    now: Millis,
) -> Result<Reply, StorageError> {
    let policy = Policy::of(storage)?;
    let mut items = Vec::new();
    for leak in leaks {
        let Some((id, key)) = by_digest(storage, &leak.digest)? else {
            continue;
        };
        let Some(key) = row::find(storage, &key, now)? else {
            continue;
        };
        let secrets = secrets::of(storage, &key.id)?;
        let secret = secrets.iter().find(|secret| secret.id == id);
        let secret = view::secret(&policy, secret.ok_or(StorageError::Row)?, now);
        items.push(shown(&LeakedSecret {
            sha256: leak.digest.clone(),
            project: Some(policy.project.clone()),
            key_status: key.status(),
            key: key.id,
            name: key.name,
            kind: key.kind,
            secret: secret.id,
            redacted: secret.redacted,
            status: secret.status,
            leaked: secret.leaked,
        })?);
    }
    Ok(Reply::Items { items, next: None })
}

fn note(edit: &Edit<'_>, id: &str, leak: &Leak) -> Result<(), StorageError> {
    let context = edit.context;
    let secret = edit.secrets.iter().find(|secret| secret.id == id);
    let secret = secret.ok_or(StorageError::Row)?;
    let revokes =
        edit.key.kind != Kind::Public && edit.policy.revokes_leaks && secret.revoked.is_none();
    if secret.leaked.is_some() && !revokes {
        return Ok(());
    }
    context.storage.run(
        "UPDATE secret SET leaked_at = ?2, leak_source = ?3, leak_url = ?4
         WHERE id = ?1 AND leaked_at IS NULL",
        &[
            id.into(),
            context.now.into(),
            (&leak.source).into(),
            leak.url.as_ref().into(),
        ],
    )?;
    let effect = if revokes {
        let revocation = Revocation {
            reason: Reason::KeyCompromise,
            note: Some("leaked".to_owned()),
        };
        mark_revoked(edit, id, &revocation)?;
        Effect::TakenAway
    } else {
        Effect::All(Event::Granted)
    };
    edit.end_as(context, "key.leak", Some(id), effect)?;
    Ok(())
}

/// A key that was derived from a secret has leaked. It ends by itself within a day, and whoever has
/// seen one can make up others that name the same secret: so it is told, once a day at most, and
/// nothing is revoked.
fn note_derived(edit: &Edit<'_>, id: &str, leak: &Leak) -> Result<(), StorageError> {
    let context = edit.context;
    let last = context.now.0.saturating_sub(derived::LONGEST_LIFE_MS);
    let is_new = context.storage.row(
        "UPDATE secret SET derived_leak_at = ?2
         WHERE id = ?1 AND coalesce(derived_leak_at, 0) <= ?3 RETURNING 1",
        &[id.into(), context.now.into(), last.into()],
    )?;
    if is_new.is_none() || edit.key.kind == Kind::Public {
        return Ok(());
    }
    let leaked = Leaked {
        at: context.now.into(),
        source: leak.source.clone(),
        url: leak.url.clone(),
    };
    let leaked = serde_json::to_value(leaked).map_err(|_| StorageError::Row)?;
    let project = &edit.policy.project;
    let subject = Subject {
        project: Some(project),
        key: Some(&edit.key.id),
        target: Some(id),
    };
    let change = FieldChange {
        field: "derived".to_owned(),
        before: None,
        after: Some(leaked.clone()),
    };
    context.log("key.leak", subject, &[change])?;
    let mut more = Map::new();
    more.insert("derived".to_owned(), true.into());
    more.insert("leaked".to_owned(), leaked);
    more.insert("done".to_owned(), "flagged".into());
    webhooks::about_key(context, project, &edit.key, "key.leak", Some(id), more)
}

/// Where a secret was reported to have leaked, from three columns.
pub(in crate::registry) fn read(
    row: &keyward_edge::storage::Row,
    column: u32,
) -> Result<Option<Leaked>, StorageError> {
    let Some(at) = row.optional_time(column)? else {
        return Ok(None);
    };
    Ok(Some(Leaked {
        at: at.into(),
        source: row.text(column + 1)?,
        url: row.optional_text(column + 2)?,
    }))
}
