//! `keyward keys secrets …`

use clap::{Args, Subcommand};

use super::OneKey;
use crate::commands::change;
use crate::commands::revocation::Revocation;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::output::Output;

/// `keyward keys secrets …`
#[derive(Subcommand)]
pub(crate) enum Secrets {
    /// Take back one secret of a key; the key and its other secret stay
    Revoke(Revoke),
}

const AFTER_HELP: &str = "\
Examples:
  keyward keys secrets revoke --project acme key_0123456789ABCDEFGHIJ sec_0123456789AB

`keyward keys show` lists a key's secrets and their ids.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Revoke {
    #[command(flatten)]
    key: OneKey,

    /// The secret's id, sec_…
    #[arg(value_parser = super::secret_id)]
    secret: String,

    #[command(flatten)]
    revocation: Revocation,

    #[command(flatten)]
    confirm: Confirm,
}

impl Secrets {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let Self::Revoke(command) = self;
        command.confirm.ask(&format!(
            "Revoke {} of {}? Every call with this secret will be refused, and it stays revoked.",
            command.secret, command.key.id
        ))?;
        let path = format!("{}/secrets/{}/revoke", command.key.path(), command.secret);
        let answer = super::client()?.post(&path, Some(&command.revocation.to_json()))?;
        change::report(&answer, output)
    }
}
