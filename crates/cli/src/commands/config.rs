//! `keyward config check`: what is wrong with a gateway.toml, where, and what to write instead.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use keyward_config::{Checked, Diagnostic};
use owo_colors::OwoColorize as _;

use crate::failure::Failure;
use crate::output::Output;

/// `keyward config …`
#[derive(Subcommand)]
pub(crate) enum Config {
    /// Check gateway.toml: line, column, what is wrong and how to fix it
    Check(Check),
}

const AFTER_HELP: &str = "\
Examples:
  keyward config check
  keyward config check deploy/gateway.toml --deny-warnings

Exit codes: 0 valid, 1 an error (or, with --deny-warnings, a warning), 2 the file cannot be read";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Check {
    /// The file
    #[arg(default_value = "gateway.toml")]
    file: PathBuf,

    /// Take warnings as errors
    #[arg(long)]
    deny_warnings: bool,
}

impl Config {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let Self::Check(check) = self;
        check.run(output)
    }
}

impl Check {
    fn run(&self, output: &Output) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Failure::Usage(format!("{name} cannot be read: {error}")))?;
        let Checked { file, diagnostics } = keyward_config::check(&text, &name);
        if output.json {
            let answer = serde_json::json!({ "valid": file.is_some(), "diagnostics": diagnostics });
            output.data(&answer.to_string())?;
        } else {
            for diagnostic in &diagnostics {
                let shown = if output.terminal {
                    picture(diagnostic, &text)
                } else {
                    diagnostic.to_string()
                };
                output.data(&shown)?;
            }
        }
        let warnings = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.warning)
            .count();
        let errors = diagnostics.len().saturating_sub(warnings);
        match file {
            None => Err(Failure::Failed(format!(
                "{name} is not valid: {}",
                counted(errors, "error")
            ))),
            Some(_) if self.deny_warnings && warnings > 0 => Err(Failure::Failed(format!(
                "{name}: {}",
                counted(warnings, "warning")
            ))),
            Some(file) => {
                output.say(&format!(
                    "{name} is valid: {}",
                    counted(file.routes.len(), "route")
                ));
                Ok(())
            }
        }
    }
}

/// The diagnostic with its line of the file and a mark under the place.
fn picture(diagnostic: &Diagnostic, text: &str) -> String {
    let Diagnostic {
        file,
        line,
        column,
        field,
        message,
        fix,
        warning,
    } = diagnostic;
    let severity = if *warning {
        "warning".yellow().bold().to_string()
    } else {
        "error".red().bold().to_string()
    };
    let separator = if field.is_empty() { "" } else { ": " };
    let mut picture = format!("{severity}: {}{separator}{message}\n", field.bold());
    let margin = " ".repeat(line.to_string().len());
    let source = text
        .lines()
        .nth(line.saturating_sub(1))
        .unwrap_or_default()
        .replace('\t', " ");
    let _ = writeln!(picture, "{margin}{} {file}:{line}:{column}", "-->".blue());
    let _ = writeln!(picture, "{} {} {source}", line.blue(), "|".blue());
    let _ = writeln!(
        picture,
        "{margin} {} {}{}",
        "|".blue(),
        " ".repeat(column.saturating_sub(1)),
        "^".red().bold()
    );
    if !fix.is_empty() {
        let _ = writeln!(picture, "{margin} {} {fix}", "= fix:".green());
    }
    picture.push('\n');
    picture
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}
