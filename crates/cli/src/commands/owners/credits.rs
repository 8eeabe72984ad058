//! `keyward owners credits`

use clap::Args;

use super::Owned;
use crate::commands::limits::CreditChange;
use crate::failure::Failure;
use crate::output::Output;

/// Add to the credits that an owner's keys share, or replace them
#[derive(Args)]
#[command(
    after_help = "Examples:\n  keyward owners credits --project acme customer-17 --add 1000\n\nThe owner has credits after `keyward owners limit --credits`."
)]
pub(crate) struct Credits {
    #[command(flatten)]
    owned: Owned,

    #[command(flatten)]
    change: CreditChange,
}

impl Credits {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let key = self.change.idempotency_key();
        let answer = self.owned.post_once("credits", self.change.fields(), key)?;
        self.owned.report(&answer, "Changed the credits of", output)
    }
}
