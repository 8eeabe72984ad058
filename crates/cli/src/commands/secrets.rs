//! `keyward secrets …`: the entries of KEYWARD_SECRET, from the first rotation to the last trace.
//!
//! 1. `rotate` puts a new entry first, and the deployment gets the new text.
//! 2. `republish` writes all records under it, and `status` says how far that is.
//! 3. `drop` retires the old entry: it then verifies the form of secrets and nothing else.

mod deployment;
mod drop;
mod entries;
mod place;
mod republish;
mod rotate;
mod status;

use clap::Subcommand;

use crate::failure::Failure;
use crate::output::Output;

/// `keyward secrets …`
#[derive(Subcommand)]
pub(crate) enum Secrets {
    /// Put a fresh entry first in KEYWARD_SECRET
    Rotate(rotate::Rotate),
    /// Say which entries are in use, and from when an old one can go
    Status(status::Status),
    /// Write all records again, under the current entry
    Republish(republish::Republish),
    /// Retire an entry of KEYWARD_SECRET, or take it out
    Drop(drop::Drop),
}

impl Secrets {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Rotate(command) => command.run(output),
            Self::Status(command) => command.run(output),
            Self::Republish(command) => command.run(output),
            Self::Drop(command) => command.run(output),
        }
    }
}
