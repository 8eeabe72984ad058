//! Rows that fit the terminal.
//!
//! 1. Columns of free text are wrapped between words.
//! 2. If that is not enough, dates lose their time of day, and then the least important columns
//!    are left out, one by one; whoever prints says which.
//! 3. If that is not enough either, words are broken, but for those of the first column.

use comfy_table::{ColumnConstraint, Width};

use super::table::{GAP, bold, cell, empty, readable};

/// Columns of free text: only these are wrapped, so that ids can be copied.
const WRAPPED: [&str; 9] = [
    "NAME",
    "OWNER",
    "LIMITS",
    "NOTE",
    "SCOPES",
    "TARGET",
    "CHANGES",
    "ATTENTION",
    "REASON",
];
/// Columns of times of which the date says enough.
const DATES: [&str; 3] = ["CREATED", "LAST USED", "SUSPENDED"];
/// Columns that a narrow terminal does without, the first of them first.
const SPARED: [&str; 7] = [
    "CREATED",
    "LAST USED",
    "FROM",
    "LIMITS",
    "OWNER",
    "KIND",
    "ENV",
];
/// Narrower than this, free text cannot be read.
const NARROWEST: usize = 10;
/// A word that is longer than a key's id may be broken.
const LONGEST_WORD: usize = 24;

/// Rows under a header, for a terminal of this width.
pub(super) struct Rows<'a> {
    header: Vec<&'a str>,
    rows: Vec<Vec<String>>,
    /// Columns that are left out.
    pub(super) spared: Vec<&'a str>,
    width: Option<usize>,
}

impl<'a> Rows<'a> {
    /// Decides what is shown; `width` is that of the terminal, if it has one.
    pub(super) fn new(header: &[&'a str], rows: &[Vec<String>], width: Option<u16>) -> Self {
        let mut this = Self {
            header: header.to_vec(),
            rows: rows
                .iter()
                .map(|row| row.iter().map(|text| readable(text)).collect())
                .collect(),
            spared: Vec::new(),
            width: width.map(usize::from),
        };
        if !this.fits() {
            this.shorten_dates();
        }
        for column in SPARED {
            if !this.fits() {
                this.spare(column);
            }
        }
        this
    }

    pub(super) fn draw(&self) -> String {
        let mut table = empty(self.width);
        table.set_header(self.header.iter().map(|name| bold(name)));
        for row in &self.rows {
            table.add_row(row.iter().map(|text| cell(text)));
        }
        let whole = self.fits();
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, GAP));
            let name = self.header.get(index).copied().unwrap_or_default();
            if index == 0 || (whole && !WRAPPED.contains(&name)) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            } else if whole {
                let narrowest = self.narrowest(index, name) + usize::from(GAP);
                let narrowest = u16::try_from(narrowest).unwrap_or_default();
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(narrowest)));
            }
        }
        table.trim_fmt()
    }

    fn fits(&self) -> bool {
        let Some(width) = self.width else { return true };
        let columns = self.header.iter().enumerate();
        let needed = columns.map(|(index, name)| self.narrowest(index, name) + usize::from(GAP));
        needed.sum::<usize>() <= width
    }

    /// The width below which a column's words, or if it is not wrapped its cells, are broken.
    fn narrowest(&self, index: usize, name: &str) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(index));
        let widest = if WRAPPED.contains(&name) {
            let words = cells.flat_map(|text| text.split(' ').map(|word| word.chars().count()));
            let longest = words.max().unwrap_or_default().min(LONGEST_WORD);
            let whole = self.rows.iter().filter_map(|row| row.get(index));
            let whole = whole.map(|text| text.chars().count()).max();
            longest.max(NARROWEST.min(whole.unwrap_or_default()))
        } else {
            cells
                .map(|text| text.chars().count())
                .max()
                .unwrap_or_default()
        };
        widest.max(name.chars().count())
    }

    fn shorten_dates(&mut self) {
        for row in &mut self.rows {
            for (name, text) in self.header.iter().zip(row) {
                if DATES.contains(name)
                    && let Some((date, _)) = text.split_once(' ')
                {
                    *text = date.to_owned();
                }
            }
        }
    }

    fn spare(&mut self, column: &str) {
        let Some(index) = self.header.iter().position(|name| *name == column) else {
            return;
        };
        self.spared.push(self.header.remove(index));
        for row in &mut self.rows {
            if index < row.len() {
                row.remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "key_0123456789ABCDEFGHIJ";
    const TIME: &str = "2026-11-21T09:49:37.123Z";
    const LONG: &str = "a name of many words that goes on and on";

    fn drawn<'a>(header: &[&'a str], row: &[&str], width: u16) -> (String, Vec<&'a str>) {
        let row = row.iter().map(|text| (*text).to_owned()).collect();
        let rows = Rows::new(header, &[row], Some(width));
        let text = rows.draw();
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.unwrap() <= usize::from(width), "{width}\n{text}");
        (text, rows.spared)
    }

    #[test]
    fn a_table_fits_the_terminal_and_keeps_its_ids_whole() {
        let header = [
            "ID",
            "PROJECT",
            "NAME",
            "KIND",
            "ENV",
            "STATUS",
            "OWNER",
            "CREATED",
            "ATTENTION",
        ];
        let row = [
            ID,
            "acme",
            LONG,
            "private",
            "live",
            "suspended",
            LONG,
            TIME,
            "unused, unrestricted",
        ];
        for (width, spared) in [
            (80, &["CREATED", "OWNER", "KIND"][..]),
            (100, &["CREATED"]),
            (120, &[]),
            (200, &[]),
        ] {
            let (text, found) = drawn(&header, &row, width);
            assert_eq!(found, spared, "{width}");
            for whole in [ID, "suspended", "unrestricted"] {
                assert!(text.contains(whole), "{width}\n{text}");
            }
        }
        let (wide, _) = drawn(&header, &row, 220);
        assert!(wide.contains("2026-11-21 09:49:37Z"), "{wide}");
        assert_eq!(wide.lines().count(), 2);
        let (text, _) = drawn(&header, &row, 40);
        assert!(text.contains(ID), "{text}");
    }

    #[test]
    fn when_something_happened_is_never_spared() {
        let header = ["AT", "ACTION", "TARGET", "BY", "FROM", "CHANGES"];
        let (text, spared) = drawn(
            &header,
            &[TIME, "key.update", ID, ID, "203.0.113.7", LONG],
            100,
        );
        assert!(text.contains("2026-11-21 09:49:37Z"), "{text}");
        assert_eq!(
            (spared.as_slice(), text.matches(ID).count()),
            (&["FROM"][..], 2)
        );
    }
}
