//! `keyward owners limit`

use clap::Args;
use serde_json::{Map, Value};

use super::Owned;
use crate::commands::limits::Limits;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward owners limit --project acme customer-17 --rate 100/60s --quota 100000/month
  keyward owners limit --project acme customer-17 --none

All keys of the owner share these limits, beside those that each has of its own. What is named
replaces all limits that the owner has. `keyward keys limits` with a key of the owner shows how much
is left.";

/// Limit what all keys of an owner may use together
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Limit {
    #[command(flatten)]
    owned: Owned,

    /// Take the owner's limits away
    #[arg(long, conflicts_with_all = ["rates", "quotas", "credits", "on_meter_error"])]
    none: bool,

    // The last: its heading holds for what follows.
    #[command(flatten)]
    limits: Limits,
}

impl Limit {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let (limits, done) = match self.limits.to_json(None) {
            Some(limits) => (limits, "Limited"),
            None if self.none => (Value::Null, "No limits any more for"),
            None => {
                return Err(Failure::Usage(
                    "name a limit, as in --rate 100/60s, or say --none".to_owned(),
                ));
            }
        };
        let body = Map::from_iter([("limits".to_owned(), limits)]);
        let answer = self.owned.post("limit", body)?;
        self.owned.report(&answer, done, output)
    }
}
