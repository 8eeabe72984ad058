//! Secrets that were found where they must not be: which project's they are, and what becomes of
//! those of management keys, which are revoked.

use keyward_api::view::LeakedSecret;
use keyward_core::kind::Kind;
use keyward_core::revocation::Reason;
use keyward_edge::storage::{Storage, StorageError};

use super::edit::Edit;
use super::keys::{self, secrets};
use crate::registry::journal::Context;
use crate::registry::message::{Leak, LeaksOfAccount, Reply, Revocation};
use crate::registry::view::shown;

/// So many projects are asked at once that may not have reserved all their digests. Who is asked reserves
/// them, so that the next ones have their turn when the question comes again.
const MOST_UNRESERVED: u64 = 50;

/// Says what is known of these secrets; those of management keys are revoked when they are
/// reported. `only`: the one project that the caller may see.
pub(super) fn leaked(
    context: &Context<'_>,
    leaks: &[Leak],
    report: bool,
    only: Option<&str>,
) -> Result<Reply, StorageError> {
    let digests: Vec<_> = leaks
        .iter()
        .map(|leak| format!("d:{}", leak.digest))
        .collect();
    let digests = serde_json::to_string(&digests).map_err(|_| StorageError::Row)?;
    let rows = context.storage.rows(
        "SELECT substr(name, 3), project FROM reservation
         WHERE name IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR project = ?2)",
        &[(&digests).into(), only.into()],
    )?;
    let projects = rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?)));
    let projects = projects.collect::<Result<_, StorageError>>()?;
    let mut unreserved = unreserved(context.storage, only)?;
    let more = unreserved.len() as u64 > MOST_UNRESERVED;
    if more {
        unreserved.pop();
    }
    let mut management = Vec::new();
    // Who is bound to a project has no say about keys that may do more.
    // Nothing is derived from a management key.
    let all = leaks.iter().filter(|leak| only.is_none() && !leak.derived);
    for leak in all {
        if report {
            note(context, leak)?;
        }
        management.extend(find(context, leak)?);
    }
    let item = shown(&LeaksOfAccount {
        projects,
        unreserved,
        more,
        management,
    })?;
    Ok(Reply::Item {
        item,
        version: None,
    })
}

/// The projects whose registries have to be asked about what nobody has reserved: one more than may be asked
/// at once, where there are more.
fn unreserved(storage: &Storage, only: Option<&str>) -> Result<Vec<String>, StorageError> {
    let rows = storage.rows(
        "SELECT id FROM project WHERE unreserved = 1 AND (?1 IS NULL OR id = ?1)
         ORDER BY position LIMIT ?2",
        &[only.into(), (MOST_UNRESERVED + 1).into()],
    )?;
    rows.iter().map(|row| row.text(0)).collect()
}

fn find(context: &Context<'_>, leak: &Leak) -> Result<Option<LeakedSecret>, StorageError> {
    let Some((key, secret)) = keys::holder(context.storage, &leak.digest)? else {
        return Ok(None);
    };
    let secret = keys::view::secret(&secret, context.now);
    Ok(Some(LeakedSecret {
        sha256: leak.digest.clone(),
        project: key.fields.project.clone(),
        key: key.id.clone(),
        name: key.fields.name.clone(),
        kind: Kind::Management,
        key_status: key.status,
        secret: secret.id,
        redacted: secret.redacted,
        status: secret.status,
        leaked: secret.leaked,
    }))
}

fn note(context: &Context<'_>, leak: &Leak) -> Result<(), StorageError> {
    let Some((key, secret)) = keys::holder(context.storage, &leak.digest)? else {
        return Ok(());
    };
    let edit = Edit::begin(context, key)?;
    context.storage.run(
        "UPDATE management_secret SET leaked_at = ?2, leak_source = ?3, leak_url = ?4
         WHERE id = ?1 AND leaked_at IS NULL",
        &[
            (&secret.id).into(),
            context.now.into(),
            (&leak.source).into(),
            leak.url.as_ref().into(),
        ],
    )?;
    let revocation = Revocation {
        reason: Reason::KeyCompromise,
        note: Some("leaked".to_owned()),
    };
    secrets::revoke(context.storage, &secret.id, &revocation, context.now)?;
    edit.end("management_key.leak", Some(&secret.id))?;
    Ok(())
}
