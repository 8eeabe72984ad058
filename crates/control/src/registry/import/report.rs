//! What became of an import, line by line.

use keyward_api::view::{ImportError, ImportOutcome, ImportReport, ImportedKey, Publication};
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;

/// What became of a line.
pub(super) enum Outcome {
    /// A key with this id was created.
    Created(String),
    /// Its secrets belong to the key with this id already.
    Existing(String),
    Refused(Refusal, Vec<FieldError>),
}

/// The report on no line.
pub(super) const fn empty() -> ImportReport {
    ImportReport {
        lines: 0,
        created: 0,
        existing: 0,
        refused: 0,
        publication: Publication::Pending,
        keys: Vec::new(),
        errors: Vec::new(),
    }
}

/// Adds a line to the report.
pub(super) fn add(report: &mut ImportReport, line: u32, outcome: Outcome) {
    let line = line.into();
    report.lines += 1;
    match outcome {
        Outcome::Created(id) => {
            report.created += 1;
            let outcome = ImportOutcome::Created;
            report.keys.push(ImportedKey { line, id, outcome });
        }
        Outcome::Existing(id) => {
            report.existing += 1;
            let outcome = ImportOutcome::Existing;
            report.keys.push(ImportedKey { line, id, outcome });
        }
        Outcome::Refused(refusal, errors) => {
            report.refused += 1;
            let code = refusal.code().to_owned();
            report.errors.push(ImportError { line, code, errors });
        }
    }
}

/// The keys whose records KV has to have. Also those that were there already: who repeats an
/// import wants to know that they are published.
pub(super) fn ids(report: &ImportReport) -> Vec<String> {
    report.keys.iter().map(|key| key.id.clone()).collect()
}
