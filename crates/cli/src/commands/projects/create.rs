//! `keyward projects create`

use clap::Args;
use serde_json::json;

use crate::client::Client;
use crate::failure::Failure;
use crate::model::Project;
use crate::output::{Output, plain};

/// Create a project
#[derive(Args)]
#[command(after_help = "Examples:\n  keyward projects create acme --name 'Acme Inc.'")]
pub(crate) struct Create {
    /// Its id: lower-case letters, digits and hyphens
    #[arg(value_parser = super::id)]
    id: String,

    /// A name for people; the id if left out
    #[arg(long)]
    name: Option<String>,
}

impl Create {
    pub(super) fn run(&self, client: &Client, output: &Output) -> Result<(), Failure> {
        let name = self.name.as_ref().unwrap_or(&self.id);
        let answer = client.post("projects", Some(&json!({ "id": self.id, "name": name })))?;
        if output.json {
            return output.data(&answer.text);
        }
        let project: Project = answer.read()?;
        if !output.terminal {
            output.data(&plain(&project.id))?;
        }
        output.say(&format!(
            "Project {} is there. Its first key: keyward keys create --project {0}",
            plain(&project.id)
        ));
        Ok(())
    }
}
