//! Imports keys, one on each line: lines are read one by one, and one that is wrong refuses itself
//! only. Raw secrets are hashed here; the registry gets what it may keep of them.
//!
//! 1. Each line is read ([`lines`]) and prepared ([`prepare`]).
//! 2. The project's registry tries the lines, and refuses those that it would not take.
//! 3. The account registry reserves digests and ids; lines whose names another project holds are
//!    refused. Nothing is reserved for a line that was refused before: a reservation is never taken
//!    back, and would keep the secret from the project that it belongs to. A dry run asks the same,
//!    and reserves nothing.
//! 4. The project's registry imports what remains, and its report is completed by the lines that
//!    never reached it ([`report`]).

mod lines;
mod prepare;
mod report;

use std::collections::HashSet;

use keyward_api::view::ImportReport;
use keyward_core::refusal::Refusal;

use self::report::Refusals;
use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::{mint, reply};
use crate::registry::message::{AccountCommand, ImportLine, ProjectCommand, Reply};

/// So often lines are taken out and the rest is reserved again: each time, somebody else has been
/// faster.
const MOST_ATTEMPTS: usize = 5;

/// Imports the lines of the body.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn answer(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let project = asked.segment("project");
    let dry_run = asked.query.flag("dry_run");
    let read = lines::read(&asked.body)?;
    let count = read.len();
    let mut refusals = Refusals::default();
    let mut lines = Vec::new();
    for (line, outcome) in read {
        match outcome {
            Ok(valid) => match prepare::line(asked, &project, line, valid).await? {
                Ok(prepared) => lines.push(prepared),
                Err(errors) => refusals.add(line, Refusal::KeySpecInvalid, errors),
            },
            Err((refusal, errors)) => refusals.add(line, refusal, errors),
        }
    }
    if !dry_run {
        lines = acceptable(asked, &project, lines, &mut refusals).await?;
    }
    lines = reserved(asked, &project, lines, &mut refusals, dry_run).await?;
    let command = ProjectCommand::Import { lines, dry_run };
    let given = reply::given(asked.project(command).await?);
    let Reply::Imported { report } = given.reply else {
        return Err(reply::refused(asked, given.reply));
    };
    let report = report::complete(reply::value(&report)?, count, refusals)?;
    let answer = Answer::json(asked.known.operation.status, &report)?;
    let replayed = given.replayed.then(|| "true".to_owned());
    Ok(answer.with_header("idempotency-replayed", replayed))
}

/// The lines that the project's registry takes as it stands; the others are refused.
async fn acceptable(
    asked: &Asked<'_>,
    project: &str,
    mut lines: Vec<ImportLine>,
    refusals: &mut Refusals,
) -> Result<Vec<ImportLine>, Refused> {
    let trial = ProjectCommand::Import {
        lines: lines.clone(),
        dry_run: true,
    };
    let report = match asked.consult_project(project, trial).await? {
        Reply::Imported { report } => report,
        reply => return Err(reply::refused(asked, reply)),
    };
    let report: ImportReport =
        serde_json::from_str(report.get()).map_err(|_| Refusal::InternalError)?;
    let refused: HashSet<u64> = report.errors.iter().map(|error| error.line).collect();
    lines.retain(|line| !refused.contains(&u64::from(line.line)));
    for error in report.errors {
        refusals.add_reported(error)?;
    }
    Ok(lines)
}

/// The lines whose names this project holds now, or could hold; the others are refused.
async fn reserved(
    asked: &Asked<'_>,
    project: &str,
    mut lines: Vec<ImportLine>,
    refusals: &mut Refusals,
    dry_run: bool,
) -> Result<Vec<ImportLine>, Refused> {
    for _ in 0..MOST_ATTEMPTS {
        if lines.is_empty() {
            return Ok(lines);
        }
        let command = AccountCommand::Reserve {
            project: project.to_owned(),
            names: lines.iter().flat_map(names).collect(),
            dry_run,
        };
        let taken = match asked.consult_account(command).await? {
            Reply::Done => return Ok(lines),
            Reply::Taken { names } => names,
            reply => return Err(reply::refused(asked, reply)),
        };
        let is_free = |line: &ImportLine| !names(line).any(|name| taken.contains(&name));
        let (free, held): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_free);
        if held.is_empty() {
            return Err(Refusal::InternalError.into());
        }
        for line in held {
            refusals.add_taken(&line, &taken);
        }
        lines = free;
    }
    Err(Refusal::RegistryUnavailable.into())
}

fn names(line: &ImportLine) -> impl Iterator<Item = String> {
    let digests = line.secrets.iter();
    digests
        .map(|own| mint::digest_name(&own.secret.digest))
        .chain([mint::key_name(&line.id)])
}
