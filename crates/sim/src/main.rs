//! Simulates many isolates, keys and meters, with the gateway's own code on both sides of a lease.
//!
//! Everything follows from the seed: the same arguments print the same figures. What is simulated
//! is the traffic, the network and the clocks; [`Holder`] and [`Meter`] are those that run at the
//! edge.
//!
//! [`Holder`]: keyward_core::lease::holder::Holder
//! [`Meter`]: keyward_core::lease::meter::Meter

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what cannot be is a mistake of the simulation itself: it stops"
)]

mod audit;
mod keys;
mod prices;
mod report;
mod world;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use self::prices::Prices;
use self::report::Row;
use self::world::World;

/// Simulates isolates, keys and meters with the gateway's own code, and checks every call that was
/// let through against its limit
#[derive(Parser)]
#[command(name = "keyward-sim", version)]
struct Arguments {
    /// Numbers of isolates, a run for each
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000,10000")]
    isolates: Vec<u32>,
    /// Number of keys
    #[arg(long, default_value_t = 100_000)]
    keys: u32,
    /// Calls a second, of all isolates together
    #[arg(long, default_value_t = 1000.0)]
    calls: f64,
    /// Minutes of simulated time
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Exponent of Zipf's law: how much more often the first keys are used than the rest
    #[arg(long, default_value_t = 1.1)]
    zipf: f64,
    /// Round trips to the meters, shortest and longest, in milliseconds
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], default_values_t = [100, 300])]
    latency: Vec<u64>,
    /// Share of messages that are lost
    #[arg(long, default_value_t = 0.001)]
    loss: f64,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file of prices
    #[arg(long)]
    prices: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let prices = Prices::read(arguments.prices.as_deref())?;
    let style = ProgressStyle::with_template("{msg:>16} {wide_bar} {percent:>3} % {eta:>5}")?;
    let mut rows = Vec::new();
    for &isolates in &arguments.isolates {
        let mut world = World::new(&arguments, isolates);
        let bar = ProgressBar::new(arguments.minutes * 60).with_style(style.clone());
        bar.set_message(format!("{isolates} isolates"));
        for second in 1..=arguments.minutes * 60 {
            world.run_until(second * 1_000_000);
            bar.set_position(second);
        }
        bar.finish_and_clear();
        rows.push(Row::of(world.finish(), isolates, &prices));
    }
    report::print(&rows, arguments.json)
}
