//! What a run has shown, as a table or as JSON.

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::prices::Prices;
use crate::world::Counts;

/// One run.
#[derive(Serialize)]
pub(crate) struct Row {
    isolates: u32,
    calls: u64,
    let_through: u64,
    over_admitted: u64,
    refused: u64,
    wrongly_refused_percent: f64,
    meter_unavailable_percent: f64,
    waited_percent: f64,
    asks_per_million_calls: f64,
    busiest_meter_asks_per_s: f64,
    change_p50_ms: u64,
    change_p99_ms: u64,
    change_longest_ms: u64,
    dollars_per_million_calls: f64,
    dollars_without_meters: f64,
}

impl Row {
    /// The figures of a run.
    pub(crate) fn of(mut counts: Counts, isolates: u32, prices: &Prices) -> Self {
        let share = |part: u64| 100.0 * part as f64 / counts.calls.max(1) as f64;
        let asks = counts.asks as f64 / counts.calls.max(1) as f64 * 1e6;
        counts.changes.sort_unstable();
        let at = |share: f64| {
            let last = counts.changes.len().saturating_sub(1);
            let delay = counts.changes.get((last as f64 * share) as usize);
            delay.copied().unwrap_or(0) / 1000
        };
        Self {
            isolates,
            calls: counts.calls,
            let_through: counts.passed,
            over_admitted: counts.over,
            refused: counts.refused,
            wrongly_refused_percent: share(counts.wrongly),
            meter_unavailable_percent: share(counts.unavailable),
            waited_percent: share(counts.waited),
            asks_per_million_calls: asks,
            busiest_meter_asks_per_s: counts.busiest as f64 / 10.0,
            change_p50_ms: at(0.5),
            change_p99_ms: at(0.99),
            change_longest_ms: at(1.0),
            dollars_per_million_calls: prices.metered(asks),
            dollars_without_meters: prices.bare(),
        }
    }
}

/// Prints the runs.
pub(crate) fn print(rows: &[Row], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(rows)?);
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    let mut line = |title: &str, cell: &dyn Fn(&Row) -> String| {
        let cells = rows.iter().map(cell);
        table.add_row(std::iter::once(title.to_owned()).chain(cells));
    };
    line("isolates", &|row| row.isolates.to_string());
    line("calls", &|row| row.calls.to_string());
    line("let through", &|row| row.let_through.to_string());
    line("let through over a limit", &|row| {
        row.over_admitted.to_string()
    });
    line("refused", &|row| row.refused.to_string());
    line("  wrongly, % of calls", &|row| {
        format!("{:.3}", row.wrongly_refused_percent)
    });
    line("  meter not reached, % of calls", &|row| {
        format!("{:.3}", row.meter_unavailable_percent)
    });
    line("waited for a meter, % of calls", &|row| {
        format!("{:.2}", row.waited_percent)
    });
    line("asks per million calls", &|row| {
        format!("{:.0}", row.asks_per_million_calls)
    });
    line("busiest meter, asks/s over 10 s", &|row| {
        format!("{:.1}", row.busiest_meter_asks_per_s)
    });
    line("a change holds everywhere, p50 ms", &|row| {
        row.change_p50_ms.to_string()
    });
    line("  p99 ms", &|row| row.change_p99_ms.to_string());
    line("  longest ms", &|row| row.change_longest_ms.to_string());
    line("US dollars per million calls", &|row| {
        format!("{:.2}", row.dollars_per_million_calls)
    });
    line("  without meters", &|row| {
        format!("{:.2}", row.dollars_without_meters)
    });
    println!("{table}");
    Ok(())
}
