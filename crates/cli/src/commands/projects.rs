//! `keyward projects …`

mod create;
mod list;
mod show;
mod state;
mod update;

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
    /// Change a project's name, how long its secrets live, or how soon changes hold
    Update(update::Update),
    /// Refuse every key of a project until it is resumed
    #[command(
        after_help = "It takes effect as a revocation does, and can be undone with `resume`."
    )]
    Suspend(state::OneProject),
    /// Accept a suspended project's keys again
    Resume(state::OneProject),
    /// Put a project away: its keys are refused and cannot be changed
    #[command(
        after_help = "`keyward projects list --status archived` lists it from then on, and `restore` undoes it."
    )]
    Archive(state::OneProject),
    /// Bring an archived project back
    Restore(state::OneProject),
}

impl Projects {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let client = Client::from_environment()?;
        match self {
            Self::Create(command) => command.run(&client, output),
            Self::List(command) => command.run(&client, output),
            Self::Show(command) => command.run(&client, output),
            Self::Update(command) => command.run(&client, output),
            Self::Suspend(project) => project.to("suspend", &client, output),
            Self::Resume(project) => project.to("resume", &client, output),
            Self::Archive(project) => project.to("archive", &client, output),
            Self::Restore(project) => project.to("restore", &client, output),
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
