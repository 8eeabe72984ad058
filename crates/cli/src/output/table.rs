//! How tables look.

use std::io;

use anstream::ColorChoice;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table};
use keyward_core::time::Millis;

use super::plain;

/// Between two columns.
pub(super) const GAP: u16 = 2;

/// Fields and their texts, a line each.
pub(super) fn fields(fields: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = empty(width.map(usize::from));
    for field in fields {
        let cells = field.iter().enumerate().map(|(column, text)| match column {
            0 => bold(&plain(text)),
            _ => cell(&plain(text)),
        });
        table.add_row(cells);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP));
        if index == 0 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

/// The width of the terminal.
pub(super) fn width() -> Option<u16> {
    Table::new().width()
}

/// A table without lines, for a terminal of this width.
pub(super) fn empty(width: Option<usize>) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.style_text_only();
    if let Some(width) = width {
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table
}

/// Of a time, what people read.
pub(super) fn readable(text: &str) -> String {
    match text.parse::<Millis>() {
        Ok(Millis(millis)) if text.ends_with('Z') => {
            Millis(millis / 1000 * 1000).to_string().replace('T', " ")
        }
        _ => plain(text),
    }
}

fn coloured() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// A cell with a name.
pub(super) fn bold(text: &str) -> Cell {
    let cell = Cell::new(text);
    if coloured() {
        cell.add_attribute(Attribute::Bold)
    } else {
        cell
    }
}

/// A cell; words for a state have its colour.
pub(super) fn cell(text: &str) -> Cell {
    let colour = match text {
        "active" | "current" => Color::DarkGreen,
        "disabled" | "suspended" | "archived" | "behind" => Color::DarkYellow,
        "revoked" | "deleted" | "missing" | "unreadable" => Color::DarkRed,
        _ => Color::Reset,
    };
    let cell = Cell::new(text);
    if colour != Color::Reset && coloured() {
        cell.fg(colour)
    } else {
        cell
    }
}
