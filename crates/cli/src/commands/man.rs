//! `keyward man`

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward man | man -l -
  keyward man --output ~/.local/share/man/man1";

/// Write the manual page
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Man {
    /// Write it and a page for each command into this directory
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let Some(directory) = &self.output else {
            let mut page = Vec::new();
            Page::new(Cli::command()).render(&mut page)?;
            return output.bytes(&page);
        };
        fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
            .map_err(|error| Failure::Failed(format!("{}: {error}", directory.display())))?;
        output.say(&format!("The manual pages are in {}.", directory.display()));
        Ok(())
    }
}
