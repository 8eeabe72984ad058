//! `keyward secrets rotate`

use clap::Args;

use super::place::Place;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward secrets rotate --file .dev.vars
  keyward secrets rotate --file production.vars | npx wrangler secret put KEYWARD_SECRET
  pass show acme/keyward | keyward secrets rotate > new-secret

No key stops working: the old entries stay in force. Then:
  keyward secrets republish     writes all records under the new entry
  keyward secrets status        says from when the old entry can go
  keyward secrets drop <ID>     retires it";

/// Put a fresh entry first in KEYWARD_SECRET
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Rotate {
    #[command(flatten)]
    place: Place,
}

impl Rotate {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut entries = self.place.read()?;
        let old = entries.ids().join(", ");
        let new = entries.rotate().map_err(Failure::Failed)?;
        self.place.write(&entries, output)?;
        output.say(&format!(
            "{new} is now the first entry, before {old}. When the deployment has it:  keyward secrets republish"
        ));
        Ok(())
    }
}
