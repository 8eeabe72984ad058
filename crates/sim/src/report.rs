//! What runs have shown, as tables or as JSON.

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::counts::{Counts, Tally};
use crate::keys::Class;
use crate::prices::Prices;
use crate::scenario::Scenario;

/// One run.
#[derive(Serialize)]
pub(crate) struct Row {
    name: String,
    adapts: bool,
    isolates: u32,
    minutes: f64,
    calls: u64,
    over_admitted: u64,
    /// Of keys that are allowed more than they are called for.
    slack: Share,
    /// Of keys that are allowed half of that.
    tight: Share,
    unavailable_percent: f64,
    waited_percent: f64,
    asks_per_million_calls: f64,
    fewest_asks_per_million_calls: f64,
    rows_per_million_calls: f64,
    busiest_meter_asks_per_s: f64,
    /// While its isolates start, and in the minute after that.
    start_asks_per_s: [f64; 2],
    revocation_ms: Delay,
    revocation_eventual_ms: Delay,
    dollars_per_million_calls: f64,
    dollars_without_meters: f64,
}

/// What became of the calls of a class of keys.
#[derive(Serialize)]
struct Share {
    refused_percent: f64,
    wrongly_refused_percent: f64,
    /// Of what an all-knowing counter lets through.
    let_through_percent: f64,
}

/// How long after a change isolates went by what was before.
#[derive(Serialize)]
struct Delay {
    p50: u64,
    p99: u64,
    longest: u64,
}

impl Row {
    /// The figures of a run.
    pub(crate) fn of(mut counts: Counts, scenario: &Scenario, prices: &Prices) -> Self {
        let sum = counts.sum();
        let million = |part: u64| part as f64 / sum.calls.max(1) as f64 * 1e6;
        let (asks, rows) = (million(counts.asks), million(counts.rows));
        Self {
            name: scenario.name.clone(),
            adapts: scenario.bears < u64::MAX,
            isolates: scenario.isolates,
            minutes: scenario.seconds as f64 / 60.0,
            calls: sum.calls,
            over_admitted: counts.over,
            slack: Share::of(*counts.of(Class::Slack)),
            tight: Share::of(*counts.of(Class::Tight)),
            unavailable_percent: percent(sum.unavailable, sum.calls),
            waited_percent: percent(counts.waited, sum.calls),
            asks_per_million_calls: asks,
            fewest_asks_per_million_calls: million(counts.needed),
            rows_per_million_calls: rows,
            busiest_meter_asks_per_s: counts.busiest as f64 / 10.0,
            start_asks_per_s: [counts.busiest_at_start, counts.busiest_between]
                .map(|asks| asks as f64 / 10.0),
            revocation_ms: Delay::of(&mut counts.strict),
            revocation_eventual_ms: Delay::of(&mut counts.eventual),
            dollars_per_million_calls: prices.metered(asks, rows),
            dollars_without_meters: prices.bare(),
        }
    }
}

impl Share {
    fn of(tally: Tally) -> Self {
        Self {
            refused_percent: percent(tally.refused, tally.calls),
            wrongly_refused_percent: percent(tally.wrongly, tally.calls),
            let_through_percent: percent(tally.passed, tally.ideal),
        }
    }
}

impl Delay {
    fn of(delays: &mut [u64]) -> Self {
        delays.sort_unstable();
        let last = delays.len().saturating_sub(1);
        let at = |share: f64| {
            let delay = delays.get((last as f64 * share) as usize);
            delay.copied().unwrap_or(0) / 1000
        };
        Self {
            p50: at(0.5),
            p99: at(0.99),
            longest: at(1.0),
        }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// Prints the runs: those with many keys, and those with a hot one.
pub(crate) fn print(growth: &[Row], hot: &[Row], json: bool) -> Result<()> {
    if json {
        let all = serde_json::json!({ "growth": growth, "hot": hot });
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    println!("{}", growth_table(growth));
    if !hot.is_empty() {
        println!("\nOne key in all isolates at once, each calling once a second:\n");
        println!("{}", hot_table(hot));
    }
    Ok(())
}

type Cell<'a> = (&'a str, &'a dyn Fn(&Row) -> String);

fn growth_table(rows: &[Row]) -> Table {
    let delay = |delay: &Delay| format!("{} / {} / {}", delay.p50, delay.p99, delay.longest);
    let lines: [Cell<'_>; 22] = [
        ("isolates", &|row| row.name.clone()),
        ("minutes", &|row| format!("{:.1}", row.minutes)),
        ("calls", &|row| row.calls.to_string()),
        ("let through over a limit", &|row| {
            row.over_admitted.to_string()
        }),
        ("keys with slack", &|_| String::new()),
        ("  refused, % of calls", &|row| {
            format!("{:.4}", row.slack.refused_percent)
        }),
        ("  wrongly, % of calls", &|row| {
            format!("{:.4}", row.slack.wrongly_refused_percent)
        }),
        ("tight keys", &|_| String::new()),
        ("  refused, % of calls", &|row| {
            format!("{:.2}", row.tight.refused_percent)
        }),
        ("  wrongly, % of calls", &|row| {
            format!("{:.2}", row.tight.wrongly_refused_percent)
        }),
        ("  let through, % of an all-knowing counter", &|row| {
            format!("{:.2}", row.tight.let_through_percent)
        }),
        ("meter not reached, % of calls", &|row| {
            format!("{:.4}", row.unavailable_percent)
        }),
        ("waited for a meter, % of calls", &|row| {
            format!("{:.2}", row.waited_percent)
        }),
        ("asks per million calls", &|row| {
            format!("{:.0}", row.asks_per_million_calls)
        }),
        ("  if each isolate asked once in 10 s", &|row| {
            format!("{:.0}", row.fewest_asks_per_million_calls)
        }),
        ("rows written per million calls", &|row| {
            format!("{:.0}", row.rows_per_million_calls)
        }),
        ("busiest meter, asks/s over 10 s", &|row| {
            format!("{:.1}", row.busiest_meter_asks_per_s)
        }),
        ("revocation, p50 / p99 / longest ms", &|row| {
            delay(&row.revocation_ms)
        }),
        ("  where it may be eventual", &|row| {
            delay(&row.revocation_eventual_ms)
        }),
        ("US dollars per million calls", &|row| {
            format!("{:.2}", row.dollars_per_million_calls)
        }),
        ("  without meters", &|row| {
            format!("{:.2}", row.dollars_without_meters)
        }),
        ("  what meters add, %", &|row| {
            let added = row.dollars_per_million_calls / row.dollars_without_meters - 1.0;
            format!("{:.0}", added * 100.0)
        }),
    ];
    let mut table = table();
    for (title, cell) in lines {
        let cells = rows.iter().map(cell);
        table.add_row(std::iter::once(title.to_owned()).chain(cells));
    }
    table
}

fn hot_table(rows: &[Row]) -> Table {
    let mut table = table();
    table.set_header([
        "limit",
        "adapts",
        "asks/s of the meter: start",
        "then",
        "steady",
        "asks per million calls",
        "over",
        "refused %",
        "of all-knowing %",
        "waited %",
        "revocation, longest ms",
    ]);
    for row in rows {
        let share = if row.name.starts_with("half") {
            &row.tight
        } else {
            &row.slack
        };
        table.add_row([
            row.name.clone(),
            if row.adapts { "yes" } else { "no" }.to_owned(),
            format!("{:.0}", row.start_asks_per_s[0]),
            format!("{:.0}", row.start_asks_per_s[1]),
            format!("{:.0}", row.busiest_meter_asks_per_s),
            format!("{:.0}", row.asks_per_million_calls),
            row.over_admitted.to_string(),
            format!("{:.2}", share.refused_percent),
            format!("{:.2}", share.let_through_percent),
            format!("{:.2}", row.waited_percent),
            row.revocation_ms.longest.to_string(),
        ]);
    }
    table
}

fn table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}
