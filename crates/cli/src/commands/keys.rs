//! `keyward keys …`

mod create;
mod delete;
mod fields;
mod list;
pub(super) mod page;
mod show;
mod state;

use clap::{Args, Subcommand};
use keyward_core::names;
use owo_colors::OwoColorize as _;

use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;

/// `keyward keys …`
#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Create a key; its secret is shown once
    Create(Box<create::Create>),
    /// List keys, newest first
    List(list::List),
    /// Show a key
    Show(show::Show),
    /// Take a key back for good
    Revoke(state::Revoke),
    /// Refuse a key until it is enabled again
    Disable(state::Disable),
    /// Accept a disabled key again
    Enable(state::Enable),
    /// Revoke a key and forget it
    Delete(delete::Delete),
}

/// `--project`.
#[derive(Args)]
pub(super) struct InProject {
    /// The project
    #[arg(long, short, env = "KEYWARD_PROJECT", hide_env_values = true, value_parser = super::projects::id, value_name = "ID")]
    project: String,
}

/// A key of a project.
#[derive(Args)]
pub(super) struct OneKey {
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
            Self::Revoke(command) => command.run(output),
            Self::Disable(command) => command.run(output),
            Self::Enable(command) => command.run(output),
            Self::Delete(command) => command.run(output),
        }
    }
}

impl InProject {
    fn path(&self) -> String {
        format!("projects/{}/keys", self.project)
    }
}

impl OneKey {
    fn path(&self) -> String {
        format!("{}/{}", self.project.path(), self.id)
    }
}

fn id(text: &str) -> Result<String, String> {
    if names::is_key_id(text) {
        return Ok(text.to_owned());
    }
    Err("a key's id is key_ and 20 letters and digits; `keyward keys list` shows it (a secret is none, and must never be an argument)".to_owned())
}

/// What to say about how far a change has got.
fn publication(state: &str) -> String {
    match state {
        "pending" => format!(
            "{} the change is stored and still being published; it is retried until it holds",
            "pending:".yellow()
        ),
        _ => "The change is published; locations have it within a minute or so.".to_owned(),
    }
}

/// The client, after the command line is known to be right.
fn client() -> Result<Client, Failure> {
    Client::from_environment()
}
