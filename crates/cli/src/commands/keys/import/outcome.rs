//! What became of an import.

use std::path::Path;

use serde_json::json;

use super::checkpoint::Tally;
use super::owners::Settled;
use super::record::Refused;
use crate::commands::change;
use crate::failure::Failure;
use crate::file;
use crate::output::Output;

/// The most refused lines that are shown.
const MOST_SHOWN: usize = 50;

/// How an import has ended.
pub(super) struct Outcome {
    pub(super) lines: usize,
    pub(super) tally: Tally,
    /// Owners that were brought in, and those that were there; none where no line is an owner's.
    pub(super) owners: Option<(u64, u64)>,
    pub(super) publication: String,
    pub(super) dry_run: bool,
}

impl Outcome {
    /// Adds what became of the lines of owners.
    pub(super) fn add(&mut self, owners: Settled) {
        self.lines = self.lines.saturating_add(owners.lines);
        self.owners = (owners.lines > 0).then_some((owners.created, owners.existing));
        self.tally.refused.extend(owners.refused);
        self.tally.refused.sort_by_key(|refused| refused.line);
    }

    /// Prints it, and fails if a line was refused.
    pub(super) fn report(&self, output: &Output, file: Option<&Path>) -> Result<(), Failure> {
        let Tally {
            created,
            existing,
            refused,
            ..
        } = &self.tally;
        write(file, refused)?;
        if output.json {
            let mut answer = json!({
                "lines": self.lines, "created": created, "existing": existing,
                "refused": refused.len(), "dry_run": self.dry_run,
                "publication": self.publication, "errors": refused,
            });
            if let (Some((created, existing)), Some(answer)) = (self.owners, answer.as_object_mut())
            {
                let owners = json!({ "created": created, "existing": existing });
                answer.insert("owners".to_owned(), owners);
            }
            output.data(&answer.to_string())?;
        } else {
            table(refused, output);
            let row = |name: &str, count: u64| vec![name.to_owned(), count.to_string()];
            let mut rows = vec![row("created", *created), row("existing", *existing)];
            if let Some((created, existing)) = self.owners {
                rows.push(row("owners created", created));
                rows.push(row("owners existing", existing));
            }
            rows.push(row("refused", refused.len() as u64));
            output.fields(&rows)?;
            if self.dry_run {
                output.say("Nothing was imported: this was a dry run.");
            } else if *created > 0 {
                change::publication(&self.publication, "", output);
            }
        }
        match refused.len() {
            0 => Ok(()),
            1 => Err(Failure::Failed("1 line was refused".to_owned())),
            count => Err(Failure::Failed(format!("{count} lines were refused"))),
        }
    }
}

/// Shows what was refused.
pub(super) fn table(refused: &[Refused], output: &Output) {
    let rows: Vec<_> = refused.iter().take(MOST_SHOWN).flat_map(rows).collect();
    if rows.is_empty() {
        return;
    }
    output.say_rows(&["LINE", "CODE", "FIELD", "REASON"], &rows);
    let more = refused.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        output.say(&format!("And {more} more: --report FILE has them all."));
    }
}

fn rows(refused: &Refused) -> Vec<Vec<String>> {
    let row = |field: &str, detail: &str| {
        vec![
            refused.line.to_string(),
            refused.code.clone(),
            field.to_owned(),
            detail.to_owned(),
        ]
    };
    if refused.errors.is_empty() {
        return vec![row("", "")];
    }
    refused
        .errors
        .iter()
        .map(|error| row(&error.field, &error.detail))
        .collect()
}

/// Writes what was refused, if that is to be written.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(file: Option<&Path>, refused: &[Refused]) -> Result<(), Failure> {
    let Some(path) = file else { return Ok(()) };
    lines(refused)
        .and_then(|lines| file::replace(path, &lines))
        .map_err(|error| Failure::Failed(format!("{} cannot be written: {error}", path.display())))
}

fn lines(refused: &[Refused]) -> std::io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for refused in refused {
        serde_json::to_writer(&mut lines, refused)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
