//! A chart of blocks: a line for the calls, one for those refused, and one for the time.
//!
//! Each line has its own scale, because refusals are few where all is well: what its highest
//! block stands for is written behind it. What is not zero is never without a block.

use keyward_core::time::Millis;

use super::counted::{Counted, Counts};

/// From one eighth to a whole.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Narrower than this there is nothing to see.
const NARROWEST: usize = 12;
/// Wider than this a block looks like a wall.
const WIDEST_BLOCK: usize = 6;

/// The lines, for a terminal of this width: calls, refused, time.
pub(super) fn draw(counted: &Counted, width: usize) -> Vec<String> {
    let labels = ["calls", "refused"];
    let label = labels.map(str::len).into_iter().max().unwrap_or_default();
    let grid = Grid::of(counted, 1);
    // What is written behind a line is longest when the blocks stand for most.
    let behind = |grid: &Grid| {
        let [calls, refused] = series(counted, grid);
        [
            remark(counted.total.calls, &calls, counted, grid),
            remark(counted.total.refused(), &refused, counted, grid),
        ]
    };
    let longest = |remarks: &[String; 2]| remarks.iter().map(|text| text.chars().count()).max();
    let room = |remarks: &[String; 2]| {
        let used = label + 2 + 2 + longest(remarks).unwrap_or_default();
        width.saturating_sub(used).max(NARROWEST)
    };
    // Fewer columns make longer remarks, so twice.
    let grid = Grid::of(counted, room(&behind(&grid)));
    let grid = Grid::of(counted, room(&behind(&grid)));
    let remarks = behind(&grid);
    let bars = series(counted, &grid).map(|values| grid.bar(&values));
    let mut lines: Vec<_> = labels
        .iter()
        .zip(bars.iter().zip(&remarks))
        .map(|(name, (bar, remark))| format!("{name:label$}  {bar}  {remark}"))
        .collect();
    lines.push(axis(counted, label + 2, grid.columns * grid.block));
    lines
}

/// How spans are put into columns.
struct Grid {
    since: u64,
    /// Milliseconds of a column.
    step: u64,
    /// Spans of a column.
    spans: u64,
    columns: usize,
    /// Characters of a column.
    block: usize,
}

impl Grid {
    /// That of at most so many characters.
    fn of(counted: &Counted, room: usize) -> Self {
        let span = counted.by.millis();
        let range = counted.until.0.since(counted.since.0).max(1);
        let all = range.div_ceil(span);
        let spans = all.div_ceil(u64::try_from(room).unwrap_or(u64::MAX).max(1));
        let columns = usize::try_from(all.div_ceil(spans)).unwrap_or(room).max(1);
        Self {
            since: counted.since.0.0,
            step: span.saturating_mul(spans),
            spans,
            columns,
            block: (room / columns).clamp(1, WIDEST_BLOCK),
        }
    }

    fn column(&self, time: Millis) -> Option<usize> {
        let column = time.0.checked_sub(self.since)? / self.step;
        usize::try_from(column).ok()
    }

    fn bar(&self, values: &[u64]) -> String {
        let highest = values.iter().copied().max().unwrap_or_default();
        let column = |value: &u64| block(*value, highest).to_string().repeat(self.block);
        values.iter().map(column).collect()
    }
}

/// Calls and refusals of each column.
fn series(counted: &Counted, grid: &Grid) -> [Vec<u64>; 2] {
    let value = [|counts: &Counts| counts.calls, Counts::refused];
    value.map(|value| {
        let mut columns = vec![0_u64; grid.columns];
        for counts in &counted.spans {
            let column = counts.start.and_then(|start| grid.column(start.0));
            if let Some(sum) = column.and_then(|column| columns.get_mut(column)) {
                *sum = sum.saturating_add(value(counts));
            }
        }
        columns
    })
}

fn block(value: u64, highest: u64) -> char {
    if value == 0 {
        return ' ';
    }
    let eighths = u128::from(value) * 8;
    let height = eighths.div_ceil(u128::from(highest.max(value)));
    let index = usize::try_from(height).unwrap_or(8).saturating_sub(1);
    BLOCKS.get(index).copied().unwrap_or('█')
}

fn remark(total: u64, values: &[u64], counted: &Counted, grid: &Grid) -> String {
    match values.iter().max() {
        Some(highest) if *highest > 0 => {
            format!("{total}  peak {highest}/{}", counted.by.several(grid.spans))
        }
        _ => total.to_string(),
    }
}

/// The first and the last moment, below the ends of the bars.
fn axis(counted: &Counted, indent: usize, width: usize) -> String {
    let moment = |time: Millis| {
        let text = Millis(time.0 / 60_000 * 60_000).to_string();
        text.replace('T', " ").replace(":00Z", "Z")
    };
    let (first, last) = (moment(counted.since.0), moment(counted.until.0));
    let gap = width.saturating_sub(first.len() + last.len()).max(2);
    format!("{:indent$}{first}{:gap$}{last}", "", "")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn counted(since: &str, until: &str, by: &str, spans: &[(&str, u64, u64)]) -> Counted {
        let sum = |value: fn(&(&str, u64, u64)) -> u64| spans.iter().map(value).sum::<u64>();
        let spans: Vec<Value> = spans
            .iter()
            .map(|(start, calls, refused)| {
                json!({"start": start, "calls": calls, "refused": {"rate_limited": refused}})
            })
            .collect();
        from_value(json!({
            "since": since, "until": until, "by": by, "spans": spans,
            "total": {"calls": sum(|span| span.1), "refused": {"rate_limited": sum(|span| span.2)}},
        }))
        .unwrap()
    }

    fn day() -> Counted {
        let spans: Vec<_> = (0..24)
            .map(|hour| {
                let start = format!("2026-11-20T{hour:02}:00:00Z");
                let calls = if (3..6).contains(&hour) {
                    0
                } else {
                    hour * 40 + 1
                };
                (start, calls, u64::from(hour == 23) * 7)
            })
            .collect();
        let spans: Vec<_> = spans
            .iter()
            .map(|(start, calls, refused)| (start.as_str(), *calls, *refused))
            .collect();
        counted(
            "2026-11-20T00:00:00Z",
            "2026-11-21T00:00:00Z",
            "hour",
            &spans,
        )
    }

    #[test]
    fn a_day_is_drawn_as_wide_as_the_terminal_lets_it() {
        let golden = |width| draw(&day(), width).join("\n");
        assert_eq!(
            golden(80),
            [
                "calls    ▁▁▁▁▁▁      ▃▃▃▃▃▃▄▄▄▄▄▄▅▅▅▅▅▅▆▆▆▆▆▆▇▇▇▇▇▇██████  10581  peak 921/h",
                "refused                                                ██  7  peak 7/h",
                "         2026-11-20 00:00Z              2026-11-21 00:00Z",
            ]
            .join("\n")
        );
        assert_eq!(
            golden(40),
            [
                "calls    ▁▁ ▃▄▄▅▆▆▇██  10581  peak 1802/2h",
                "refused             █  7  peak 7/2h",
                "         2026-11-20 00:00Z  2026-11-21 00:00Z",
            ]
            .join("\n")
        );
        assert_eq!(golden(120), [
            "calls    ▁▁▁▁▁▁▁▁▁         ▃▃▃▃▃▃▃▃▃▄▄▄▄▄▄▄▄▄▅▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇▇█████████  10581  peak 921/h",
            "refused                                                                       ███  7  peak 7/h",
            "         2026-11-20 00:00Z                                      2026-11-21 00:00Z",
        ].join("\n"));
    }

    #[test]
    fn nothing_counted_is_an_empty_line() {
        let none = counted(
            "2026-11-20T00:00:00Z",
            "2026-11-20T01:00:00Z",
            "minute",
            &[],
        );
        assert_eq!(
            draw(&none, 80).join("\n"),
            [
                "calls                                                                  0",
                "refused                                                                0",
                "         2026-11-20 00:00Z                          2026-11-20 01:00Z",
            ]
            .join("\n")
        );
    }

    #[test]
    fn what_is_not_zero_has_a_block_and_the_highest_is_whole() {
        assert_eq!(
            [0, 1, 124, 126, 500, 999, 1000].map(|value| block(value, 1000)),
            [' ', '▁', '▁', '▂', '▄', '█', '█']
        );
        assert_eq!((block(1, 1), block(u64::MAX, u64::MAX)), ('█', '█'));
    }

    #[test]
    fn whatever_the_range_is_it_fits() {
        for until in [
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:01Z",
            "2999-01-01T00:00:00Z",
        ] {
            for by in ["minute", "hour", "day"] {
                let spans = [("2500-01-01T00:00:00Z", u64::MAX, 0)];
                let all = counted("1970-01-01T00:00:00Z", until, by, &spans);
                for width in [0, 20, 80, 200] {
                    let lines = draw(&all, width);
                    let widest = lines.iter().map(|line| line.chars().count()).max();
                    assert!(
                        widest.unwrap() <= width.max(90),
                        "{until} {by} {width}: {lines:?}"
                    );
                }
            }
        }
    }
}
