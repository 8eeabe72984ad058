//! `keyward management-keys …`: the keys that call the management API.

mod create;
mod end;
mod limits;
mod list;
mod rotate;
mod update;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::{change, keys};
use crate::client::Client;
use crate::failure::Failure;
use crate::model;
use crate::output::Output;

/// `keyward management-keys …`
#[derive(Subcommand)]
pub(crate) enum ManagementKeys {
    /// Create a management key; its secret is shown once
    Create(Box<create::Create>),
    /// List management keys, newest first
    List(list::List),
    /// Show a management key
    Show(OneKey),
    /// Change what a management key may do
    Update(Box<update::Update>),
    /// Give a management key a new secret; the older one stays valid for a while
    Rotate(rotate::Rotate),
    /// Take a management key back for good
    Revoke(end::Revoke),
    /// Refuse a management key until it is enabled again
    Disable(end::Disable),
    /// Accept a disabled management key again
    Enable(OneKey),
    /// Forget a revoked management key
    Delete(end::Delete),
    /// The secrets of a management key
    #[command(subcommand)]
    Secrets(end::Secrets),
}

/// A management key.
#[derive(Args)]
pub(crate) struct OneKey {
    /// Its id, key_…
    #[arg(value_parser = keys::id)]
    id: String,
}

impl ManagementKeys {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(output),
            Self::List(command) => command.run(output),
            Self::Show(key) => key.show(output),
            Self::Update(command) => command.run(output),
            Self::Rotate(command) => command.run(output),
            Self::Revoke(command) => command.run(output),
            Self::Disable(command) => command.run(output),
            Self::Enable(key) => key.to("enable", output),
            Self::Delete(command) => command.run(output),
            Self::Secrets(command) => command.run(output),
        }
    }
}

impl OneKey {
    fn path(&self) -> String {
        format!("management-keys/{}", self.id)
    }

    fn show(&self, output: &Output) -> Result<(), Failure> {
        let answer = client()?.get(&self.path(), &[])?;
        if output.json {
            return output.data(&answer.text);
        }
        output.fields(&model::rows(&answer.read::<Map<String, Value>>()?))
    }

    fn to(&self, verb: &str, output: &Output) -> Result<(), Failure> {
        let answer = client()?.post(&format!("{}/{verb}", self.path()), None)?;
        change::report(&answer, output)
    }
}

/// The client, after the command line is known to be right.
fn client() -> Result<Client, Failure> {
    Client::from_environment()
}
