//! `keyward keys credits`

use clap::Args;
use serde_json::Value;

use super::OneKey;
use crate::commands::change;
use crate::commands::limits::CreditChange;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward keys credits --project acme key_0123456789ABCDEFGHIJ --add 1000
  keyward keys credits --project acme key_0123456789ABCDEFGHIJ --set 0
  keyward keys credits --project acme key_0123456789ABCDEFGHIJ --add 1000 --idempotency-key order-17

`keyward keys limits` shows what is left.";

/// Add to a key's credits, or replace them
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Credits {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    change: CreditChange,
}

impl Credits {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let path = format!("{}/credits", self.key.path());
        let body = Value::Object(self.change.fields());
        let key = self.change.idempotency_key();
        let answer = super::client()?.post_once(&path, Some(&body), key)?;
        change::report(&answer, output)
    }
}
