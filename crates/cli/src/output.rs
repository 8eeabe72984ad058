//! What a command prints: tables and colours for people, plain rows for programs.

use std::io::{self, IsTerminal as _, Write as _};

use anstream::ColorChoice;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table};

use crate::failure::Failure;

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

    /// A remark, to standard error; whether it arrives changes nothing.
    pub(crate) fn say(&self, text: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Rows: a table on a terminal, else tab-separated and without the header.
    pub(crate) fn rows(&self, header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        if self.terminal {
            return self.data(&table(Some(header), rows));
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.data(&tab_separated(rows))
    }

    /// The fields of one thing, a line each.
    pub(crate) fn fields(&self, fields: &[Vec<String>]) -> Result<(), Failure> {
        self.data(&if self.terminal {
            table(None, fields)
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

/// Columns of free text: only these are wrapped, so that ids can be copied.
const WRAPPED: [&str; 2] = ["NAME", "OWNER"];

fn table(header: Option<&[&str]>, rows: &[Vec<String>]) -> String {
    let coloured = anstream::AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let bold = |text: &str| {
        let cell = Cell::new(text);
        if coloured {
            cell.add_attribute(Attribute::Bold)
        } else {
            cell
        }
    };
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.style_text_only();
    if let Some(header) = header {
        table.set_header(header.iter().map(|name| bold(name)));
    }
    for row in rows {
        let cells = row
            .iter()
            .enumerate()
            .map(|(column, text)| match (header, column) {
                // Without a header the first column holds the fields' names.
                (None, 0) => bold(&plain(text)),
                _ => cell(&plain(text), coloured),
            });
        table.add_row(cells);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        let name = header.and_then(|header| header.get(index));
        if name.map_or(index == 0, |name| !WRAPPED.contains(name)) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

fn cell(text: &str, coloured: bool) -> Cell {
    let colour = match text {
        "active" => Color::DarkGreen,
        "disabled" | "suspended" => Color::DarkYellow,
        "revoked" | "deleted" => Color::DarkRed,
        _ => Color::Reset,
    };
    let cell = Cell::new(text);
    if coloured && colour != Color::Reset {
        cell.fg(colour)
    } else {
        cell
    }
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
