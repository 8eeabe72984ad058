//! `keyward projects …`

mod create;
mod list;
mod show;

use clap::Subcommand;
use keyward_core::names;

use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;

/// `keyward projects …`
#[derive(Subcommand)]
pub(crate) enum Projects {
    /// Create a project
    Create(create::Create),
    /// List the projects
    List(list::List),
    /// Show a project
    Show(show::Show),
}

impl Projects {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let client = Client::from_environment()?;
        match self {
            Self::Create(command) => command.run(&client, output),
            Self::List(command) => command.run(&client, output),
            Self::Show(command) => command.run(&client, output),
        }
    }
}

/// The id of a project, as an argument.
pub(super) fn id(text: &str) -> Result<String, String> {
    if names::is_project_id(text) {
        return Ok(text.to_owned());
    }
    Err("use lower-case letters, digits and single hyphens inside, at most 40".to_owned())
}
