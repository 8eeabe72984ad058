//! The report of an import: the registry's, and the lines that never reached it.

use keyward_api::view::ImportError;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde_json::{Value, json};

use crate::api::answer::Refused;
use crate::api::mint;
use crate::registry::message::ImportLine;

/// Lines that were refused before the registry was asked.
#[derive(Default)]
pub(super) struct Refusals(Vec<(u32, Refusal, Vec<FieldError>)>);

impl Refusals {
    /// A line is refused.
    pub(super) fn add(&mut self, line: u32, refusal: Refusal, errors: Vec<FieldError>) {
        self.0.push((line, refusal, errors));
    }

    /// A line is refused as the registry has reported.
    ///
    /// # Errors
    /// [`Refusal::InternalError`] for a code that there is not.
    pub(super) fn add_reported(&mut self, error: ImportError) -> Result<(), Refused> {
        let known = Refusal::ALL.iter().find(|one| one.code() == error.code);
        let refusal = known.ok_or(Refusal::InternalError)?;
        let line = u32::try_from(error.line).map_err(|_| Refusal::InternalError)?;
        self.add(line, *refusal, error.errors);
        Ok(())
    }

    /// A line is refused because of names that another project holds.
    pub(super) fn add_taken(&mut self, line: &ImportLine, taken: &[String]) {
        let mut errors = Vec::new();
        let mut refuse = |field: String| {
            errors.push(FieldError {
                field,
                detail: "belongs to another key".to_owned(),
            });
        };
        for (index, own) in line.secrets.iter().enumerate() {
            if taken.contains(&mint::digest_name(&own.secret.digest)) {
                refuse(match line.secrets.len() {
                    1 => "secret".to_owned(),
                    _ => format!("secrets[{index}]"),
                });
            }
        }
        if taken.contains(&mint::key_name(&line.id)) {
            refuse("id".to_owned());
        }
        self.add(line.line, Refusal::SecretExists, errors);
    }
}

/// Completes the registry's report of what it was given of `count` lines.
///
/// # Errors
/// [`Refusal::InternalError`] for a report of another form.
pub(super) fn complete(
    mut report: Value,
    count: usize,
    refusals: Refusals,
) -> Result<Value, Refused> {
    let refused = refusals.0.len();
    let fields = report.as_object_mut().ok_or(Refusal::InternalError)?;
    fields.insert("lines".to_owned(), json!(count));
    let by_registry = fields.get("refused").and_then(Value::as_u64).unwrap_or(0);
    let all = by_registry.saturating_add(refused as u64);
    fields.insert("refused".to_owned(), json!(all));
    let errors = fields.entry("errors").or_insert_with(|| json!([]));
    let errors = errors.as_array_mut().ok_or(Refusal::InternalError)?;
    for (line, refusal, why) in refusals.0 {
        errors.push(json!({ "line": line, "code": refusal.code(), "errors": why }));
    }
    errors.sort_by_key(|error| error.get("line").and_then(Value::as_u64));
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_report_is_completed() {
        let report = json!({
            "lines": 2, "created": 1, "existing": 0, "refused": 1, "publication": "pending",
            "keys": [{"line": 2, "id": "key_1", "outcome": "created"}],
            "errors": [{"line": 4, "code": "secret_exists", "errors": []}],
        });
        let mut refusals = Refusals::default();
        refusals.add(9, Refusal::BodyInvalid, Vec::new());
        refusals.add(1, Refusal::KeySpecInvalid, Vec::new());
        let complete = complete(report, 4, refusals).unwrap();
        let lines: Vec<_> = complete["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["line"].as_u64().unwrap())
            .collect();
        assert_eq!(lines, [1, 4, 9]);
        assert_eq!(
            (complete["lines"].as_u64(), complete["refused"].as_u64()),
            (Some(4), Some(3))
        );
    }
}
