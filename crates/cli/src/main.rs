//! The `keyward` command.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 usage. Data goes to standard output, everything
//! said about it to standard error. Keys that call the management API come from the environment
//! only: arguments can be read by every process of the machine.
#![forbid(unsafe_code)]

mod cli;
mod client;
mod clock;
mod commands;
mod confirm;
mod failure;
mod file;
mod mistyped;
mod model;
mod output;
mod progress;
mod punycode;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| mistyped::exit(&error));
    let output = Output::detect(cli.json);
    match cli.command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(&output);
            ExitCode::from(failure.exit_code())
        }
    }
}
