//! What a command prints: tables and colours for people, plain rows for programs.

mod rows;
mod table;

use std::io::{self, IsTerminal as _, Write as _};

use crate::failure::Failure;
use rows::Rows;

/// How to print.
pub(crate) struct Output {
    /// `--json`.
    pub(crate) json: bool,
    /// Whether standard output is a terminal.
    pub(crate) terminal: bool,
}

impl Output {
    pub(crate) fn detect(json: bool) -> Self {
        Self {
            json,
            terminal: io::stdout().is_terminal(),
        }
    }

    /// Data, to standard output. A reader that has seen enough and left is no failure.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = anstream::stdout().lock();
        match writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Bytes as they are, to standard output.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// A remark, to standard error; whether it arrives changes nothing.
    pub(crate) fn say(&self, text: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Rows: a table on a terminal, else tab-separated and without the header.
    pub(crate) fn rows(&self, header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        if self.terminal {
            let rows = Rows::new(header, rows, table::width());
            self.data(&rows.draw())?;
            if !rows.spared.is_empty() {
                self.say(&format!(
                    "The terminal is too narrow for {}.",
                    rows.spared.join(", ")
                ));
            }
            return Ok(());
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.data(&tab_separated(rows))
    }

    /// Rows of a remark, to standard error: a table on a terminal, else tab-separated.
    pub(crate) fn say_rows(&self, header: &[&str], rows: &[Vec<String>]) {
        if io::stderr().is_terminal() {
            self.say(&Rows::new(header, rows, table::width()).draw());
        } else if !rows.is_empty() {
            self.say(&tab_separated(rows));
        }
    }

    /// The width of the terminal; 80 where it is not known.
    pub(crate) fn width(&self) -> usize {
        table::width().map_or(80, usize::from)
    }

    /// The fields of one thing, a line each.
    pub(crate) fn fields(&self, fields: &[Vec<String>]) -> Result<(), Failure> {
        self.data(&if self.terminal {
            table::fields(fields, table::width())
        } else {
            tab_separated(fields)
        })
    }
}

/// Text of strangers without what would steer a terminal or break a row.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn tab_separated(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| {
        row.iter()
            .map(|cell| plain(cell))
            .collect::<Vec<_>>()
            .join("\t")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_named_a_key_steers_no_terminal_and_breaks_no_row() {
        let rows = [vec!["key_1".to_owned(), "a\u{1b}[31m\tb\nc".to_owned()]];
        assert_eq!(
            tab_separated(&rows),
            "key_1\ta\u{fffd}[31m\u{fffd}b\u{fffd}c"
        );
    }
}
