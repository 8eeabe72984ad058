//! `keyward keys …`

mod create;
mod credits;
mod delete;
mod export;
mod fields;
mod import;
mod limits;
mod list;
mod owner_line;
pub(super) mod page;
mod revoke;
mod rotate;
mod secrets;
mod show;
mod update;

use clap::{Args, Subcommand};
use keyward_core::names;

use super::change;
use super::in_project::InProject;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;

/// `keyward keys …`
#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Create a key; its secret is shown once
    Create(Box<create::Create>),
    /// List keys, newest first
    List(Box<list::List>),
    /// Show a key
    Show(show::Show),
    /// Change a key's fields
    Update(Box<update::Update>),
    /// Give a key a new secret; the older one stays valid for a while
    Rotate(rotate::Rotate),
    /// Take a key back for good
    Revoke(revoke::Revoke),
    /// Refuse a key until it is enabled again
    Disable(OneKey),
    /// Accept a disabled key again
    Enable(OneKey),
    /// Revoke a key and forget it after 30 days
    Delete(delete::Delete),
    /// Bring a deleted key back
    #[command(
        after_help = "Examples:\n  keyward keys list --project acme --status deleted\n  keyward keys undelete --project acme key_0123456789ABCDEFGHIJ"
    )]
    Undelete(OneKey),
    /// Show how much of a key's limits is left
    Limits(limits::Limits),
    /// Add to a key's credits, or replace them
    Credits(credits::Credits),
    /// The secrets of a key
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Import keys from a file or from another gateway
    Import(import::Import),
    /// Export the keys with the digests of their secrets
    Export(export::Export),
}

/// A key of a project.
#[derive(Args)]
pub(crate) struct OneKey {
    #[command(flatten)]
    project: InProject,

    /// The key's id, key_…
    #[arg(value_parser = id)]
    id: String,
}

impl Keys {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(output),
            Self::List(command) => command.run(output),
            Self::Show(command) => command.run(output),
            Self::Update(command) => command.run(output),
            Self::Rotate(command) => command.run(output),
            Self::Revoke(command) => command.run(output),
            Self::Disable(key) => key.to("disable", output),
            Self::Enable(key) => key.to("enable", output),
            Self::Delete(command) => command.run(output),
            Self::Undelete(key) => key.to("undelete", output),
            Self::Limits(command) => command.run(output),
            Self::Credits(command) => command.run(output),
            Self::Secrets(command) => command.run(output),
            Self::Import(command) => command.run(output),
            Self::Export(command) => command.run(output),
        }
    }
}

impl OneKey {
    fn path(&self) -> String {
        format!("{}/{}", self.project.path(), self.id)
    }

    fn to(&self, verb: &str, output: &Output) -> Result<(), Failure> {
        let answer = client()?.post(&format!("{}/{verb}", self.path()), None)?;
        change::report(&answer, output)
    }
}

/// The id of a key or a management key, as an argument.
pub(super) fn id(text: &str) -> Result<String, String> {
    if names::is_key_id(text) {
        return Ok(text.to_owned());
    }
    Err("a key's id is key_ and 20 letters and digits; `list` shows it (a secret is none, and must never be an argument)".to_owned())
}

/// The id of a key's secret, as an argument.
pub(super) fn secret_id(text: &str) -> Result<String, String> {
    if names::is_secret_id(text) {
        return Ok(text.to_owned());
    }
    Err("a secret's id is sec_ and 12 letters and digits; `show` lists them (the secret itself must never be an argument)".to_owned())
}

/// The client, after the command line is known to be right.
fn client() -> Result<Client, Failure> {
    Client::from_environment()
}
