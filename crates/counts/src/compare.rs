//! Whether counts are what the baseline says.

use std::collections::BTreeSet;
use std::fmt;

use comfy_table::{CellAlignment, Table, presets};

use crate::baseline::Baseline;

/// How much a count may differ, in percent, where the compiler is that of the baseline.
const TOLERANCE: f64 = 3.0;
/// Where it is another one: code generation moves counts by as much by itself, but a function that
/// has become much more work must not pass because somebody has a newer compiler.
const TOLERANCE_OF_ANOTHER: f64 = 25.0;

/// Counts beside those of the baseline.
pub(crate) struct Comparison {
    rows: Vec<Row>,
    rustc: [String; 2],
}

struct Row {
    name: String,
    saved: Option<u64>,
    now: Option<u64>,
}

impl Row {
    /// In percent of the baseline; none where one of the two is missing.
    fn change(&self) -> Option<f64> {
        let (saved, now) = (self.saved? as f64, self.now? as f64);
        Some((now - saved) / saved.max(1.0) * 100.0)
    }

    fn holds(&self, tolerance: f64) -> bool {
        self.change()
            .is_some_and(|change| change.abs() <= tolerance)
    }
}

impl Comparison {
    pub(crate) fn of(saved: &Baseline, now: &Baseline) -> Self {
        let (old, new) = (&saved.instructions, &now.instructions);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let row = |name: &String| Row {
            name: name.clone(),
            saved: old.get(name).copied(),
            now: new.get(name).copied(),
        };
        Self {
            rows: names.into_iter().map(row).collect(),
            rustc: [saved.rustc.clone(), now.rustc.clone()],
        }
    }

    /// Whether there is something to compare, and nothing differs by more than it may.
    pub(crate) fn holds(&self) -> bool {
        !self.rows.is_empty() && self.failing().is_empty()
    }

    /// What to do when it does not hold.
    pub(crate) fn advice(&self) -> String {
        format!(
            "not within {} % of the baseline: {}. If that is meant, write a new one with `npm run bench:core -- --save`.",
            self.tolerance(),
            self.failing().join(", ")
        )
    }

    fn failing(&self) -> Vec<&str> {
        let failing = self.rows.iter().filter(|row| !row.holds(self.tolerance()));
        failing.map(|row| row.name.as_str()).collect()
    }

    fn tolerance(&self) -> f64 {
        let [saved, now] = &self.rustc;
        if saved == now {
            TOLERANCE
        } else {
            TOLERANCE_OF_ANOTHER
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header([
            "function",
            "instructions",
            "baseline",
            "change, %",
        ]);
        for row in &self.rows {
            let count =
                |count: Option<u64>| count.map_or("none".to_owned(), |count| count.to_string());
            let change = row
                .change()
                .map_or(String::new(), |change| format!("{change:+.2}"));
            table.add_row([row.name.clone(), count(row.now), count(row.saved), change]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let [saved, now] = &self.rustc;
        writeln!(formatter, "{table}\n")?;
        write!(formatter, "{now}. Tolerance {} %", self.tolerance())?;
        if saved != now {
            write!(
                formatter,
                ": the baseline was made by another compiler, {saved}"
            )?;
        }
        write!(formatter, ".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Counts;

    fn baseline(rustc: &str, counts: &[(&str, u64)]) -> Baseline {
        let counts = counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count));
        Baseline {
            rustc: rustc.to_owned(),
            instructions: Counts::from_iter(counts),
        }
    }

    #[test]
    fn a_change_beyond_the_tolerance_fails_in_either_direction() {
        let saved = baseline("a", &[("f", 1000), ("g", 1000)]);
        for (count, holds) in [(970, true), (1030, true), (969, false), (1031, false)] {
            let comparison = Comparison::of(&saved, &baseline("a", &[("f", 1000), ("g", count)]));
            assert_eq!(comparison.holds(), holds, "{count}");
            assert_eq!(comparison.advice().contains(": g. "), !holds);
        }
    }

    #[test]
    fn another_compiler_may_differ_more_but_not_by_anything() {
        let saved = baseline("a", &[("f", 1000)]);
        for (count, holds) in [(1250, true), (750, true), (1251, false), (749, false)] {
            let comparison = Comparison::of(&saved, &baseline("b", &[("f", count)]));
            assert_eq!(comparison.holds(), holds, "{count}");
            assert!(comparison.to_string().contains("another compiler, a."));
        }
    }

    #[test]
    fn a_function_without_a_baseline_fails_and_so_does_the_reverse() {
        let (one, two) = (
            baseline("a", &[("f", 1)]),
            baseline("a", &[("f", 1), ("g", 1)]),
        );
        assert!(!Comparison::of(&one, &two).holds());
        assert!(!Comparison::of(&two, &one).holds());
        assert!(!Comparison::of(&baseline("a", &[]), &baseline("a", &[])).holds());
    }
}
