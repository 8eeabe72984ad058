//! One thing to say about a file.

use std::fmt;

use serde::Serialize;

/// An error or a warning, with its place and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The file's name, as the caller gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The field, such as `route[0].origin`; empty when the text is not TOML.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead; may be empty.
    pub fix: String,
    /// Whether the gateway works nevertheless.
    pub warning: bool,
}

/// `gateway.toml:12:10: error: route[0].origin: …`, and the fix on a line of its own.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.warning { "warning" } else { "error" };
        write!(
            f,
            "{}:{}:{}: {severity}: ",
            self.file, self.line, self.column
        )?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        if !self.fix.is_empty() {
            write!(f, "\n  fix: {}", self.fix)?;
        }
        Ok(())
    }
}
