//! Simulates many isolates, keys and meters, with the gateway's own code on both sides of a lease.
//!
//! Everything follows from the seed: the same arguments print the same figures. What is simulated
//! is the traffic, the network and the clocks; [`Holder`] and [`Meter`] are those that run at the
//! edge. `docs/simulation.md` says what the figures mean.
//!
//! [`Holder`]: keyward_core::lease::holder::Holder
//! [`Meter`]: keyward_core::lease::meter::Meter

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what cannot be is a mistake of the simulation itself: it stops"
)]

mod audit;
mod counts;
mod keys;
mod mix;
mod prices;
mod report;
mod scenario;
mod world;

use anyhow::Result;
use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};

use self::prices::Prices;
use self::report::Row;
use self::scenario::{Arguments, Scenario};

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let prices = Prices::read(arguments.prices.as_deref())?;
    let run = |scenario: &Scenario| row(scenario, &arguments, &prices);
    let growth = arguments.isolates.iter();
    let growth = growth.map(|isolates| run(&arguments.growth(*isolates)));
    let growth = growth.collect::<Result<Vec<_>>>()?;
    let hot = match arguments.hot {
        0 => Vec::new(),
        _ => arguments.hot().iter().map(run).collect::<Result<_>>()?,
    };
    report::print(&growth, &hot, arguments.json)
}

/// Runs a scenario. Where the standard error is no terminal, no progress is shown.
fn row(scenario: &Scenario, arguments: &Arguments, prices: &Prices) -> Result<Row> {
    let style = ProgressStyle::with_template("{msg:>16} {wide_bar} {percent:>3} % {eta:>5}")?;
    let bar = ProgressBar::new(scenario.seconds).with_style(style);
    bar.set_message(scenario.name.clone());
    let mut world = scenario.world(arguments);
    for second in 1..=scenario.seconds {
        world.run_until(second * 1_000_000);
        bar.set_position(second);
    }
    bar.finish_and_clear();
    Ok(Row::of(world.finish(), scenario, prices))
}
