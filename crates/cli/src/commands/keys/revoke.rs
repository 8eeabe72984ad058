//! `keyward keys revoke`

use clap::Args;

use super::OneKey;
use crate::commands::change;
use crate::commands::revocation::Revocation;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys revoke --project acme key_0123456789ABCDEFGHIJ
  keyward keys revoke --project acme key_0123456789ABCDEFGHIJ --reason keyCompromise --yes";

/// Take a key back for good
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Revoke {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    revocation: Revocation,

    #[command(flatten)]
    confirm: Confirm,
}

impl Revoke {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Revoke {}? Every call with it will be refused, and it stays revoked.",
            self.key.id
        ))?;
        let path = format!("{}/revoke", self.key.path());
        let answer = super::client()?.post(&path, Some(&self.revocation.to_json()))?;
        change::report(&answer, output)
    }
}
