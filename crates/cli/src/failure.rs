//! Why a command did not do what was asked, and the exit code for it.

use std::fmt::Write as _;
use std::io;

use owo_colors::OwoColorize as _;
use serde::Deserialize;

use crate::output::{Output, plain};

/// A command's failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line or the environment is not right; nothing was tried.
    #[error("{0}")]
    Usage(String),
    /// The management API said no.
    #[error("{}", .0.title)]
    Refused(Box<Problem>),
    /// It was tried and did not work.
    #[error("{0}")]
    Failed(String),
}

/// A problem document (RFC 9457) of the management API.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Problem {
    pub(crate) title: String,
    pub(crate) status: u16,
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) detail: String,
    #[serde(default)]
    pub(crate) fix: String,
    #[serde(default)]
    pub(crate) request_id: String,
    #[serde(default)]
    pub(crate) errors: Vec<FieldProblem>,
    /// The document as it came.
    #[serde(skip)]
    pub(crate) text: String,
}

/// One field that is wrong.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FieldProblem {
    pub(crate) field: String,
    pub(crate) detail: String,
}

impl Failure {
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Failed(_) => 1,
            Self::Usage(_) => 2,
        }
    }

    /// Writes it to standard error; with `--json`, a problem document as it came.
    pub(crate) fn report(&self, output: &Output) {
        let text = match self {
            Self::Refused(problem) if output.json => problem.text.clone(),
            Self::Refused(problem) => problem.describe(),
            Self::Usage(message) | Self::Failed(message) => {
                format!("{} {message}", "error:".red().bold())
            }
        };
        output.say(&text);
    }
}

impl Problem {
    fn describe(&self) -> String {
        let mut text = format!("{} {}", "error:".red().bold(), plain(&self.title));
        let _ = write!(
            text,
            " {}",
            format!("({} {})", self.status, plain(&self.code)).dimmed()
        );
        if !self.detail.is_empty() {
            let _ = write!(text, "\n  {}", plain(&self.detail));
        }
        for error in &self.errors {
            let _ = write!(
                text,
                "\n  {}: {}",
                plain(&error.field).yellow(),
                plain(&error.detail)
            );
        }
        if !self.fix.is_empty() {
            let _ = write!(text, "\n  {} {}", "fix:".green(), plain(&self.fix));
        }
        if !self.request_id.is_empty() {
            let _ = write!(
                text,
                "\n  {}",
                format!("request id {}", plain(&self.request_id)).dimmed()
            );
        }
        text
    }
}

/// Standard input or output is gone.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
