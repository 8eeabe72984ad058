//! `keyward keys delete`

use clap::Args;

use super::OneKey;
use crate::commands::change;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::output::Output;

/// Revoke a key and forget it after 30 days
#[derive(Args)]
#[command(
    after_help = "Examples:\n  keyward keys delete --project acme key_0123456789ABCDEFGHIJ --yes\n\nFor 30 days `keyward keys undelete` brings it back."
)]
pub(crate) struct Delete {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    confirm: Confirm,
}

impl Delete {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Delete {}? Every call with it will be refused; after 30 days nothing brings it back.",
            self.key.id
        ))?;
        let answer = super::client()?.delete(&self.key.path())?;
        change::report(&answer, output)
    }
}
