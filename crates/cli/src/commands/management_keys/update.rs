//! `keyward management-keys update`

use clap::Args;
use serde_json::{Map, Value, json};

use super::OneKey;
use super::limits::Limits;
use crate::commands::change;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward management-keys update key_0123456789ABCDEFGHIJ --name ci --expires-in 30d
  keyward management-keys update key_0123456789ABCDEFGHIJ --scope keys:read --clear-ips

What is not named stays as it is. A list that is named replaces the one before. The key is read
first, and nothing is changed if somebody else changes it meanwhile.";

/// Change what a management key may do
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Update {
    #[command(flatten)]
    key: OneKey,

    /// A name for people
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    limits: Limits,

    /// From every address
    #[arg(long, conflicts_with = "ips")]
    clear_ips: bool,

    /// It does not expire
    #[arg(long, conflicts_with_all = ["expires_at", "expires_in"])]
    no_expiry: bool,

    /// It is valid from now on
    #[arg(long, conflicts_with = "not_before")]
    no_not_before: bool,

    /// Only if it is still this version of the key
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

impl Update {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let show = format!("keyward management-keys show {}", self.key.id);
        let client = super::client()?;
        let path = self.key.path();
        let answer = change::edit(&client, &path, self.if_version, &self.patch(), &show)?;
        change::report(&answer, output)
    }

    /// As a merge patch (RFC 7396): null takes away.
    fn patch(&self) -> Map<String, Value> {
        let mut patch = self.limits.to_json();
        for (name, given) in [
            ("ips", self.clear_ips),
            ("expires_at", self.no_expiry),
            ("not_before", self.no_not_before),
        ] {
            if given {
                patch.insert(name.to_owned(), Value::Null);
            }
        }
        let name = self.name.iter();
        patch.extend(name.map(|name| ("name".to_owned(), json!(name))));
        patch
    }
}
