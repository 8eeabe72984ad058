//! `keyward audit …`: who changed what, when and from where.

mod entry;
mod export;
mod list;

use clap::{Args, Subcommand};
use keyward_core::time::Millis;

use super::in_project::MaybeProject;
use crate::clock;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward audit --project acme --since 24h
  keyward audit --project acme --key key_0123456789ABCDEFGHIJ --all
  keyward audit --account --action management_key.create
  keyward audit export --project acme --output audit.ndjson

Entries are newest first. A project's log has its keys, owners and environments; the account's
log has projects and management keys.";

/// `keyward audit …`
#[derive(Args)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: list::List,
}

#[derive(Subcommand)]
enum Command {
    /// Write the whole log as JSON lines, oldest first
    Export(export::Export),
}

/// Whose log.
#[derive(Args)]
struct Log {
    #[command(flatten)]
    project: MaybeProject,

    /// The account's log, also when KEYWARD_PROJECT is set
    #[arg(long, conflicts_with = "project")]
    account: bool,
}

/// Which part of time.
#[derive(Args)]
struct Period {
    /// Only entries from then on: how long ago, as in 24h, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = clock::past)]
    since: Option<Millis>,

    /// Only entries before then: how long ago, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = clock::past)]
    until: Option<Millis>,
}

impl Audit {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self.command {
            None => self.list.run(output),
            Some(Command::Export(export)) => export.run(output),
        }
    }
}

impl Log {
    /// The log's address.
    fn path(&self) -> Result<String, Failure> {
        if self.account {
            return Ok("audit".to_owned());
        }
        match self.project.chosen()? {
            Some(project) => Ok(format!("projects/{project}/audit")),
            None => Err(Failure::Usage(
                "name a project with --project or KEYWARD_PROJECT, or say --account".to_owned(),
            )),
        }
    }
}

impl Period {
    fn query(&self) -> Vec<(&'static str, String)> {
        [("since", self.since), ("until", self.until)]
            .into_iter()
            .filter_map(|(name, time)| Some((name, time?.to_string())))
            .collect()
    }
}
