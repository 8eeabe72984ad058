//! `keyward management-keys revoke`, `secrets revoke`, `disable` and `delete`.

use clap::{Args, Subcommand};

use super::OneKey;
use crate::commands::revocation::Revocation;
use crate::commands::{change, keys};
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::output::Output;

/// Take a management key back for good
#[derive(Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    revocation: Revocation,

    #[command(flatten)]
    confirm: Confirm,
}

/// Refuse a management key until another one enables it
#[derive(Args)]
pub(crate) struct Disable {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    confirm: Confirm,
}

/// Forget a revoked management key
#[derive(Args)]
#[command(after_help = "Revoke it first. What it did stays in the audit log.")]
pub(crate) struct Delete {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    confirm: Confirm,
}

/// `keyward management-keys secrets …`
#[derive(Subcommand)]
pub(crate) enum Secrets {
    /// Take back one secret of a management key; the key and its other secret stay
    Revoke(RevokeSecret),
}

#[derive(Args)]
pub(crate) struct RevokeSecret {
    #[command(flatten)]
    key: OneKey,

    /// The secret's id, sec_…
    #[arg(value_parser = keys::secret_id)]
    secret: String,

    #[command(flatten)]
    revocation: Revocation,

    #[command(flatten)]
    confirm: Confirm,
}

impl Revoke {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Revoke {}? Whoever manages keys with it is locked out, and it stays revoked.",
            self.key.id
        ))?;
        let path = format!("{}/revoke", self.key.path());
        let answer = super::client()?.post(&path, Some(&self.revocation.to_json()))?;
        change::report(&answer, output)
    }
}

impl Disable {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm.ask(&format!(
            "Disable {}? Only a management key that can do as much enables it again.",
            self.key.id
        ))?;
        self.key.to("disable", output)
    }
}

impl Delete {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        self.confirm
            .ask(&format!("Delete {}? Nothing brings it back.", self.key.id))?;
        let answer = super::client()?.delete(&self.key.path())?;
        if output.json {
            return output.data(&answer.text);
        }
        let row = vec![self.key.id.clone(), "deleted".to_owned()];
        output.rows(&["ID", "STATUS"], &[row])
    }
}

impl Secrets {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let Self::Revoke(command) = self;
        command.confirm.ask(&format!(
            "Revoke {} of {}? Whoever manages keys with this secret is locked out, and it stays revoked.",
            command.secret, command.key.id
        ))?;
        let path = format!("{}/secrets/{}/revoke", command.key.path(), command.secret);
        let answer = super::client()?.post(&path, Some(&command.revocation.to_json()))?;
        change::report(&answer, output)
    }
}
