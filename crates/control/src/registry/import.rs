//! Many keys from elsewhere, line by line: one transaction for all lines of a request, in which a
//! line that is refused refuses itself only.
//!
//! 1. The line's fields are valid by themselves (the sender has read them with the same rules),
//!    and its environment is there.
//! 2. Are all of its secrets those of one key already, nothing is changed: so an import that was
//!    interrupted is simply repeated. That holds within a request, too. Is that key deleted, or
//!    revoked and the line's is not, the line is refused: it would go on opening nothing.
//! 3. Its secrets and its id belong to nobody else in the project. (The account registry has made
//!    sure of the other projects.)

mod known;
mod report;

use std::rc::Rc;

use keyward_api::view::{self, ImportReport};
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::spec::{self, FieldError, ValidKey};
use keyward_core::time::Millis;
use keyward_edge::log;
use keyward_edge::storage::StorageError;

use self::known::Known;
use self::report::Outcome;
use super::change;
use super::journal::Context;
use super::keys::create::{Addition, add};
use super::keys::secrets::Added;
use super::keys::{Policy, Revoked, from_json};
use super::message::{Call, ImportLine, ProjectCommand, Publication, Reply};
use super::outbox::Event;
use super::publication::Publisher;
use super::view::shown;

/// Imports the lines of this call, or only says what would become of them.
///
/// # Errors
/// Those of the storage; then nothing was imported.
pub(super) async fn import(
    publisher: &Rc<Publisher>,
    call: &Call<ProjectCommand>,
    lines: &[ImportLine],
    dry_run: bool,
    now: Millis,
) -> Result<Reply, StorageError> {
    let mut tried = None;
    let mut reply = change::run(publisher, call, now, |context| {
        let report = all(publisher, context, lines, dry_run)?;
        let report = shown(&report)?;
        let reply = Reply::Imported { report };
        if dry_run {
            // What is refused is not kept for repetition.
            tried = Some(reply);
            return Ok(Reply::refused(Refusal::InternalError));
        }
        Ok(reply)
    })?;
    if let Some(reply) = tried {
        return Ok(reply);
    }
    let imported = match &mut reply {
        Reply::Replayed { reply, .. } => &mut **reply,
        reply => reply,
    };
    if let Reply::Imported { report } = imported {
        // The keys are stored and the alarm is set: when the publication cannot start now, it
        // starts then.
        if let Err(error) = publisher.pump() {
            log::registry("publication_postponed", None, &error.to_string());
        }
        let mut read: ImportReport = from_json(report.get())?;
        let publication = publisher.publication_of(None, report::ids(&read)).await;
        read.publication = match publication {
            Publication::Published => view::Publication::Published,
            Publication::Pending => view::Publication::Pending,
        };
        *report = shown(&read)?;
    }
    Ok(reply)
}

fn all(
    publisher: &Publisher,
    context: &Context<'_>,
    lines: &[ImportLine],
    dry_run: bool,
) -> Result<ImportReport, StorageError> {
    let policy = Policy::of(context.storage)?;
    let mut known = Known::about(context.storage, lines)?;
    let mut report = report::empty();
    for line in lines {
        let (outcome, fields) = decided(&known, line);
        if let (Outcome::Created(_), Some(fields)) = (&outcome, &fields) {
            if !dry_run {
                let addition = addition(line, fields, context.now);
                add(publisher, context, &policy, addition)?;
            }
            known.learn(line, fields);
        }
        report::add(&mut report, line.line, outcome);
    }
    Ok(report)
}

/// What becomes of a line, with the fields of the key that it makes.
fn decided(known: &Known, line: &ImportLine) -> (Outcome, Option<ValidKey>) {
    let fields = match spec::validate(&line.fields) {
        Ok(fields) => fields,
        Err(errors) => return (Outcome::Refused(Refusal::KeySpecInvalid, errors), None),
    };
    let outcome = outcome(known, line, &fields);
    (outcome, Some(fields))
}

fn outcome(known: &Known, line: &ImportLine, fields: &ValidKey) -> Outcome {
    if let Some(error) = known.wrong(fields, line) {
        return Outcome::Refused(Refusal::KeySpecInvalid, vec![error]);
    }
    let owners: Vec<_> = line
        .secrets
        .iter()
        .map(|own| known.owner(&own.secret.digest))
        .collect();
    match owners.as_slice() {
        [Some(owner), rest @ ..] if rest.iter().all(|other| *other == Some(owner)) => {
            match owner.contradicts(fields) {
                None => Outcome::Existing(owner.id.clone()),
                Some(error) => Outcome::Refused(Refusal::KeyStateConflict, vec![error]),
            }
        }
        owners if owners.iter().any(Option::is_some) => taken("secrets"),
        _ if known.has_id(&line.id) => taken("id"),
        _ => Outcome::Created(line.id.clone()),
    }
}

fn addition<'a>(line: &'a ImportLine, fields: &'a ValidKey, now: Millis) -> Addition<'a> {
    let created_at = line.created_at.unwrap_or(now).min(now);
    let revocation = line.revocation.as_ref();
    let revoked = (fields.status == Status::Revoked).then(|| Revoked {
        at: line.revoked_at.unwrap_or(now).min(now),
        reason: revocation
            .map(|revocation| revocation.reason)
            .unwrap_or_default(),
        note: revocation.and_then(|revocation| revocation.note.clone()),
    });
    let secrets = line.secrets.iter().map(|own| Added {
        secret: &own.secret,
        not_before: own.not_before,
        not_after: own.not_after,
        created_at: own.created_at.unwrap_or(created_at).min(now),
        imported: true,
    });
    Addition {
        id: &line.id,
        fields,
        created_at,
        revoked,
        secrets: secrets.collect(),
        action: "key.import",
        event: Event::Imported,
    }
}

fn taken(field: &str) -> Outcome {
    let error = FieldError {
        field: field.to_owned(),
        detail: "belongs to another key already".to_owned(),
    };
    Outcome::Refused(Refusal::SecretExists, vec![error])
}
