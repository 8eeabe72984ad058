//! Reads `gateway.toml` and says what is wrong with it, where, and what to write instead.
//!
//! 1. The text is parsed as TOML; what is no TOML ends here.
//! 2. Every table is compared with its schema: unknown fields, missing ones, wrong types.
//! 3. What is left is given to [`keyward_core::route::check`], the same validation that the
//!    worker repeats, and its findings get their place in the text.
//!
//! One run names everything: a field that step 2 refuses does not hide what step 3 finds.

mod diagnostic;
mod position;
mod schema;
mod suggest;
mod walk;

use std::ops::Range;

use keyward_core::route::{self, GatewayFile};
use serde::Deserialize as _;
use toml::de::DeTable;

pub use diagnostic::Diagnostic;

use position::Lines;
use walk::Walk;

/// What is known of a file after reading it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The configuration; none when there is an error.
    pub file: Option<GatewayFile>,
    /// Errors and warnings, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a configuration that must be valid; warnings are dropped.
///
/// # Errors
/// Everything that is wrong, warnings included, in the order of the text.
pub fn load(text: &str, file_name: &str) -> Result<GatewayFile, Vec<Diagnostic>> {
    let Checked { file, diagnostics } = check(text, file_name);
    file.ok_or(diagnostics)
}

/// Reads a configuration and says everything about it. `file_name` is only for the messages.
#[must_use]
pub fn check(text: &str, file_name: &str) -> Checked {
    let lines = Lines::new(text);
    let place = |span: &Range<usize>, field: &str, message: &str, fix: &str, warning: bool| {
        let (line, column) = lines.position(span.start);
        Diagnostic {
            file: file_name.to_owned(),
            line,
            column,
            field: field.to_owned(),
            message: message.to_owned(),
            fix: fix.to_owned(),
            warning,
        }
    };

    let (table, syntax_errors) = DeTable::parse_recoverable(text);
    if !syntax_errors.is_empty() {
        let diagnostics = syntax_errors
            .iter()
            .map(|error| {
                let at = error.span().unwrap_or(0..0);
                place(
                    &at,
                    "",
                    &format!("not valid TOML: {}", error.message()),
                    "",
                    false,
                )
            })
            .collect();
        return Checked {
            file: None,
            diagnostics,
        };
    }

    let mut walk = Walk::default();
    let known = walk.file(&table);
    let mut diagnostics: Vec<_> = walk
        .errors
        .iter()
        .map(|error| place(&error.span, &error.field, &error.message, &error.fix, false))
        .collect();
    let file = match GatewayFile::deserialize(toml::Value::Table(known)) {
        Ok(file) => {
            let findings = route::check(&file);
            // Where a misspelt table is the reason that there is no route, one error is enough.
            let caused = |field: &str| field == "route" && !walk.errors.is_empty();
            diagnostics.extend(
                findings
                    .iter()
                    .filter(|finding| !caused(&finding.field))
                    .map(|finding| {
                        let span = walk.span_of(&finding.field);
                        place(
                            &span,
                            &finding.field,
                            &finding.message,
                            &finding.fix,
                            finding.warning,
                        )
                    }),
            );
            Some(file)
        }
        Err(error) => {
            diagnostics.push(place(&(0..0), "", error.message(), "", false));
            None
        }
    };
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    let valid = diagnostics.iter().all(|diagnostic| diagnostic.warning);
    Checked {
        file: file.filter(|_| valid),
        diagnostics,
    }
}
