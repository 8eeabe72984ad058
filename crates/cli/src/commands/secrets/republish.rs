//! `keyward secrets republish`

use clap::Args;

use super::deployment::{self, Deployment};
use super::status;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, plain};

const AFTER_HELP: &str = "\
Examples:
  keyward secrets republish

Keys keep working while it goes on. It goes on by itself when this command is stopped; `keyward
secrets status --watch` waits for it again.";

/// Write all records again, under the current entry
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Republish {
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
}

impl Republish {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let client = Client::from_environment()?;
        let projects = deployment::projects(&client)?;
        let mut deployment = Deployment::republish(&client, &projects)?;
        if !self.no_wait {
            deployment = status::wait(&client, deployment, output)?;
        }
        status::show(&deployment, output)?;
        for entry in deployment
            .entries
            .iter()
            .filter(|entry| entry.state == "in_force")
        {
            let id = plain(&entry.id);
            output.say(&match &entry.droppable_at {
                Some(time) if status::is_past(time) => {
                    format!("{id} can go:  keyward secrets drop {id}")
                }
                Some(time) => format!(
                    "{id} can go from {} on:  keyward secrets drop {id}",
                    plain(time)
                ),
                None => format!(
                    "{id} is still needed; `keyward secrets status` says from when it can go."
                ),
            });
        }
        Ok(())
    }
}
