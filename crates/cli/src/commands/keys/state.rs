//! `keyward keys revoke`, `disable` and `enable`: the same call with another last word.

use clap::Args;
use serde_json::Value;

use super::OneKey;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::model::Changed;
use crate::output::{Output, plain};

/// Take a key back for good
#[derive(Args)]
#[command(
    after_help = "Examples:\n  keyward keys revoke --project acme key_0123456789ABCDEFGHIJ --yes"
)]
pub(crate) struct Revoke {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    confirm: Confirm,
}

/// Refuse a key until it is enabled again
#[derive(Args)]
pub(crate) struct Disable {
    #[command(flatten)]
    key: OneKey,
}

/// Accept a disabled key again
#[derive(Args)]
pub(crate) struct Enable {
    #[command(flatten)]
    key: OneKey,
}

impl Revoke {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Revoke {}? Every call with it will be refused, and it stays revoked.",
            self.key.id
        ))?;
        change(&self.key, "revoke", output)
    }
}

impl Disable {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        change(&self.key, "disable", output)
    }
}

impl Enable {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        change(&self.key, "enable", output)
    }
}

fn change(key: &OneKey, verb: &str, output: &Output) -> Result<(), Failure> {
    let answer = super::client()?.post(&format!("{}/{verb}", key.path()), None)?;
    if output.json {
        return output.data(&answer.0);
    }
    let changed: Changed = answer.read()?;
    let status = changed
        .key
        .get("status")
        .and_then(Value::as_str)
        .map(plain)
        .unwrap_or_default();
    output.rows(&["ID", "STATUS"], &[vec![key.id.clone(), status]])?;
    output.say(&super::publication(&changed.publication));
    Ok(())
}
