//! `keyward keys limits`

use clap::Args;

use super::OneKey;
use crate::commands::limits::Standing;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys limits --project acme key_0123456789ABCDEFGHIJ

REMAINING is what nobody has spent and no isolate holds in order to spend it. Limits for each client
address are not listed: nobody counts them for all addresses.";

/// Show how much of a key's limits is left
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Limits {
    #[command(flatten)]
    key: OneKey,
}

impl Limits {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let answer = super::client()?.get(&format!("{}/limits", self.key.path()), &[])?;
        if output.json {
            return output.data(&answer.text);
        }
        let rows = answer.read::<Standing>()?.rows();
        if rows.is_empty() {
            output.say("The key has no limits that a meter counts, and its owner has none.");
            return Ok(());
        }
        output.rows(&Standing::HEADER, &rows)
    }
}
