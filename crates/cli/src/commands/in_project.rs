//! Which project a command is about.

use clap::Args;

use crate::client;
use crate::failure::Failure;

const PROJECT: &str = "KEYWARD_PROJECT";

/// `--project`, for what there is only in projects.
#[derive(Args)]
pub(crate) struct InProject {
    /// The project
    #[arg(long, short, env = PROJECT, hide_env_values = true, value_parser = super::projects::id, value_name = "ID")]
    project: String,
}

/// `--project`, where there is an answer without one too.
#[derive(Args)]
pub(super) struct MaybeProject {
    /// The project [env: KEYWARD_PROJECT]
    #[arg(long, short, value_parser = super::projects::id, value_name = "ID")]
    project: Option<String>,
}

impl InProject {
    /// The project's address.
    pub(super) fn address(&self) -> String {
        format!("projects/{}", self.project)
    }

    /// The address of its keys.
    pub(super) fn path(&self) -> String {
        format!("{}/keys", self.address())
    }

    /// The project's id.
    pub(super) fn id(&self) -> &str {
        &self.project
    }
}

impl MaybeProject {
    /// The project of the command line, else that of the environment.
    pub(super) fn chosen(&self) -> Result<Option<String>, Failure> {
        if self.project.is_some() {
            return Ok(self.project.clone());
        }
        let project = client::variable(PROJECT);
        project
            .map(|id| {
                super::projects::id(&id)
                    .map_err(|error| Failure::Usage(format!("{PROJECT} is no project: {error}")))
            })
            .transpose()
    }
}
