//! `keyward secrets drop`

use clap::Args;
use keyward_core::assertion::LISTED_S;

use super::deployment::Deployment;
use super::entries::Entries;
use super::place::Place;
use super::status;
use crate::client::{self, Client};
use crate::clock;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward secrets drop dev1 --file .dev.vars
  keyward secrets drop 20260301k3f --file production.vars | npx wrangler secret put KEYWARD_SECRET
  keyward secrets drop 20260301k3f --remove --file production.vars

A retired entry verifies the form of the secrets that were minted under it, and nothing else: it
reads and writes no record. For 15 minutes origins still find its public key, so that what it has
signed last is not refused; with --leaked they do not, and refuse it at once. With KEYWARD_URL and
KEYWARD_KEY the projects are asked first whether they still need the entry.";

const LEAKED: &str = "\
What a leaked entry is worth: whoever has it and could write to the deployment's KV could make
records, and can make secrets of a form that the gateway has to look up before it refuses them.
It opens no key by itself. The way out, in this order, and no key is lost:
  1. keyward secrets rotate      another entry is first, and the deployment has it
  2. keyward secrets republish   no record stands under the leaked one any more
  3. keyward secrets drop --leaked <ID>   nothing under it is believed, by origins neither";

/// Retire an entry of KEYWARD_SECRET, or take it out
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Drop {
    /// The entry's id
    id: String,

    #[command(flatten)]
    place: Place,

    /// Take a retired entry out altogether
    #[arg(long)]
    remove: bool,

    /// It has leaked: say what that means and what to do before, and let origins refuse at once what
    /// it signs
    #[arg(long)]
    leaked: bool,

    /// Even if it is still needed
    #[arg(long)]
    force: bool,
}

impl Drop {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        if self.leaked {
            output.say(LEAKED);
        }
        let mut entries = self.place.read()?;
        self.allowed(&entries, output)?;
        let id = &self.id;
        if self.remove {
            entries.remove(id);
            output.say(&format!(
                "{id} is taken out. Keys that were minted under it now work on routes with `imported_keys = true` only."
            ));
        } else {
            let until = clock::now().plus(LISTED_S * 1000);
            entries.retire(id, Some(until).filter(|_| !self.leaked));
            output.say(&format!(
                "{id} is retired: secrets minted under it keep working."
            ));
        }
        self.place.write(&entries, output)
    }

    fn allowed(&self, entries: &Entries, output: &Output) -> Result<(), Failure> {
        let id = &self.id;
        let failed = |message: String| Err(Failure::Failed(message));
        let Some(retired) = entries.is_retired(id) else {
            return failed(format!(
                "there is no entry {id}; there are {}",
                entries.ids().join(", ")
            ));
        };
        if entries.is_current(id) {
            return failed(format!(
                "{id} is the first entry, under which secrets are minted\n  fix: put another one before it and publish under that:  keyward secrets rotate, then  keyward secrets republish"
            ));
        }
        match (self.remove, retired) {
            (true, false) if !self.force => failed(format!(
                "{id} is in force, and only a retired entry is taken out\n  fix: keyward secrets drop {id}, and later with --remove"
            )),
            (true, _) => Ok(()),
            (false, true) => {
                output.say(&format!("{id} is retired already."));
                Ok(())
            }
            (false, false) if self.force => Ok(()),
            (false, false) => self.not_needed(output),
        }
    }

    /// Asks the projects, where they can be asked.
    fn not_needed(&self, output: &Output) -> Result<(), Failure> {
        let id = &self.id;
        if client::variable(client::URL).is_none() || client::variable(client::KEY).is_none() {
            output.say(&format!(
                "Not checked whether {id} is still needed: KEYWARD_URL and KEYWARD_KEY are not set."
            ));
            return Ok(());
        }
        let deployment = Deployment::ask(&Client::from_environment()?)?;
        let needed = |why: &str| {
            Err(Failure::Failed(format!(
                "{id} is still needed: {why}\n  fix: keyward secrets republish, and then wait for what `keyward secrets status` says; --force drops it now, and keys whose records stand under it are refused until they are published again"
            )))
        };
        let Some(entry) = deployment.entry(id) else {
            return if deployment.projects.is_empty() {
                Ok(())
            } else {
                needed(
                    "the deployment does not know this entry, so it has another KEYWARD_SECRET than this one",
                )
            };
        };
        match &entry.droppable_at {
            Some(time) if status::is_past(time) => Ok(()),
            Some(time) => needed(&format!("it can go from {time} on")),
            None if entry.state == "current" => needed(
                "the deployment still mints under it, so it does not have the new KEYWARD_SECRET",
            ),
            None if entry.state == "retired" => Ok(()),
            None => needed(&format!(
                "records of {} stand under it",
                entry.needed_by.join(", ")
            )),
        }
    }
}
