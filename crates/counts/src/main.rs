//! Counts the instructions of the core's functions on this machine's processor, and compares them
//! with the baseline, `crates/counts/baseline.toml`.
//!
//! 1. Each function runs in a process of its own under valgrind's callgrind: prepared, warmed, then
//!    run once, and only that is counted. The same binary gives the same counts, however busy the
//!    machine is.
//! 2. The environment is empty, and the C library is told to leave out what only newer processors
//!    have, so that other machines count the same.
//! 3. A count that differs from the baseline by more than the tolerance fails, in either direction:
//!    an improvement that is not saved would hide the next loss. So does a function without a
//!    baseline, and a baseline without a function.
//!
//! The counts are those of native code, compiled with the profile of the gateway. They say how much
//! work a function is and when that changes, not how long WebAssembly takes for it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a function that cannot be prepared is a mistake of this tool: it stops"
)]

mod baseline;
mod compare;
mod functions;
mod scene;
mod valgrind;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use self::baseline::{Baseline, Counts};
use self::compare::Comparison;

/// Counts the instructions of the core's functions, and compares them with the baseline.
#[derive(Parser)]
struct Arguments {
    /// Write the counts into the baseline.
    #[arg(long)]
    save: bool,
    /// The baseline to compare with.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.toml"))]
    baseline: PathBuf,
    /// Only functions whose names begin with this.
    #[arg(long, default_value = "", conflicts_with = "save")]
    only: String,
    /// Runs one function: what valgrind is given to do.
    #[arg(long, hide = true)]
    run: Option<String>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(name) = arguments.run {
        let function = functions::all().find(|function| function.name == name);
        (function.context("there is no such function")?.run)();
        return Ok(ExitCode::SUCCESS);
    }
    let now = counted(&arguments.only)?;
    if arguments.save {
        now.write(&arguments.baseline)?;
        println!("{}", Comparison::of(&now, &now));
        return Ok(ExitCode::SUCCESS);
    }
    let saved = Baseline::read(&arguments.baseline)?.beginning_with(&arguments.only);
    let comparison = Comparison::of(&saved, &now);
    println!("{comparison}");
    if comparison.holds() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: {}", comparison.advice());
    Ok(ExitCode::FAILURE)
}

/// Counts every function whose name begins so. Where the standard error is no terminal, no progress
/// is shown.
fn counted(beginning: &str) -> Result<Baseline> {
    let style = ProgressStyle::with_template("{msg:>32} {wide_bar} {pos}/{len}")?;
    let wanted = functions::all().filter(|function| function.name.starts_with(beginning));
    let wanted: Vec<_> = wanted.collect();
    let bar = ProgressBar::new(wanted.len() as u64).with_style(style);
    let mut instructions = Counts::new();
    for function in wanted {
        bar.set_message(function.name);
        instructions.insert(function.name.to_owned(), valgrind::count(function.name)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Baseline {
        rustc: valgrind::rustc()?,
        instructions,
    })
}
