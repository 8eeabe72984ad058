//! `keyward environments …`

use clap::{Args, Subcommand};
use keyward_core::names;
use serde_json::json;

use super::change;
use super::in_project::InProject;
use crate::client::Client;
use crate::failure::Failure;
use crate::model::{Environment, Page};
use crate::output::{Output, plain};

/// `keyward environments …`
#[derive(Subcommand)]
pub(crate) enum Environments {
    /// Create an environment
    Create(One),
    /// List the environments of a project
    List(InProject),
    /// Put an environment away: its keys are refused
    Archive(One),
    /// Bring an archived environment back
    Restore(One),
}

/// An environment of a project.
#[derive(Args)]
pub(crate) struct One {
    #[command(flatten)]
    project: InProject,

    /// Its name: 1 to 12 lower-case letters and digits
    #[arg(value_parser = name)]
    environment: String,
}

impl Environments {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Create(one) => one.create(output),
            Self::List(project) => list(&project, output),
            Self::Archive(one) => one.to("archive", output),
            Self::Restore(one) => one.to("restore", output),
        }
    }
}

impl One {
    fn path(&self) -> String {
        format!("{}/environments", self.project.address())
    }

    fn create(&self, output: &Output) -> Result<(), Failure> {
        let body = json!({ "id": self.environment });
        let answer = Client::from_environment()?.post(&self.path(), Some(&body))?;
        if output.json {
            return output.data(&answer.text);
        }
        let environment: Environment = answer.read()?;
        if !output.terminal {
            output.data(&plain(&environment.id))?;
        }
        output.say(&format!(
            "Environment {} is there. A key of it: keyward keys create --project {} --environment {0}",
            plain(&environment.id),
            self.project.id(),
        ));
        Ok(())
    }

    fn to(&self, verb: &str, output: &Output) -> Result<(), Failure> {
        let path = format!("{}/{}/{verb}", self.path(), self.environment);
        let answer = Client::from_environment()?.post(&path, None)?;
        change::report_of("environment", &answer, output)
    }
}

fn list(project: &InProject, output: &Output) -> Result<(), Failure> {
    let path = format!("{}/environments", project.address());
    let answer = Client::from_environment()?.get(&path, &[])?;
    if output.json {
        return output.data(&answer.text);
    }
    let page: Page<Environment> = answer.read()?;
    let row =
        |environment: Environment| vec![environment.id, environment.status, environment.created_at];
    let rows: Vec<_> = page.items.into_iter().map(row).collect();
    output.rows(&["ID", "STATUS", "CREATED"], &rows)
}

fn name(text: &str) -> Result<String, String> {
    if names::is_environment(text) {
        return Ok(text.to_owned());
    }
    Err("an environment has 1 to 12 lower-case letters and digits".to_owned())
}
